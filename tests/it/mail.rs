//! Letters: through the outbox, over SMTP, to a server that sometimes will not.

use std::io::Write as _;

use chrono::TimeDelta;
use strongroom::config::{Config, MailLog, MailTls};
use strongroom::mail::{Letter, Way};

use crate::support::app::TestApp;
use crate::support::smtp::Smtp;

/// Has mail brought to a server without TLS.
pub(crate) fn by(smtp: &Smtp) -> impl FnOnce(&mut Config) + use<> {
    let port = smtp.port;
    move |config| {
        config.mail.host = Some("localhost".into());
        config.mail.port = port;
        config.mail.tls = MailTls::None;
        config.mail.from = Some("Acme registry <registry@acme.test>".into());
    }
}

fn letter(to: &str, text: &str) -> Letter {
    Letter::new("test", to.parse().expect("an address"), "Grüße").paragraph(text)
}

async fn enqueue(app: &TestApp, letter: &Letter) {
    let mut transaction = app.app.db.begin().await.expect("a transaction");
    app.app.mail.enqueue(&mut transaction, letter).await.expect("a place in the outbox");
    transaction.commit().await.expect("a commit");
}

#[tokio::test]
async fn a_letter_is_sent_exactly_if_its_transaction_commits() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let mut given_up = app.app.db.begin().await.expect("a transaction");
    app.app.mail.enqueue(&mut given_up, &letter("bob@example.com", "never")).await.expect("a place");
    drop(given_up);
    enqueue(&app, &letter("ada@example.com", "Schöne Grüße").link("http://registry.test/x")).await;
    assert!(smtp.letters().is_empty(), "the request that writes a letter does not wait for the mail server");
    app.run_chore("mail.deliver").await;
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("ada@example.com");
    assert!(smtp.letters().is_empty());
    assert_eq!(letter.from, "registry@acme.test");
    assert_eq!(letter.line("From"), "\"Acme registry\" <registry@acme.test>");
    assert_eq!(letter.line("To"), "ada@example.com");
    assert!(letter.line("Subject").starts_with("=?utf-8?"), "{}", letter.header);
    assert_eq!(letter.line("Auto-Submitted"), "auto-generated");
    assert!(letter.line("Message-ID").ends_with("@registry.test>") && !letter.line("Date").is_empty());
    assert_eq!(letter.line("Content-Type"), "text/plain; charset=utf-8");
    assert_eq!(letter.body.trim_end(), "Schöne Grüße\n\nhttp://registry.test/x");
}

#[tokio::test]
async fn no_text_adds_a_header_or_ends_the_letter() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let nasty = "x\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>";
    let to = "ada@example.com".parse().expect("an address");
    enqueue(&app, &Letter::new("test", to, nasty).paragraph(nasty).paragraph(".").paragraph("end")).await;
    app.run_chore("mail.deliver").await;
    let letter = smtp.take_letter_to("ada@example.com");
    assert_eq!(letter.line("Bcc"), "");
    assert_eq!(letter.line("Subject"), "x  Bcc: eve@example.com    .  MAIL FROM:<eve@example.com>");
    assert!(letter.body.trim_end().ends_with("\n\n.\n\nend"), "{}", letter.body);
    assert!(smtp.letters().is_empty(), "and nothing went to anybody else");
}

#[tokio::test]
async fn what_waits_is_sealed_and_what_was_sent_is_forgotten() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    enqueue(&app, &letter("ada@example.com", "Open this:").link("http://registry.test/forgot/secret")).await;
    let pool = app.pool().await;
    let rows = async || -> String {
        sqlx::query_scalar("select string_agg(outbox::text || encode(coalesce(sealed, ''), 'escape'), '') from outbox")
            .fetch_one(&pool)
            .await
            .expect("rows")
    };
    assert!(!rows().await.contains("forgot"));
    app.run_chore("mail.deliver").await;
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar("select sealed from outbox").fetch_one(&pool).await.expect("a row");
    assert!(sealed.is_none());
    app.clock.set(app.clock.now() + TimeDelta::days(31));
    app.run_chore("mail.forget").await;
    let left: i64 = sqlx::query_scalar("select count(*) from outbox").fetch_one(&pool).await.expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_a_mailbox_that_is_refused_is_not() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    smtp.refuse("busy@example.com", &["451 4.7.1 later", "451 4.7.1 later"]);
    smtp.refuse("gone@example.com", &["550 5.1.1 nobody here"]);
    for to in ["busy@example.com", "gone@example.com", "ada@example.com"] {
        enqueue(&app, &letter(to, "Hi")).await;
    }
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("ada@example.com");
    app.run_chore("mail.deliver").await;
    assert!(smtp.letters().is_empty(), "not at once");
    for _ in 0..2 {
        app.clock.set(app.clock.now() + TimeDelta::minutes(2));
        app.run_chore("mail.deliver").await;
    }
    smtp.take_letter_to("busy@example.com");
    assert!(smtp.letters().is_empty(), "the refused mailbox was not asked again");
    let (waiting, given_up) = app.app.mail.health().await.expect("an answer");
    assert_eq!((waiting, given_up.len()), (0, 1));
    assert_eq!(given_up[0].recipient, "gone@example.com");
    assert!(given_up[0].failure.as_deref().is_some_and(|failure| failure.contains("nobody here")), "{given_up:?}");
}

