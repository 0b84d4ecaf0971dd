//! Packuments, stitched from stored text.
//!
//! A version's manifest is kept as JSON text without `dist`. Stitching puts the pieces side by side; no manifest is
//! taken apart again, but for the latest one, whose description the packument shows (`protocol.md` 2.4).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

use crate::blobs::integrity;
use crate::clock::{Time, to_npm_time};
use crate::error::{Error, Result};
use crate::names::PackageName;

use super::provenance::Provenance;
use super::store::{self, PackageRow, VersionRow};
use super::variants::{Encoding, Variants};

/// npm caps the README of a packument here.
const README_BYTES: usize = 64 * 1024;

/// Fields of the latest manifest that the packument shows at its top.
const HOISTED: [&str; 8] =
    ["description", "homepage", "keywords", "repository", "author", "contributors", "bugs", "license"];

/// The two forms of a packument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Everything (`protocol.md` 2.1).
    Full,
    /// What an install needs (`protocol.md` 2.2).
    Abbreviated,
}

/// A packument as bytes ready to send, with its validators.
#[derive(Debug)]
pub struct Document {
    /// When the package last changed.
    pub modified: Time,
    variants: Variants,
    etags: [Bytes; Encoding::ALL.len()],
}

impl Document {
    fn new(text: String, form: Form, modified: Time) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(text.as_bytes())[..18]);
        let etags = Encoding::ALL.map(|encoding| etag(form, &hash, encoding).into());
        Self { modified, variants: Variants::new(Bytes::from(text)), etags }
    }

    /// The strong validator of the document in this encoding, quotes included.
    pub fn etag(&self, encoding: Encoding) -> Bytes {
        self.etags[encoding as usize].clone()
    }

    /// The bytes in this encoding, if they were made before.
    pub fn encoded(&self, encoding: Encoding) -> Option<Bytes> {
        self.variants.get(encoding)
    }

    /// Encodes, and tells `made` how many bytes there are now more, if this call made them.
    pub(super) async fn encode(&self, encoding: Encoding, made: impl FnOnce(u64)) -> Result<Bytes> {
        self.variants.make(encoding, made).await
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.variants.identity().len() as u64
    }
}

/// A hash of the bytes, marked with the form and the encoding.
fn etag(form: Form, hash: &str, encoding: Encoding) -> String {
    let form = match form {
        Form::Full => "f",
        Form::Abbreviated => "a",
    };
    match encoding.token() {
        Some(encoding) => format!("\"{form}{hash}-{encoding}\""),
        None => format!("\"{form}{hash}\""),
    }
}

/// The `_rev` of a package at a revision: the number, and a hash that is another one for each package and revision.
pub fn rev_text(name: &PackageName, revision: i64) -> String {
    let hash = Sha256::digest(format!("{name}#{revision}"));
    format!("{revision}-{}", hex::encode(&hash[..16]))
}

/// Reads a `_rev` back to its revision; `None` where it is not one that this package ever had.
pub fn parse_rev(name: &PackageName, text: &str) -> Option<i64> {
    let revision = text.split_once('-')?.0.parse().ok()?;
    (rev_text(name, revision) == text).then_some(revision)
}

/// Loads a package and stitches one form of its packument.
pub(super) async fn load(
    pool: &PgPool,
    name: &PackageName,
    form: Form,
    public_url: &str,
    now: Time,
) -> Result<Document> {
    let loaded = store::load_packument(pool, name, form, now).await?;
    let (package, versions) = loaded.ok_or_else(|| Error::internal("a package vanished while it was read"))?;
    let stitch = move |name: PackageName, public_url: String| {
        let text =
            Stitcher { name: &name, package: &package, versions: &versions, public_url: &public_url }.stitch(form);
        Document::new(text, form, package.modified_at)
    };
    let (name, public_url) = (name.clone(), public_url.to_owned());
    tokio::task::spawn_blocking(move || stitch(name, public_url)).await.map_err(Error::internal)
}

struct Stitcher<'a> {
    name: &'a PackageName,
    package: &'a PackageRow,
    versions: &'a [VersionRow],
    public_url: &'a str,
}

impl Stitcher<'_> {
    fn stitch(&self, form: Form) -> String {
        let expected: usize = self.versions.iter().map(|row| row.manifest.len() + 900).sum();
        let mut out = String::with_capacity(expected + 4096);
        out.push('{');
        match form {
            Form::Full => self.full_head(&mut out),
            Form::Abbreviated => {
                member(&mut out, "name", &json_text(self.name.as_str()));
                member(&mut out, "modified", &json_text(&to_npm_time(self.package.modified_at)));
            }
        }
        member(&mut out, "dist-tags", &self.dist_tags());
        member(&mut out, "time", &self.time());
        self.push_versions(&mut out);
        if form == Form::Full {
            self.full_tail(&mut out);
        }
        out.push('}');
        out
    }

    fn full_head(&self, out: &mut String) {
        member(out, "_id", &json_text(self.name.as_str()));
        member(out, "_rev", &json_text(&rev_text(self.name, self.package.revision)));
        member(out, "name", &json_text(self.name.as_str()));
        let latest = self.package.latest_manifest.as_deref().unwrap_or("{}");
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(latest).unwrap_or_default();
        for field in HOISTED {
            if let Some(value) = fields.get(field) {
                member(out, field, value.get());
            }
        }
    }

    fn full_tail(&self, out: &mut String) {
        let maintainers: Vec<String> = self.package.maintainers.iter().map(|name| person(name)).collect();
        member(out, "maintainers", &format!("[{}]", maintainers.join(",")));
        let users = self.package.users.iter().map(|name| (name.as_str(), "true".to_owned()));
        member(out, "users", &object(users));
        let readme = self.package.readme.as_deref().unwrap_or("");
        let end = readme.floor_char_boundary(README_BYTES);
        member(out, "readme", &json_text(&readme[..end]));
        member(out, "readmeFilename", &json_text(self.package.readme_file.as_deref().unwrap_or("")));
        member(out, "_attachments", "{}");
    }

    fn dist_tags(&self) -> String {
        let pairs = self.package.tags.iter().zip(&self.package.tagged_versions);
        object(pairs.map(|(tag, version)| (tag.as_str(), json_text(version))))
    }

    fn time(&self) -> String {
        let created = ("created", json_text(&to_npm_time(self.package.created_at)));
        let modified = ("modified", json_text(&to_npm_time(self.package.modified_at)));
        let versions =
            self.versions.iter().map(|row| (row.version.as_str(), json_text(&to_npm_time(row.published_at))));
        object([created, modified].into_iter().chain(versions))
    }

    fn push_versions(&self, out: &mut String) {
        member(out, "versions", "{");
        for (at, row) in self.versions.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(&json_text(&row.version));
            out.push(':');
            push_version(out, self.name, row, self.public_url);
        }
        out.push('}');
    }
}

