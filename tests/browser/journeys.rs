//! What people come to do, from start to end; each journey with the scripts of pages and without them.

mod access;
mod billing;
mod entrance;
mod invitations;
mod organizations;
mod security;
mod setup;
mod terminal;
mod tokens;
mod trust;

use strongroom::config::Config;

use crate::browser::Browser;
use crate::house::House;
use crate::npm::Npm;
use crate::support::app::PASSWORD;

/// Plays a journey twice, each time in a registry of its own: with script, and without.
async fn twice(journey: impl AsyncFn(&Browser, &House)) {
    twice_with(|_| {}, journey).await;
}

/// The same in registries of a configuration.
async fn twice_with(configure: impl Fn(&mut Config), journey: impl AsyncFn(&Browser, &House)) {
    for script in [true, false] {
        let Some(browser) = Browser::open(None).await else { return };
        browser.allow_script(script).await;
        journey(&browser, &House::with("127.0.0.1", &configure).await).await;
    }
}

/// A user with an npm that is logged in, and knows their own scope and that of Ada.
async fn settle(house: &House, name: &str) -> Npm {
    let token = house.app.user(name).await.token.expect("a token");
    let npm = Npm::new(&house.url).await;
    npm.knows("@ada");
    npm.knows(&format!("@{name}"));
    npm.holds(&token);
    npm
}

/// Shows again who one is, where the page asks for it.
async fn confirm_if_asked(browser: &Browser) {
    if browser.words().await.contains("Confirm that it is you") {
        browser.fill("Password", PASSWORD).await;
        browser.press("Confirm").await;
    }
}