#[tokio::test]
async fn a_server_that_is_away_makes_the_chore_ail_and_loses_no_letter() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let app = TestApp::with(|config| {
        config.mail.host = Some("localhost".into());
        config.mail.port = port;
        config.mail.tls = MailTls::None;
    })
    .await;
    enqueue(&app, &letter("ada@example.com", "Hi")).await;
    assert!(app.app.run_chore("mail.deliver").await.is_err());
    assert!(app.app.mail.probe().await.is_err());
    let smtp = Smtp::start_at(port).await;
    app.clock.set(app.clock.now() + TimeDelta::minutes(1));
    app.run_chore("mail.deliver").await;
    smtp.take_letter_to("ada@example.com");
    app.app.mail.probe().await.expect("a server");
}

#[tokio::test]
async fn a_letter_that_is_worth_nothing_any_more_is_not_sent() {
    let smtp = Smtp::start().await;
    let app = TestApp::with(by(&smtp)).await;
    let end = app.clock.now() + TimeDelta::minutes(30);
    enqueue(&app, &letter("ada@example.com", "Hi").worthless_at(end)).await;
    app.clock.set(end);
    app.run_chore("mail.deliver").await;
    assert!(smtp.letters().is_empty());
}

#[tokio::test]
async fn starttls_and_the_login_come_before_the_letter() {
    let smtp = Smtp::start().await;
    let mut authority = tempfile::NamedTempFile::new().expect("a file");
    authority.write_all(smtp.authority.as_bytes()).expect("a certificate");
    let path = authority.path().to_owned();
    let port = smtp.port;
    let configure = |password: &'static str, trusts: bool| {
        let path = path.clone();
        move |config: &mut Config| {
            config.mail.host = Some("localhost".into());
            config.mail.port = port;
            config.mail.user = Some("registry".into());
            config.mail.password = Some(strongroom::config::Secret::new(password));
            config.outgoing.certificates = trusts.then_some(path);
        }
    };
    let app = TestApp::with(configure("correct horse", true)).await;
    enqueue(&app, &letter("ada@example.com", "Hi")).await;
    app.run_chore("mail.deliver").await;
    let received = smtp.take_letter_to("ada@example.com");
    assert!(received.by_tls);
    assert_eq!(received.login.as_deref(), Some("registry:correct horse"));
    assert_eq!(received.from, "strongroom@registry.test");

    for (password, trusts) in [("wrong", true), ("correct horse", false)] {
        let app = TestApp::with(configure(password, trusts)).await;
        enqueue(&app, &letter("ada@example.com", "Hi")).await;
        let failure = app.app.run_chore("mail.deliver").await.expect_err("a refusal").to_string();
        assert!(!failure.contains("correct horse"), "{failure}");
        let (waiting, _) = app.app.mail.health().await.expect("an answer");
        assert_eq!(waiting, 1, "settings can be mended, so the letter waits");
    }
    assert!(smtp.letters().is_empty());
}

#[tokio::test]
async fn without_a_server_mail_goes_into_the_log_of_this_machine_or_nowhere() {
    for (url, to_log, way) in [
        ("http://127.0.0.1:4873", MailLog::Auto, Way::Log),
        ("http://localhost:4873", MailLog::Auto, Way::Log),
        ("http://localhost:4873", MailLog::Never, Way::Nowhere),
        ("https://registry.test", MailLog::Auto, Way::Nowhere),
        ("https://registry.test", MailLog::Always, Way::Log),
    ] {
        let app = TestApp::with(|config| {
            config.server.public_url = Some(url.into());
            config.mail.to_log = to_log;
        })
        .await;
        assert_eq!(app.app.mail.way(), way, "{url} {to_log:?}");
        enqueue(&app, &letter("ada@example.com", "Hi")).await;
        app.run_chore("mail.deliver").await;
        assert_eq!(app.app.mail.health().await.expect("an answer").0, 0);
    }
}

#[tokio::test]
async fn a_password_never_goes_over_the_network_in_clear() {
    let settings = |host: &str| {
        let mut config = Config::defaults();
        config.mail.host = Some(host.into());
        config.mail.user = Some("registry".into());
        config.mail.tls = MailTls::None;
        config.server.data_dir = Some(std::env::temp_dir().join("strongroom-mail-test"));
        let options = "postgres://nobody@localhost/nothing".parse().expect("a URL");
        strongroom::app::App::new(config, options, strongroom::clock::Clock::system()).map(drop)
    };
    assert!(settings("mail.example.com").is_err());
    assert!(settings("localhost").is_ok());
}
