//! CI that publishes without a secret, also the first version there ever is.

use serde_json::json;
use strongroom::clock::Clock;
use strongroom::config::{Config, IssuerKind, TrustedIssuer};

use super::security::set_up_authenticator;
use super::twice_with;
use crate::browser::Browser;
use crate::ci::Services;
use crate::house::House;
use crate::npm::Npm;

#[tokio::test(flavor = "multi_thread")]
async fn ci_publishes_the_first_version_by_saying_who_it_is() {
    let services = tokio::task::spawn_blocking(Services::start).await.expect("no panic");
    let knowing = |config: &mut Config| {
        config.outgoing.allow = vec!["127.0.0.1/32".parse().expect("a network")];
        config.trust.issuers = vec![github(&services)];
    };
    twice_with(knowing, async |browser, house| {
        house.app.user("ada").await;
        // The CI signs at the time of the machine.
        house.app.clock.set(Clock::system().now());
        house.sign_in(browser, "ada").await;
        ask_whom_it_trusts(browser, house, "vault client").await;
        browser.wait_for("may hold only lower-case letters").await;
        // Whom a package trusts is said by who has shown more than a password.
        ask_whom_it_trusts(browser, house, "vault").await;
        browser.wait_for("has no second factor").await;
        browser.press("Set up a second factor").await;
        set_up_authenticator(browser, house).await;
        ask_whom_it_trusts(browser, house, "vault").await;
        browser.wait_for("The package need not exist yet").await;
        browser.fill("Repository", "ada/vault").await;
        browser.fill("Workflow file", "release.yml").await;
        browser.press("Trust it").await;
        browser.wait_for("It may publish from now on").await;
        browser.says("npm publish").await;

        let stranger = machine(&house.url, &services, "mallory/vault").await;
        stranger.run_in(&stranger.package("@ada/vault", "1.0.0", &json!({})), &["publish"]).await.fails();
        let job = machine(&house.url, &services, "ada/vault").await;
        job.run_in(&job.package("@ada/vault", "1.0.0", &json!({})), &["publish"]).await.succeeds();
        browser.visit(&format!("{}/package/@ada/vault/versions", house.url)).await;
        browser.says("1.0.0").await;
        browser.says("private").await;
    })
    .await;
}

async fn ask_whom_it_trusts(browser: &Browser, house: &House, name: &str) {
    browser.visit(&format!("{}/settings/tokens", house.url)).await;
    browser.press("New token").await;
    browser.press("CI that publishes").await;
    browser.fill("Package that is not published yet", name).await;
    browser.press("Say whom it trusts").await;
}

fn github(services: &Services) -> TrustedIssuer {
    let [(name, url), ..] = services.issuers();
    TrustedIssuer {
        name: format!("our-{name}"),
        kind: IssuerKind::GitHub,
        url: url.to_owned(),
        audiences: Vec::new(),
        keys_url: None,
        single_use: None,
    }
}

/// A runner of GitHub Actions in a job of that repository: it knows the scope, and holds no token.
async fn machine(registry: &str, services: &Services, repository: &str) -> Npm {
    let mut npm = Npm::new(registry).await;
    for (variable, value) in services.github_job(repository) {
        npm = npm.with(variable, &value);
    }
    npm.knows("@ada");
    npm
}
