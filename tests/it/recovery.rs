//! Getting back in by a one-time link, and showing that a mail address is one's own.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde_json::Value;
use strongroom::error::Error;
use strongroom::names::AccountName;
use strongroom::policy::{AccountAction, Narrowing};
use strongroom::recovery::Reset;
use strongroom::users::Password;

use crate::mail::by;
use crate::second_factor::{enable, wait};
use crate::session::log_in;
use crate::support::app::{ADDRESS, PASSWORD, Person, TestApp};
use crate::support::smtp::Smtp;

const CHOSEN: &str = "a better battery";

async fn forget(app: &TestApp, typed: &str) {
    app.app.recovery.note_forgotten(typed, IpAddr::from(ADDRESS)).await.expect("a note");
    app.run_chore("recovery.answer").await;
    app.run_chore("mail.deliver").await;
}

/// The secret in a link's address.
pub(crate) fn code_in(link: &str) -> &str {
    link.rsplit('/').next().expect("a last part")
}

fn reset(password: &str, code: Option<&str>, ends_all_tokens: bool) -> Reset {
    Reset {
        password: Password::chosen(password).expect("a password"),
        code: code.map(ToOwned::to_owned),
        ends_all_tokens,
        address: IpAddr::from(ADDRESS),
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_link_that_works_once() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("alice").await;
    let old = log_in(&app, "alice", PASSWORD, None).await.expect(201).json();
    let old = app.with_token(old["token"].as_str().expect("a token"));
    forget(&app, "alice").await;
    let letter = smtp.take_letter_to("alice@example.com");
    assert!(letter.link().starts_with("http://registry.test/forgot/"), "{letter:?}");
    assert!(letter.body.contains("alice") && letter.body.contains("192.0.2.1") && letter.body.contains("30 minutes"));
    let code = code_in(letter.link());
    let shown = app.app.recovery.reset_link(code).await.expect("a page");
    assert_eq!((shown.account.as_str(), shown.asks_second_factor), ("alice", false));
    app.app.recovery.reset(code, reset(CHOSEN, None, false)).await.expect("a new password");
    log_in(&app, "alice", CHOSEN, None).await.expect(201);
    log_in(&app, "alice", PASSWORD, None).await.expect(401);
    old.get("/-/whoami").await.expect(401);
    let again = app.app.recovery.reset(code, reset("another one again", None, false)).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
    assert!(matches!(app.app.recovery.reset_link(code).await, Err(Error::NotFound(_))));
}

/// What was typed is found out by a chore: what the request does is to note it, whatever it is.
#[tokio::test]
async fn whether_there_is_such_an_account_shows_nowhere_but_in_the_mailbox() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("alice").await;
    for typed in ["nobody", "nobody@example.com", "", "  ", "@", "a\r\nb", "not a name!", &"x".repeat(5000)] {
        forget(&app, typed).await;
    }
    assert!(smtp.letters().is_empty());
    for typed in ["alice", " ALICE ", "Alice@Example.com"] {
        forget(&app, typed).await;
        smtp.take_letter_to("alice@example.com");
    }
    app.app.users.set_disabled(&"alice".parse().expect("a name"), true).await.expect("off");
    forget(&app, "alice").await;
    assert!(smtp.letters().is_empty());
}

#[tokio::test]
async fn strangers_cannot_fill_a_mailbox() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("alice").await;
    for _ in 0..8 {
        forget(&app, "alice").await;
    }
    assert_eq!(smtp.take_letters_to("alice@example.com").len(), 5);
    app.clock.set(app.clock.now() + TimeDelta::minutes(61));
    forget(&app, "alice").await;
    smtp.take_letter_to("alice@example.com");
}

#[tokio::test]
async fn a_link_ends_after_half_an_hour_and_with_the_next_new_password() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    app.user("alice").await;
    forget(&app, "alice").await;
    let first = smtp.take_letter_to("alice@example.com");
    forget(&app, "alice").await;
    let second = smtp.take_letter_to("alice@example.com");
    app.app.recovery.reset(code_in(second.link()), reset(CHOSEN, None, true)).await.expect("a new password");
    assert!(app.app.recovery.reset_link(code_in(first.link())).await.is_err());
    forget(&app, "alice").await;
    let late = smtp.take_letter_to("alice@example.com");
    wait(&app, 30 * 60);
    assert!(app.app.recovery.reset(code_in(late.link()), reset(CHOSEN, None, true)).await.is_err());
}

#[tokio::test]
async fn a_link_is_no_second_factor() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    let (phone, _) = enable(&app, &alice, "auth-only").await;
    forget(&app, "alice").await;
    let letter = smtp.take_letter_to("alice@example.com");
    let code = code_in(letter.link());
    assert!(app.app.recovery.reset_link(code).await.expect("a page").asks_second_factor);
    let bare = app.app.recovery.reset(code, reset(CHOSEN, None, true)).await;
    assert!(matches!(bare, Err(Error::SecondFactorRequired { web: None })));
    let wrong = app.app.recovery.reset(code, reset(CHOSEN, Some("000000"), true)).await;
    assert!(matches!(wrong, Err(Error::WrongSecondFactor)));
    log_in(&app, "alice", CHOSEN, None).await.expect(401);
    let right = phone.code(app.clock.now());
    app.app.recovery.reset(code, reset(CHOSEN, Some(&right), true)).await.expect("a new password");
}

