//! Somebody who has no account yet, and comes by a letter.

use serde_json::json;
use strongroom::config::{Config, MailTls, Signup};

use super::{settle, twice_with};
use crate::npm::Npm;
use crate::support::smtp::Smtp;

const ADDRESS: &str = "eve@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_invited_by_mail_makes_an_account_and_installs() {
    let smtp = Smtp::start().await;
    let mailing = |config: &mut Config| {
        config.mail.host = Some("localhost".into());
        config.mail.port = smtp.port;
        config.mail.tls = MailTls::None;
        config.mail.from = Some("registry@strongroom.example".into());
        config.auth.signup = Some(Signup::Invite);
    };
    twice_with(mailing, async |browser, house| {
        let ada = settle(house, "ada").await;
        ada.run_in(&ada.package("@ada/vault", "1.0.0", &json!({})), &["publish"]).await.succeeds();
        house.sign_in(browser, "ada").await;
        browser.visit(&format!("{}/package/@ada/vault/access", house.url)).await;
        browser.fill("User name or e-mail", ADDRESS).await;
        browser.press("Add").await;
        browser.wait_for(ADDRESS).await;
        house.app.run_chore("mail.deliver").await;
        let link = smtp.take_letter_to(ADDRESS).link().to_owned();

        // Nobody comes in without the letter; with it, the address needs no proof of its own.
        house.sign_in(browser, "").await;
        browser.visit(&format!("{}/signup", house.url)).await;
        browser.does_not_say("User name").await;
        browser.visit(&link).await;
        browser.says("@ada/vault").await;
        browser.press("Make an account").await;
        browser.fill("User name", "eve").await;
        browser.fill("Password", "every strongroom has one door").await;
        browser.press("Sign up").await;
        browser.wait_for("Accept invitation").await;
        browser.press("Accept invitation").await;
        browser.wait_for("@ada/vault").await;

        let token = house.app.token("eve", strongroom::policy::Narrowing::default(), None).await.token;
        let eve = Npm::new(&house.url).await;
        eve.knows("@ada");
        eve.holds(&token.expect("a token"));
        eve.run_in(&eve.project("reads"), &["install", "@ada/vault"]).await.succeeds();
        eve.run_in(&eve.package("@ada/vault", "1.1.0", &json!({})), &["publish"]).await.fails_with("E403");
        // The letter was good for once.
        browser.visit(&link).await;
        browser.does_not_say("Accept invitation").await;
    })
    .await;
}
