//! Bringing letters to the server that the operator named.

use std::path::Path;
use std::time::Duration;

use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Category, Severity};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use crate::clock::Time;
use crate::config::{self, MailLog, MailTls};
use crate::names::Email;

use super::Way;
use super::letter::Text;

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(15);

/// Says which setting of `[mail]` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// `mail.from`
    #[error("mail.from is no mail address. Give one like strongroom <registry@example.com>")]
    Sender,
    /// `mail.tls`
    #[error("mail.user and mail.password would go over the network in clear. Set mail.tls to starttls or implicit")]
    Clear,
    /// `outgoing.certificates`
    #[error("the certificates of outgoing.certificates cannot be used for mail: {0}")]
    Certificates(String),
    /// `mail.host`
    #[error("mail.host is no name that a certificate could be for: {0}")]
    Host(String),
}

/// Why a letter was not sent.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the server said, or why it did not.
    pub(super) reason: String,
    /// Where the fault lies, and so what to do next.
    pub(super) blame: Blame,
}

/// Whose fault it is that a letter was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The letter's: no server will ever take it.
    Letter,
    /// The server's, or the settings': other letters fare no better right now.
    Server,
    /// Nobody's: the server wants it again later.
    Later,
}

pub(super) struct Courier {
    from: Mailbox,
    /// The host of the public URL: who we say we are.
    host: String,
    means: Means,
}

enum Means {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Log,
    Nowhere,
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Courier").field("way", &self.way()).finish_non_exhaustive()
    }
}

impl Courier {
    pub(super) fn new(
        settings: &config::Mail,
        certificates: Option<&Path>,
        public_url: &str,
    ) -> Result<Self, CourierError> {
        let uri: http::Uri = public_url.parse().unwrap_or_default();
        let host = uri.host().unwrap_or("localhost").trim_matches(['[', ']']).to_owned();
        let means = match (&settings.host, settings.to_log) {
            (Some(server), _) => Means::Smtp(Box::new(smtp(server, settings, certificates, &host)?)),
            (None, MailLog::Always) => Means::Log,
            // Who reaches the registry at this address sits at this machine, and reads the log already.
            (None, MailLog::Auto) if is_this_machine(&host) => Means::Log,
            (None, MailLog::Auto | MailLog::Never) => Means::Nowhere,
        };
        Ok(Self { from: sender(settings, &host)?, host, means })
    }

    pub(super) fn way(&self) -> Way {
        match self.means {
            Means::Smtp(_) => Way::Smtp,
            Means::Log => Way::Log,
            Means::Nowhere => Way::Nowhere,
        }
    }

    pub(super) async fn send(&self, key: &str, to: &Email, text: &Text, now: Time) -> Result<(), Failure> {
        let smtp = match &self.means {
            Means::Smtp(smtp) => smtp,
            Means::Log => {
                tracing::info!(mail.to = %to, mail.subject = text.subject, "mail, to the log:\n{}", text.body);
                return Ok(());
            }
            Means::Nowhere => {
                return Err(Failure { reason: "no mail server is set".into(), blame: Blame::Server });
            }
        };
        let letter = self.write(key, to, text, now)?;
        smtp.send(letter).await.map(drop).map_err(|cause| failure(&cause))
    }

    pub(super) async fn probe(&self) -> Result<(), String> {
        let Means::Smtp(smtp) = &self.means else { return Ok(()) };
        match smtp.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the server hung up".into()),
            Err(cause) => Err(failure(&cause).reason),
        }
    }

    /// Puts the letter in the form of RFC 5322. A letter that is sent again has the same id, by which readers show it once.
    fn write(&self, key: &str, to: &Email, text: &Text, now: Time) -> Result<Message, Failure> {
        let unacceptable = |reason: String| Failure { reason, blame: Blame::Letter };
        let address: Address =
            to.as_str().parse().map_err(|_| unacceptable("no mail can be sent to this address".into()))?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(text.subject.clone())
            .date(now.into())
            .message_id(Some(format!("<{key}@{}>", self.host)))
            // Keeps holiday notes from answering (RFC 3834).
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()))
            .header(ContentType::TEXT_PLAIN)
            .body(text.body.clone())
            .map_err(|cause| unacceptable(cause.to_string()))
    }
}

fn sender(settings: &config::Mail, host: &str) -> Result<Mailbox, CourierError> {
    if let Some(from) = &settings.from {
        return from.parse().map_err(|_| CourierError::Sender);
    }
    let host = if host.parse::<std::net::IpAddr>().is_ok() { "localhost" } else { host };
    let address = Address::new("strongroom", host).map_err(|_| CourierError::Sender)?;
    Ok(Mailbox::new(Some("strongroom".into()), address))
}

fn smtp(
    server: &str,
    settings: &config::Mail,
    certificates: Option<&Path>,
    host: &str,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, CourierError> {
    let tls = match settings.tls {
        MailTls::None if settings.user.is_some() && !is_this_machine(server) => return Err(CourierError::Clear),
        MailTls::None => Tls::None,
        MailTls::StartTls => Tls::Required(tls_parameters(server, certificates)?),
        MailTls::Implicit => Tls::Wrapper(tls_parameters(server, certificates)?),
    };
    let usual_port = match settings.tls {
        MailTls::None => 25,
        MailTls::StartTls => 587,
        MailTls::Implicit => 465,
    };
    let hello = host.parse().map_or_else(
        |_| ClientId::Domain(host.to_owned()),
        |address| match address {
            std::net::IpAddr::V4(address) => ClientId::Ipv4(address),
            std::net::IpAddr::V6(address) => ClientId::Ipv6(address),
        },
    );
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
        .port(if settings.port == 0 { usual_port } else { settings.port })
        .hello_name(hello)
        .timeout(Some(PATIENCE))
        .tls(tls);
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

fn tls_parameters(server: &str, certificates: Option<&Path>) -> Result<TlsParameters, CourierError> {
    let mut builder = TlsParameters::builder(server.to_owned());
    if let Some(path) = certificates {
        let unusable = |cause: String| CourierError::Certificates(cause);
        let pem = std::fs::read(path).map_err(|cause| unusable(cause.to_string()))?;
        builder =
            builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|cause| unusable(cause.to_string()))?);
    }
    builder.build().map_err(|cause| CourierError::Host(cause.to_string()))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A refusal of the mailbox or the message (5.x.x of the mail system) will be the same tomorrow; one of the login or of
/// the command is about the settings, which somebody may mend.
fn failure(cause: &lettre::transport::smtp::Error) -> Failure {
    let blame = match cause.status() {
        Some(code) if code.severity == Severity::TransientNegativeCompletion => Blame::Later,
        Some(code)
            if code.severity == Severity::PermanentNegativeCompletion && code.category == Category::MailSystem =>
        {
            Blame::Letter
        }
        _ => Blame::Server,
    };
    let mut reason = cause.to_string();
    let mut source = std::error::Error::source(cause);
    while let Some(deeper) = source {
        let words = deeper.to_string();
        if !reason.contains(&words) {
            reason = format!("{reason}: {words}");
        }
        source = deeper.source();
    }
    Failure { reason: reason.chars().map(|one| if one.is_control() { ' ' } else { one }).take(300).collect(), blame }
}
