//! A whole registry behind a socket of the loopback, on a database of its own.

use std::sync::Arc;

use strongroom::config::Config;
use strongroom::http::{Edge, Limits, TrustedProxies, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::browser::Browser;
use crate::support::app::{PASSWORD, TestApp};

/// A registry that answers browsers and clients; its time stands still until a test moves it.
pub(crate) struct House {
    pub(crate) app: TestApp,
    /// Where it listens, which is its public URL; without a slash at the end.
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl House {
    /// A registry that is known by a name of the loopback.
    pub(crate) async fn at(host: &str) -> Self {
        Self::with(host, |_| {}).await
    }

    /// A registry with a configuration of its own.
    pub(crate) async fn with(host: &str, configure: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{host}:{}", listener.local_addr().expect("an address").port());
        let app = TestApp::with(|config| {
            config.server.public_url = Some(url.clone());
            configure(config);
        })
        .await;
        let rooms = app.app.clone();
        let faces = strongroom::web::faces(&rooms);
        let edge = Edge::new(faces, TrustedProxies::default(), false, rooms.public_url.clone()).expect("an edge");
        let limits = Limits { connections: 200, per_address: 200, drain: std::time::Duration::ZERO };
        let serving = tokio::spawn(async move {
            serve(listener, Arc::new(edge), limits, std::future::pending()).await.expect("a server");
        });
        Self { app, url, serving }
    }

    /// Signs a user of the tests in, or everybody out where there is no name.
    pub(crate) async fn sign_in(&self, browser: &Browser, name: &str) {
        browser.visit(&format!("{}/docs", self.url)).await;
        browser.forget().await;
        if !name.is_empty() {
            browser.visit(&format!("{}/login", self.url)).await;
            browser.fill("User name", name).await;
            browser.fill("Password", PASSWORD).await;
            browser.press("Log in").await;
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
