//! What the guard holds, against listeners that misbehave.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A client that may ask this machine.
fn open() -> Outgoing {
    client(&["127.0.0.1/32"], Duration::from_secs(10))
}

fn client(allow: &[&str], timeout: Duration) -> Outgoing {
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    let config = config::Outgoing { allow, certificates: None, timeout_seconds: 10 };
    Outgoing { timeout, ..Outgoing::new(&config).unwrap() }
}

/// Answers each connection with the same bytes, and gives what was asked. Says nothing more, and holds the connection.
async fn listener(answer: &'static str) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, questions) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let _ = asked.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
            held.push(stream);
        }
    });
    (port, questions)
}

#[tokio::test]
async fn json_is_fetched_and_a_body_posted() {
    let (port, mut questions) = listener("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a\": 1}").await;
    let url = format!("http://localhost:{port}/x?y=z");
    let value: serde_json::Value = open().get_json(&url, 100).await.unwrap();
    assert_eq!(value["a"], 1);
    let question = questions.recv().await.unwrap().to_ascii_lowercase();
    assert!(question.starts_with("get /x?y=z http/1.1\r\n"), "{question}");
    assert!(question.contains(&format!("host: localhost:{port}\r\n")), "{question}");

    let mut headers = HeaderMap::new();
    headers.insert("x-npm-signature", "sha256=00".parse().unwrap());
    let reply = open().post(&url, headers, Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.excerpt.as_str()), (200, "{\"a\": 1}"));
    let question = questions.recv().await.unwrap().to_ascii_lowercase();
    assert!(
        question.contains("x-npm-signature: sha256=00\r\n") && question.contains("content-length: 2"),
        "{question}"
    );
}

#[tokio::test]
async fn this_machine_is_not_asked_under_any_of_its_names() {
    let (port, mut questions) = listener("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let closed = client(&[], Duration::from_secs(10));
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "127.1", "0.0.0.0"] {
        let url = format!("http://{host}:{port}/");
        let refused = closed.get_json::<serde_json::Value>(&url, 100).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::Refused), "{host}: {refused}");
        let refused = closed.post(&url, HeaderMap::new(), Bytes::new()).await.unwrap_err();
        assert!(matches!(refused, OutgoingError::Refused), "{host}: {refused}");
    }
    assert!(questions.try_recv().is_err(), "a connection was made");
    let allowed = open().get_json::<serde_json::Value>(&format!("http://[::ffff:127.0.0.1]:{port}/"), 100).await;
    assert!(allowed.is_ok(), "{allowed:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (secret, mut questions) = listener("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{secret}/\r\ncontent-length: 0\r\n\r\n");
    let (port, _asked) = listener(redirect.leak()).await;
    let url = format!("http://127.0.0.1:{port}/");
    let refused = open().get_json::<serde_json::Value>(&url, 100).await.unwrap_err();
    assert!(matches!(refused, OutgoingError::Status(302)), "{refused}");
    assert_eq!(open().post(&url, HeaderMap::new(), Bytes::new()).await.unwrap().status, 302);
    assert!(questions.try_recv().is_err(), "the redirect was followed");
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let long = "x".repeat(1 << 20);
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{long}", long.len());
    let (port, _asked) = listener(answer.leak()).await;
    let url = format!("http://127.0.0.1:{port}/");
    let refused = open().get_json::<serde_json::Value>(&url, 1000).await.unwrap_err();
    assert!(matches!(refused, OutgoingError::TooLarge(1000)), "{refused}");
    let reply = open().post(&url, HeaderMap::new(), Bytes::new()).await.unwrap();
    assert_eq!(reply.excerpt.len(), EXCERPT_BYTES);
}

#[tokio::test]
async fn a_slow_answer_is_given_up() {
    let (silent, _asked) = listener("").await;
    let (half, _asked_too) = listener("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").await;
    let impatient = client(&["127.0.0.1/32"], Duration::from_millis(100));
    for port in [silent, half] {
        let failed = impatient.get_json::<serde_json::Value>(&format!("http://127.0.0.1:{port}/"), 1000).await;
        assert!(matches!(failed, Err(OutgoingError::Timeout)), "{failed:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (port, mut questions) = listener("not TLS").await;
    let refused = open().get_json::<serde_json::Value>(&format!("https://127.0.0.1:{port}/"), 100).await.unwrap_err();
    assert!(matches!(refused, OutgoingError::Unreachable(_)), "{refused}");
    let hello = questions.recv().await.unwrap();
    assert!(hello.starts_with('\u{16}'), "the first byte of a TLS handshake");
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let config = config::Outgoing {
        allow: Vec::new(),
        certificates: Some("/nowhere/authority.pem".into()),
        timeout_seconds: 10,
    };
    let message = Outgoing::new(&config).unwrap_err().to_string();
    assert!(message.contains("outgoing.certificates: /nowhere/authority.pem"), "{message}");
}
