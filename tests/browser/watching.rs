//! What watches the pages sees what is wrong: a page that does everything pages here must not do is noticed each time.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::axe::Axe;
use crate::browser::{Browser, Screen};

const BAD: &str = "<!doctype html><title>x</title><h1>One</h1><h1>Two</h1>
    <img src='https://pixel.evil.example/a.png'>
    <p style='color: #999; width: 600px'>Pale and wide</p>
    <script>window.pwned = 1; alert('hello'); missing()</script>";

#[tokio::test(flavor = "multi_thread")]
async fn what_watches_pages_sees_what_is_wrong() {
    let Some(browser) = Browser::open(None).await else { return };
    let axe = Axe::find().await.expect("axe");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().route("/", get(|| async { Html(BAD) }));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    browser.set_screen(Screen::NARROW).await;
    browser.visit(&origin).await;
    assert_eq!(browser.evaluate("window.pwned").await, 1);
    let apart = browser.world_apart().await;
    assert_eq!(browser.evaluate_in(Some(apart), "typeof window.pwned").await, "undefined");
    let log = browser.log().await;
    assert_eq!(log.foreign(&origin), ["https://pixel.evil.example/a.png"]);
    assert_eq!(log.dialogs, ["hello"]);
    assert!(log.troubles().iter().any(|words| words.contains("missing is not defined")), "{log:?}");
    let violations = axe.violations(&browser).await;
    for rule in ["Light: color-contrast", "Dark: html-has-lang", "Dark: image-alt"] {
        assert!(violations.iter().any(|line| line.starts_with(rule)), "{rule}: {violations:#?}");
    }

    browser.allow_script(false).await;
    browser.visit(&origin).await;
    assert_eq!(browser.evaluate("typeof window.pwned").await, "undefined");
    assert!(browser.log().await.dialogs.is_empty());
    serving.abort();
}
