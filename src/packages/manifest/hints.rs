//! What a manifest's `dist` claims about the tarball, against what we have computed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{ManifestError, Object};

/// Checks `dist.integrity` and `dist.shasum`, if they are there; the rest of `dist` is ignored.
///
/// `integrity` is a list of hashes as subresource integrity has it. We know sha512 and sha1: at least one of these
/// must be in it, and each must be right.
///
/// # Errors
/// [`ManifestError::Dist`].
pub fn check_dist(manifest: &Object, sha512: &[u8; 64], sha1: &[u8; 20]) -> Result<(), ManifestError> {
    let Some(dist) = manifest.get("dist") else {
        return Ok(());
    };
    if let Some(integrity) = said(dist, "integrity")? {
        check_integrity(integrity, sha512, sha1).map_err(|reason| wrong("integrity", reason))?;
    }
    match said(dist, "shasum")? {
        Some(shasum) if !is_hex_of(shasum, sha1) => Err(wrong("shasum", DISAGREES)),
        _ => Ok(()),
    }
}

const DISAGREES: &str = "another tarball arrived than was announced";

fn wrong(field: &'static str, reason: &'static str) -> ManifestError {
    ManifestError::Dist { field, reason }
}

fn said<'a>(dist: &'a Value, field: &'static str) -> Result<Option<&'a str>, ManifestError> {
    match dist.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(field, "it is not a string")),
    }
}

fn check_integrity(integrity: &str, sha512: &[u8], sha1: &[u8]) -> Result<(), &'static str> {
    let mut is_known = false;
    for hash in integrity.split_ascii_whitespace() {
        let (hash, _options) = hash.split_once('?').unwrap_or((hash, ""));
        let (computed, digest) = match hash.split_once('-') {
            Some(("sha512", digest)) => (sha512, digest),
            Some(("sha1", digest)) => (sha1, digest),
            _ => continue,
        };
        if STANDARD.decode(digest).as_deref() != Ok(computed) {
            return Err(DISAGREES);
        }
        is_known = true;
    }
    if is_known { Ok(()) } else { Err("it holds neither a sha512 nor a sha1") }
}

fn is_hex_of(text: &str, bytes: &[u8]) -> bool {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let decoded = pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    rest.is_empty() && decoded.eq(bytes.iter().copied().map(Some))
}