#[tokio::test]
async fn granular_tokens_end_where_that_is_wanted() {
    for (ends_all, status) in [(true, 401), (false, 200)] {
        let smtp = Smtp::start().await;
        let app = TestApp::with(by(&smtp)).await;
        app.user("alice").await;
        let granular = app.token("alice", Narrowing::read_only(), None).await;
        forget(&app, "alice").await;
        let letter = smtp.take_letter_to("alice@example.com");
        app.app.recovery.reset(code_in(letter.link()), reset(CHOSEN, None, ends_all)).await.expect("a new password");
        granular.get("/-/whoami").await.expect(status);
    }
}

#[tokio::test]
async fn the_operator_hands_out_a_link_where_no_mail_arrives() {
    let app = TestApp::new().await;
    app.user("alice").await;
    let name: AccountName = "alice".parse().expect("a name");
    let url = app.app.recovery.hand_out(&name).await.expect("a link");
    assert!(url.starts_with("http://registry.test/forgot/"), "{url}");
    app.app.recovery.reset(code_in(&url), reset(CHOSEN, None, true)).await.expect("a new password");
    log_in(&app, "alice", CHOSEN, None).await.expect(201);
    let nobody: AccountName = "nobody".parse().expect("a name");
    assert!(matches!(app.app.recovery.hand_out(&nobody).await, Err(Error::NotFound(_))));
}

/// Uses a link as the page does, by somebody who is logged in.
async fn prove(person: &Person<'_>, code: &str) -> Result<AccountName, Error> {
    let token = person.token.as_deref().expect("a token");
    let actor = person.app.app.tokens.authenticate(token, IpAddr::from(ADDRESS)).await.expect("an actor");
    let permit = person.app.app.second_factor.permit(&actor, AccountAction::See).await?;
    person.app.app.recovery.prove(&permit, code).await
}

#[tokio::test]
async fn a_link_is_worth_nothing_once_the_address_or_the_password_is_another() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    let ask = async || {
        forget(&app, "alice").await;
        let mut letters =
            smtp.take_letters_to("alice@example.com").into_iter().chain(smtp.take_letters_to("eve@example.com"));
        letters.rfind(|letter| letter.body.contains("/forgot/"))
    };
    let first = ask().await.expect("a letter");
    let change = serde_json::json!({ "password": { "old": PASSWORD, "new": CHOSEN } });
    alice.json("POST", "/-/npm/v1/user", &change).await.expect(200);
    assert!(app.app.recovery.reset_link(code_in(first.link())).await.is_err(), "the password is another");
    let second = ask().await.expect("a letter");
    assert!(app.app.recovery.reset_link(code_in(second.link())).await.is_ok());
    alice.json("POST", "/-/npm/v1/user", &serde_json::json!({ "email": "eve@example.com" })).await.expect(200);
    assert!(app.app.recovery.reset_link(code_in(second.link())).await.is_err(), "the address is another");
    // Whoever found a token and put their own address there does not come to have the account.
    assert!(ask().await.is_none());
}

#[tokio::test]
async fn who_reads_an_address_proves_it_and_a_new_address_is_not_proven() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let alice = app.user("alice").await;
    let verified = async || alice.get("/-/npm/v1/user").await.expect(200).json()["email_verified"].clone();
    let id = app.app.users.find(&"alice".parse().expect("a name")).await.expect("an answer").expect("a user").id;
    assert_eq!(verified().await, Value::Bool(false));
    app.app.recovery.ask_for_proof(id).await.expect("a letter");
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("alice@example.com");
    let code = code_in(letter.link());
    assert!(app.app.recovery.reset_link(code).await.is_err(), "it is good for nothing else");
    let eve = app.user("eve").await;
    assert!(matches!(prove(&eve, code).await, Err(Error::Forbidden(_))), "it is alice's alone");
    prove(&alice, code).await.expect("a proof");
    assert_eq!(verified().await, Value::Bool(true));
    assert!(prove(&alice, code).await.is_err(), "once");
    app.app.recovery.ask_for_proof(id).await.expect("nothing to do");
    app.run_chore("mail.deliver").await;
    assert!(smtp.letters().is_empty());

    alice.json("POST", "/-/npm/v1/user", &serde_json::json!({ "email": "new@example.com" })).await.expect(200);
    assert_eq!(verified().await, Value::Bool(false));
    alice.json("POST", "/-/npm/v1/user", &serde_json::json!({ "email": "newer@example.com" })).await.expect(200);
    app.run_chore("mail.deliver").await;
    let stale = smtp.take_letter_to("new@example.com");
    assert!(prove(&alice, code_in(stale.link())).await.is_err());
    assert_eq!(verified().await, Value::Bool(false));
}
