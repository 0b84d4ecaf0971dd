//! A mail server of the tests' own: it speaks SMTP to whoever connects, keeps what it takes, and refuses what it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A letter as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The sender of the envelope.
    pub(crate) from: String,
    /// The recipient of the envelope.
    pub(crate) to: String,
    /// The header, unfolded.
    pub(crate) header: String,
    /// The text, decoded.
    pub(crate) body: String,
    /// Who logged in, as `user:password`.
    pub(crate) login: Option<String>,
    /// Whether it came by TLS.
    pub(crate) by_tls: bool,
}

impl Received {
    /// One line of the header, without its name.
    pub(crate) fn line(&self, name: &str) -> &str {
        let start = format!("{}:", name.to_ascii_lowercase());
        let mut lines = self.header.lines();
        let line = lines.find(|line| line.to_ascii_lowercase().starts_with(&start));
        line.map_or("", |line| line[start.len()..].trim())
    }

    /// The first address in the text.
    pub(crate) fn link(&self) -> &str {
        let mut lines = self.body.lines();
        lines.find(|line| line.starts_with("http://") || line.starts_with("https://")).expect("a link").trim()
    }
}

#[derive(Default)]
struct Kept {
    letters: Vec<Received>,
    refusals: HashMap<String, Vec<String>>,
}

/// The listening server.
pub(crate) struct Smtp {
    /// Where it listens.
    pub(crate) port: u16,
    /// The authority behind its certificate, as PEM.
    pub(crate) authority: String,
    kept: Arc<Mutex<Kept>>,
}

impl Smtp {
    /// Begins to listen on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Begins to listen on this port.
    pub(crate) async fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tls, authority) = certificate();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let keeping = kept.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, tls) = (keeping.clone(), tls.clone());
                tokio::spawn(async move {
                    let mut plain = BufStream::new(stream);
                    say(&mut plain, "220 mail.test ready").await;
                    if converse(&mut plain, &kept, false).await == Some(Next::Tls)
                        && let Ok(stream) = tls.accept(plain.into_inner()).await
                    {
                        converse(&mut BufStream::new(stream), &kept, true).await;
                    }
                });
            }
        });
        Self { port, authority, kept }
    }

    /// Has the next letters to an address answered with these lines, one after the other, when the recipient is named.
    pub(crate) fn refuse(&self, recipient: &str, lines: &[&str]) {
        let lines = lines.iter().rev().map(|line| (*line).to_owned()).collect();
        self.kept.lock().expect("no panic").refusals.insert(recipient.to_owned(), lines);
    }

    /// All that arrived, in its order.
    pub(crate) fn letters(&self) -> Vec<Received> {
        self.kept.lock().expect("no panic").letters.clone()
    }

    /// The one letter to this address, which is taken out.
    #[track_caller]
    pub(crate) fn take_letter_to(&self, recipient: &str) -> Received {
        let letters = self.take_letters_to(recipient);
        let [letter] = &letters[..] else { panic!("one letter to {recipient}, not {letters:?}") };
        letter.clone()
    }

    /// The letters to this address, which are taken out.
    pub(crate) fn take_letters_to(&self, recipient: &str) -> Vec<Received> {
        let mut kept = self.kept.lock().expect("no panic");
        let (theirs, others) = kept.letters.drain(..).partition(|letter| letter.to == recipient);
        kept.letters = others;
        theirs
    }
}

fn certificate() -> (TlsAcceptor, String) {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .expect("a configuration");
    (TlsAcceptor::from(Arc::new(config)), pair.cert.pem())
}

#[derive(PartialEq, Eq)]
enum Next {
    Tls,
}

/// One connection, until it ends or wants to become TLS.
async fn converse<S>(stream: &mut S, kept: &Mutex<Kept>, by_tls: bool) -> Option<Next>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let (mut from, mut to, mut login) = (String::new(), String::new(), None);
    loop {
        let line = hear(stream).await?;
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("EHLO") {
            let offers = if by_tls { "AUTH PLAIN" } else { "STARTTLS" };
            say(stream, &format!("250-mail.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 {offers}")).await;
        } else if upper == "STARTTLS" {
            say(stream, "220 go on").await;
            return Some(Next::Tls);
        } else if let Some(proof) = upper.strip_prefix("AUTH PLAIN ") {
            let shown = STANDARD.decode(&line[line.len() - proof.len()..]).expect("base64");
            let shown = String::from_utf8(shown).expect("text");
            let right = shown == "\0registry\0correct horse";
            login = Some(shown.trim_start_matches('\0').replace('\0', ":"));
            say(stream, if right { "235 welcome" } else { "535 5.7.8 wrong password" }).await;
        } else if upper.starts_with("MAIL FROM:") {
            from = address_in(&line);
            say(stream, "250 ok").await;
        } else if upper.starts_with("RCPT TO:") {
            to = address_in(&line);
            let refusal = kept.lock().expect("no panic").refusals.get_mut(&to).and_then(Vec::pop);
            say(stream, &refusal.unwrap_or_else(|| "250 ok".into())).await;
        } else if upper == "DATA" {
            say(stream, "354 go on").await;
            let (header, body) = hear_letter(stream).await?;
            let letter = Received { from: from.clone(), to: to.clone(), header, body, login: login.clone(), by_tls };
            kept.lock().expect("no panic").letters.push(letter);
            say(stream, "250 kept").await;
        } else if upper == "QUIT" {
            say(stream, "221 bye").await;
            return None;
        } else {
            say(stream, "250 ok").await;
        }
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, line: &str) {
    let _ = stream.write_all(format!("{line}\r\n").as_bytes()).await;
    let _ = stream.flush().await;
}

async fn hear<S: AsyncBufRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut line = Vec::new();
    let read = stream.read_until(b'\n', &mut line).await.ok()?;
    (read > 0).then(|| String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
}

fn address_in(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(address, _)| address.to_owned())
}

async fn hear_letter<S: AsyncBufRead + Unpin>(stream: &mut S) -> Option<(String, String)> {
    let mut lines = Vec::new();
    loop {
        let line = hear(stream).await?;
        if line == "." {
            break;
        }
        lines.push(line.strip_prefix('.').map(ToOwned::to_owned).unwrap_or(line));
    }
    let text = lines.join("\n");
    let (header, body) = text.split_once("\n\n").expect("a header and a body");
    let header = header.replace("\n ", " ").replace("\n\t", " ");
    let lower = header.to_ascii_lowercase();
    let body = if lower.contains("content-transfer-encoding: quoted-printable") {
        decode_quoted_printable(body)
    } else if lower.contains("content-transfer-encoding: base64") {
        let bytes = STANDARD.decode(body.replace('\n', "")).expect("base64");
        String::from_utf8(bytes).expect("text").replace("\r\n", "\n")
    } else {
        body.to_owned()
    };
    Some((header, body))
}

fn decode_quoted_printable(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("text")
}