/// One version's manifest with its `dist`.
pub(super) fn version_text(name: &PackageName, row: &VersionRow, public_url: &str) -> String {
    let mut out = String::with_capacity(row.manifest.len() + 900);
    push_version(&mut out, name, row, public_url);
    out
}

/// The text of a JSON object with more members at its end.
pub(super) fn with_members(text: &str, members: &[(&str, &str)]) -> String {
    let mut out = String::from(open_end(text));
    for (key, value) in members {
        member(&mut out, key, value);
    }
    out.push('}');
    out
}

/// The text of a JSON object without its last brace.
fn open_end(text: &str) -> &str {
    text.trim_end().strip_suffix('}').unwrap_or("{")
}

fn push_version(out: &mut String, name: &PackageName, row: &VersionRow, public_url: &str) {
    out.push_str(open_end(&row.manifest));
    if let Some(message) = &row.deprecated {
        member(out, "deprecated", &json_text(message));
    }
    member(out, "dist", &dist(name, row, public_url));
    out.push('}');
}

/// `dist` is all ours: nothing in it comes from the client (`security.md` 1.5).
fn dist(name: &PackageName, row: &VersionRow, public_url: &str) -> String {
    let file = format!("{}-{}.tgz", name.unscoped(), row.version);
    let mut dist = object([
        ("tarball", json_text(&format!("{public_url}/{name}/-/{file}"))),
        ("integrity", json_text(&integrity(&row.sha512))),
        ("shasum", json_text(&hex::encode(&row.sha1))),
        ("fileCount", row.file_count.to_string()),
        ("unpackedSize", row.unpacked_bytes.to_string()),
        ("signatures", signatures(row)),
    ]);
    if let Some(predicate_type) = &row.provenance_type {
        dist.truncate(dist.len() - 1);
        member(&mut dist, "attestations", &attestations(name, &row.version, predicate_type, public_url));
        dist.push('}');
    }
    dist
}

/// What the registry says of the version with each key that it ever signed it with (`protocol.md` 7.3).
fn signatures(row: &VersionRow) -> String {
    let pairs = row.key_ids.iter().zip(&row.signatures);
    let signed = pairs.map(|(key, signature)| object([("keyid", json_text(key)), ("sig", json_text(signature))]));
    format!("[{}]", signed.collect::<Vec<_>>().join(","))
}

/// Where the provenance is, and of what kind (`protocol.md` 7.7).
fn attestations(name: &PackageName, version: &str, predicate_type: &str, public_url: &str) -> String {
    let escaped = name.as_str().replace('/', "%2f");
    object([
        ("url", json_text(&format!("{public_url}/-/npm/v1/attestations/{escaped}@{version}"))),
        ("provenance", object([("predicateType", json_text(predicate_type))])),
    ])
}

/// The list that `dist.attestations.url` leads to; the bundle goes out as it came in.
pub(super) fn attestations_text(provenance: &Provenance) -> String {
    let Provenance { bundle, predicate_type } = provenance;
    let one = object([("predicateType", json_text(predicate_type)), ("bundle", bundle.clone())]);
    object([("attestations", format!("[{one}]"))])
}

/// A person as npm's lists have them. The address stays with its owner: the packument is the same for every reader, and
/// clients need only that the member is there (`protocol.md` 5.3).
pub(super) fn person(name: &str) -> String {
    object([("name", json_text(name)), ("email", json_text(""))])
}

fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut out = String::from("{");
    for (key, value) in members {
        member(&mut out, key, &value);
    }
    out.push('}');
    out
}

/// Appends `"key":value`, with a comma where something stands before it.
fn member(out: &mut String, key: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&json_text(key));
    out.push(':');
    out.push_str(value);
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rev_reads_back_only_for_its_own_package() {
        let (one, two) = ("@a/one".parse().unwrap(), "@a/two".parse().unwrap());
        let rev = rev_text(&one, 7);
        assert_eq!(parse_rev(&one, &rev), Some(7));
        assert_eq!(parse_rev(&two, &rev), None);
        for text in ["", "7", "7-", "x-1", "undefined"] {
            assert_eq!(parse_rev(&one, text), None, "{text}");
        }
    }
}
