//! A client that speaks plain HTTP, one connection for each request, so that nothing is hidden from the tests.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;
use super::package::Release;

/// Somebody at a node.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Where the node listens.
    pub(crate) address: SocketAddr,
    /// What they show.
    pub(crate) token: Option<String>,
}

impl Client {
    /// Somebody without a token.
    pub(crate) fn anonymous(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// Makes an account as `npm adduser` does.
    pub(crate) async fn sign_up(address: SocketAddr, name: &str) -> Self {
        let id = format!("org.couchdb.user:{name}");
        let password = "correct horse battery staple";
        let document = json!({ "_id": id, "name": name, "password": password, "email": "who@example.com" });
        let reply = Self::anonymous(address).json("PUT", &format!("/-/user/{id}"), &document).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        Self { address, token: reply.json()["token"].as_str().map(str::to_owned) }
    }

    /// The same person at another node.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, token: self.token.clone() }
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.try_get(path).await.expect("an answer")
    }

    /// Reads something from a node that may be gone.
    pub(crate) async fn try_get(&self, path: &str) -> io::Result<Reply> {
        self.send(&self.head("GET", path, None), &[]).await
    }

    /// Sends a JSON document.
    pub(crate) async fn json(&self, method: &str, path: &str, document: &Value) -> Reply {
        let body = document.to_string().into_bytes();
        self.send(&self.head(method, path, Some(body.len())), &body).await.expect("an answer")
    }

    /// Ends a token as `npm logout` does.
    pub(crate) async fn log_out(&self) -> Reply {
        let path = format!("/-/user/token/{}", self.token.as_deref().unwrap_or_default());
        self.send(&self.head("DELETE", &path, None), &[]).await.expect("an answer")
    }

    /// Publishes; the node must answer.
    pub(crate) async fn publish(&self, release: &Release) -> Reply {
        self.try_publish(release).await.expect("an answer")
    }

    /// Publishes at a node that may be gone.
    pub(crate) async fn try_publish(&self, release: &Release) -> io::Result<Reply> {
        let body = release.document();
        self.send(&self.head("PUT", &release.packument_path(), Some(body.len())), &body).await
    }

    /// Sends a publish up to its middle. Returns the connection and what is still to be sent.
    pub(crate) async fn begin_publish(&self, release: &Release) -> (TcpStream, Vec<u8>) {
        let mut body = release.document();
        let head = self.head("PUT", &release.packument_path(), Some(body.len()));
        let rest = body.split_off(body.len() / 2);
        let mut stream = TcpStream::connect(self.address).await.expect("a listener");
        stream.write_all(head.as_bytes()).await.expect("a listener");
        stream.write_all(&body).await.expect("a listener");
        (stream, rest)
    }

    /// Makes a package public or restricted, as `npm access set status` does.
    pub(crate) async fn set_access(&self, release: &Release, access: &str) -> Reply {
        let path = format!("/-/package{}/access", release.packument_path());
        self.json("POST", &path, &json!({ "access": access })).await
    }

    /// The head of a request whose body has `length` bytes.
    pub(crate) fn head(&self, method: &str, path: &str, length: Option<usize>) -> String {
        let token = self.token.as_ref().map(|token| format!("authorization: Bearer {token}\r\n"));
        let body = length.map(|length| format!("content-type: application/json\r\ncontent-length: {length}\r\n"));
        let (token, body) = (token.unwrap_or_default(), body.unwrap_or_default());
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{token}{body}\r\n", self.address)
    }

    async fn send(&self, head: &str, body: &[u8]) -> io::Result<Reply> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body).await?;
            Reply::read(&mut stream).await
        };
        timeout(PATIENCE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Reads an answer up to the end of the connection. An answer that was cut off is an error.
    pub(crate) async fn read(stream: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let cut_off = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut_off)?;
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(cut_off)?;
        let reply = Self { status, head, body: bytes.split_off(end + 4) };
        let length: usize = reply.header("content-length").and_then(|text| text.parse().ok()).ok_or_else(cut_off)?;
        if reply.body.len() == length { Ok(reply) } else { Err(cut_off()) }
    }

    /// A header; names and values are in lower case here.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as text, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// Fails the test unless this tells of an outage as clients expect: a 5xx status of `statuses`, when to come
    /// again, and a sentence in JSON.
    #[track_caller]
    pub(crate) fn assert_outage(&self, statuses: &[u16]) {
        assert!(statuses.contains(&self.status), "{} {}", self.status, self.text());
        assert!(self.header("retry-after").is_some(), "{}", self.head);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.json()["error"].is_string(), "{}", self.text());
    }
}
