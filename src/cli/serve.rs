//! `strongroom serve`.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::embedded::Role;
use crate::http::{Edge, Limits, TrustedProxies, serve};
use crate::names::UrlSecret;
use crate::{chores, web};

use super::session::{Database, OTHER_KEY, Unreachable};

/// How long background work may go on once the last request is answered.
const LAST_CHORES: Duration = Duration::from_secs(5);

/// Connections that the kernel keeps while the process is busy.
const BACKLOG: u32 = 1024;

/// Flags of `strongroom serve`; they stand in for the configuration's keys of the same names.
#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: Option<String>,
    /// The URL that clients use.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
}

/// Serves until SIGTERM or SIGINT, then drains and returns.
pub(super) async fn run(mut config: Config) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    raise_descriptor_limit(config.server.max_connections);
    let listener = bind(config.server.listen)?;
    config.server.listen = listener.local_addr()?;
    let database = Database::find(&config, Role::Server).await?;
    let app = App::new(config, database.options.clone(), Clock::system())
        .map_err(|cause| Unreachable(format!("the folder for package files cannot be used: {cause}")))?;
    let app = Arc::new(app);
    app.db.migrate().await.context("the database could not be brought up to date")?;
    app.vault.check(&app.db).await.context(OTHER_KEY)?;
    let listening = app.db.listen()?;
    let tending = chores::start(&app);

    let faces = web::faces(&app);
    let proxies = TrustedProxies(app.config.server.trusted_proxies.clone());
    let edge = Arc::new(Edge::new(faces, proxies, app.config.log.access, app.public_url.clone())?);
    announce(&app).await?;
    let limits = Limits {
        connections: app.config.server.max_connections,
        per_address: app.config.server.max_connections_per_address,
        drain: Duration::from_secs(app.config.server.drain_seconds),
    };
    let (leaving, no_more_chores) = (app.clone(), tending.stopping());
    serve(listener, edge, limits, async move {
        stop.wait().await;
        leaving.stop();
        no_more_chores.cancel();
        tracing::info!("stopping: running requests may finish; a second signal ends them");
        tokio::spawn(async move {
            stop.wait().await;
            std::process::exit(1);
        });
    })
    .await?;
    tending.stop(LAST_CHORES).await;
    drop(listening);
    app.db.close().await;
    database.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Takes all the file descriptors that the system allows, and warns where they are fewer than the connections.
fn raise_descriptor_limit(connections: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let allowed = getrlimit(Resource::Nofile).current;
    if allowed.is_some_and(|allowed| allowed < connections as u64 + 200) {
        tracing::warn!(allowed, connections, "fewer file descriptors than server.max_connections; raise the limit");
    }
}

fn bind(address: SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    let bound = socket.bind(address).and_then(|()| socket.listen(BACKLOG));
    bound.with_context(|| format!("cannot listen on {address}. Stop what listens there, or give another --listen"))
}

/// The one line that scripts wait for, and, while nobody has an account, what to do next.
async fn announce(app: &App) -> anyhow::Result<()> {
    let url = &app.public_url;
    if let Some(code) = app.instance.open_setup().await? {
        welcome(app, &code);
    }
    println!("strongroom ready at {url}");
    std::io::stdout().flush()?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "words for the person at the terminal, not a log line")]
fn welcome(app: &App, code: &UrlSecret) {
    let url = &app.public_url;
    let program = std::env::args().next().unwrap_or_else(|| "strongroom".into());
    let mut place = String::new();
    if app.config.server.data_dir.is_some() {
        place = format!(" --data-dir {}", app.config.data_dir().display());
    }
    eprintln!("\nNobody has an account here yet. Make the first one in a browser, at an address that works once:\n");
    eprintln!("    {url}/setup/{}\n", code.expose());
    eprintln!("or in another terminal:\n");
    eprintln!("    {program} user create ada --email ada@example.com --admin{place}");
    eprintln!("    npm login --scope=@ada --registry={url}\n");
    eprintln!("Then publish any package named @ada/something with npm publish: it is private until you say otherwise.");
    eprintln!();
}

struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Resolves at the next signal.
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
