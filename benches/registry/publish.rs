//! Publishes as npm sends them: the document with its tarball inside.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha512};

/// One version to be published.
#[derive(Debug)]
pub(crate) struct Release<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) access: &'a str,
    /// Bytes of the tarball, about.
    pub(crate) bytes: usize,
    /// Whether the manifest is as long as those of real packages, about two kilobytes.
    pub(crate) rich: bool,
}

impl Release<'_> {
    /// The body of `PUT /{package}`.
    pub(crate) fn document(&self) -> anyhow::Result<Vec<u8>> {
        let manifest = self.manifest();
        let tarball = self.tarball(&manifest)?;
        let (name, version) = (self.name, self.version);
        let mut released = manifest;
        released["_id"] = json!(format!("{name}@{version}"));
        released["dist"] = json!({
            "integrity": format!("sha512-{}", STANDARD.encode(Sha512::digest(&tarball))),
            "shasum": hex(&Sha1::digest(&tarball)),
        });
        Ok(serde_json::to_vec(&json!({
            "_id": name,
            "name": name,
            "access": self.access,
            "dist-tags": { "latest": version },
            "versions": { version: released },
            "_attachments": { format!("{name}-{version}.tgz"): {
                "content_type": "application/octet-stream",
                "data": STANDARD.encode(&tarball),
                "length": tarball.len(),
            }},
        }))?)
    }

    fn manifest(&self) -> Value {
        let mut manifest = json!({
            "name": self.name,
            "version": self.version,
            "description": "A package to measure with",
            "license": "MIT",
            "main": "index.js",
        });
        if self.rich {
            let ranges = |word: &str| -> Value {
                (0..16).map(|number| (format!("{word}-number-{number}"), json!(format!("^{number}.4.2")))).collect()
            };
            manifest["keywords"] = json!(["measure", "weigh", "count", "compare", "print"]);
            manifest["homepage"] = json!("https://code.example/bench/many#readme");
            manifest["repository"] = json!({ "type": "git", "url": "git+https://code.example/bench/many.git" });
            manifest["engines"] = json!({ "node": ">=18" });
            manifest["scripts"] = json!({ "build": "tsc -p . && rollup -c", "lint": "eslint . --ext .ts" });
            manifest["dependencies"] = ranges("dependency");
            manifest["devDependencies"] = ranges("development-dependency");
            manifest["peerDependencies"] = json!({ "host-package": ">=2" });
        }
        manifest
    }

    /// An archive that does not compress, so that its size is what was asked for.
    fn tarball(&self, manifest: &Value) -> anyhow::Result<Vec<u8>> {
        let compressed = GzEncoder::new(Vec::with_capacity(self.bytes + 4096), Compression::none());
        let mut archive = tar::Builder::new(compressed);
        append(&mut archive, "package/package.json", &serde_json::to_vec_pretty(manifest)?)?;
        append(&mut archive, "package/index.js", b"module.exports = 1\n")?;
        append(&mut archive, "package/data.bin", &noise(self.bytes))?;
        Ok(archive.into_inner()?.finish()?)
    }
}

fn append(archive: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    Ok(archive.append_data(&mut header, path, bytes)?)
}

/// Bytes without a pattern, the same in every run (Marsaglia's xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
