//! Packages made by code, as npm 11 sends them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha512};

use super::client::Client;
use super::dice::Dice;

/// One version of a package, with the bytes of its tarball.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    /// `@scope/name`.
    pub(crate) name: String,
    /// The version number.
    pub(crate) version: String,
    /// The tarball.
    pub(crate) tarball: Vec<u8>,
    access: Option<&'static str>,
}

impl Release {
    /// A restricted version whose one file besides `package.json` holds `content`.
    pub(crate) fn new(name: &str, version: &str, content: &[u8]) -> Self {
        let tarball = pack(&package_json(name, version), content);
        Self { name: name.into(), version: version.into(), tarball, access: None }
    }

    /// The same, public.
    pub(crate) fn public(self) -> Self {
        Self { access: Some("public"), ..self }
    }

    /// The same with a tarball that the document does not describe: one to be refused.
    pub(crate) fn damaged(mut self) -> Self {
        self.tarball.truncate(self.tarball.len() - 9);
        self
    }

    /// Where its package's document is, and where it is published.
    pub(crate) fn packument_path(&self) -> String {
        format!("/{}", self.name.replace('/', "%2f"))
    }

    /// Where its tarball is.
    pub(crate) fn tarball_path(&self) -> String {
        let (_, plain) = self.name.split_once('/').expect("a scoped name");
        format!("/{}/-/{plain}-{}.tgz", self.name, self.version)
    }

    /// The SHA-512 of its tarball, as `dist.integrity` has it.
    pub(crate) fn integrity(&self) -> String {
        integrity(&self.tarball)
    }

    /// The body of the publish.
    pub(crate) fn document(&self) -> Vec<u8> {
        let file = format!("{}-{}.tgz", self.name, self.version);
        let mut manifest = package_json(&self.name, &self.version);
        manifest["_id"] = format!("{}@{}", self.name, self.version).into();
        manifest["dist"] = json!({
            "integrity": self.integrity(),
            "shasum": hexadecimal(&Sha1::digest(&self.tarball)),
            "tarball": format!("http://localhost/{}/-/{file}", self.name),
        });
        let attachment = json!({
            "content_type": "application/octet-stream",
            "data": STANDARD.encode(&self.tarball),
            "length": self.tarball.len(),
        });
        let document = json!({
            "_id": self.name,
            "name": self.name,
            "dist-tags": { "latest": self.version },
            "versions": { self.version.as_str(): manifest },
            "access": self.access,
            "_attachments": { file: attachment },
        });
        document.to_string().into_bytes()
    }

    /// Whether the package's document, as `reader` sees it, lists this version; it must then be these bytes.
    pub(crate) async fn is_listed(&self, reader: &Client) -> bool {
        let packument = reader.get(&self.packument_path()).await;
        packument.status == 200 && self.is_in(&packument.json())
    }

    /// Whether a package's document lists this version; it must then be these bytes.
    #[track_caller]
    pub(crate) fn is_in(&self, packument: &Value) -> bool {
        let entry = &packument["versions"][&self.version];
        if entry.is_object() {
            assert_eq!(entry["dist"]["integrity"], self.integrity(), "{}@{}", self.name, self.version);
        }
        entry.is_object()
    }

    /// Fails the test unless the tarball is served as it was published.
    pub(crate) async fn assert_served(&self, reader: &Client) {
        let reply = reader.get(&self.tarball_path()).await;
        assert_eq!(reply.status, 200, "{}: {}", self.tarball_path(), reply.text());
        assert_eq!(integrity(&reply.body), self.integrity(), "{}", self.tarball_path());
    }
}

/// What does not shrink when it is packed, the same for the same seed.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice::new(seed);
    std::iter::repeat_with(|| dice.roll().to_le_bytes()).flatten().take(length).collect()
}

fn package_json(name: &str, version: &str) -> Value {
    json!({ "name": name, "version": version, "main": "index.js" })
}

fn pack(package_json: &Value, content: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, bytes) in [("package.json", package_json.to_string().as_bytes()), ("index.js", content)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("package/{path}"), bytes).expect("an entry");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("a tarball")
}

fn integrity(bytes: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(Sha512::digest(bytes)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
