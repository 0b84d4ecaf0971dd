//! The packages that are published, and the answers that are asked for.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::publish::Release;
use crate::wire::Connection;

const FULL: &str = "application/json";
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

/// What was published, and the token of who did.
#[derive(Debug)]
pub(crate) struct Fixtures {
    pub(crate) token: String,
    pub(crate) publishes: u32,
    address: SocketAddr,
}

impl Fixtures {
    /// Makes an account and publishes: a public package of five versions, one of `many`, a restricted one, and tarballs
    /// of 20 kB and 5 MB.
    pub(crate) fn publish(address: SocketAddr, many: u32) -> anyhow::Result<Self> {
        let token = sign_up(address)?;
        let mut fixtures = Self { token, publishes: 0, address };
        for (name, access, versions, bytes, rich) in [
            ("@bench/small", "public", 5, 20_000, true),
            ("@bench/restricted", "restricted", 5, 20_000, true),
            ("@bench/heavy", "public", 1, 5_000_000, false),
            ("@bench/many", "public", many, 100, true),
        ] {
            for number in 0..versions {
                let version = format!("1.0.{number}");
                let release = Release { name, version: &version, access, bytes, rich };
                fixtures.send(&fixtures.request(&release)?)?;
                fixtures.publishes += 1;
            }
        }
        Ok(fixtures)
    }

    /// A publish of one tarball of `bytes`, ready to be sent.
    pub(crate) fn large_upload(&self, bytes: usize) -> anyhow::Result<Vec<u8>> {
        self.request(&Release { name: "@bench/huge", version: "1.0.0", access: "public", bytes, rich: false })
    }

    fn request(&self, release: &Release<'_>) -> anyhow::Result<Vec<u8>> {
        let path = format!("/{}", release.name.replace('/', "%2f"));
        Ok(put(&path, &format!("authorization: Bearer {}\r\n", self.token), &release.document()?))
    }

    /// Sends a publish, which has to succeed.
    pub(crate) fn send(&self, request: &[u8]) -> anyhow::Result<()> {
        exchange(self.address, request).map(drop)
    }

    /// Every answer that is measured.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let bearer = format!("authorization: Bearer {}\r\n", self.token);
        let asked = |name, path, accept, authorization: &str| Asked {
            name,
            path,
            headers: format!("accept: {accept}\r\naccept-encoding: gzip,deflate\r\n{authorization}"),
            conditional: false,
        };
        let small = "/@bench%2fsmall";
        vec![
            asked("packument", small, FULL, ""),
            asked("packument, abbreviated", small, ABBREVIATED, ""),
            Asked { conditional: true, ..asked("packument, not modified", small, ABBREVIATED, "") },
            asked("packument, restricted", "/@bench%2frestricted", ABBREVIATED, &bearer),
            asked("large packument, abbreviated", "/@bench%2fmany", ABBREVIATED, ""),
            asked("large packument, full", "/@bench%2fmany", FULL, ""),
            asked("tarball of 20 kB", "/@bench/small/-/small-1.0.0.tgz", "*/*", ""),
            asked("tarball of 20 kB, restricted", "/@bench/restricted/-/restricted-1.0.0.tgz", "*/*", &bearer),
            asked("tarball of 5 MB", "/@bench/heavy/-/heavy-1.0.0.tgz", "*/*", ""),
        ]
    }
}

/// One request that is measured.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    path: &'static str,
    headers: String,
    conditional: bool,
}

/// The same with an answer, from which nginx gets its file.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) request: Vec<u8>,
    pub(crate) nginx_request: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) is_gzip: bool,
    path: String,
}

impl Asked {
    /// Asks once, outside all measurements, and holds the answer against what is expected.
    pub(crate) fn sample(&self, address: SocketAddr) -> anyhow::Result<Sample> {
        let mut request = get(self.path, &self.headers);
        let (head, body) = exchange(address, &request)?;
        let is_packument = !self.path.contains("/-/");
        let is_gzip = head.header("content-encoding") == Some("gzip");
        ensure!(is_gzip == is_packument, "{} came without its encoding", self.path);
        let path = format!("{}.{}", self.path, self.name.replace([' ', ','], "-"));
        let mut nginx_request = get(&path, &self.headers);
        let mut status = 200;
        if self.conditional {
            let tag = head.header("etag").context("an answer without a validator")?;
            request = get(self.path, &format!("{}if-none-match: {tag}\r\n", self.headers));
            // nginx's own tag is not known before its file is; a date far ahead has it look at the file just the same.
            let date = "if-modified-since: Tue, 01 Jan 2999 00:00:00 GMT";
            nginx_request = get(&path, &format!("{}{date}\r\n", self.headers));
            status = 304;
        }
        Ok(Sample { name: self.name, request, nginx_request, status, body, is_gzip, path })
    }
}

impl Sample {
    /// Where nginx has the bytes; as long as strongroom's path and a few letters more.
    pub(crate) fn nginx_path(&self) -> &str {
        &self.path
    }
}

fn sign_up(address: SocketAddr) -> anyhow::Result<String> {
    let account = json!({ "name": "bench", "password": "a-Password-to-measure-with", "email": "bench@mail.example" });
    let request = put("/-/user/org.couchdb.user:bench", "", &serde_json::to_vec(&account)?);
    let (_, body) = exchange(address, &request)?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["token"].as_str().context("no token came back")?.to_owned())
}

fn exchange(address: SocketAddr, request: &[u8]) -> anyhow::Result<(crate::wire::Head, Vec<u8>)> {
    let mut connection = Connection::open(address)?;
    connection.send(request)?;
    let (head, body) = connection.receive()?;
    ensure!(head.status / 100 == 2, "{}{}", head.text, String::from_utf8_lossy(&body));
    Ok((head, body))
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}\r\n").into_bytes()
}

fn put(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}
