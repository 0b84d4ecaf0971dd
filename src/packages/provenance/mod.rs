//! Provenance: what a Sigstore bundle says of the version that it comes with (`protocol.md` 7.7).
//!
//! Everything here works without a network. The bundle must speak of this package, this version and these bytes, and be
//! signed by the certificate that it carries. Whether somebody trustworthy gave out that certificate is asked of
//! [`TrustedRoots`], where the operator has configured any. The transparency log is not asked: clients do that.

mod bundle;
mod certificate;
mod error;

use serde::{Deserialize, Serialize};

use crate::blobs::Digest;
use crate::names::{PackageName, VersionNumber};
use crate::packages::json;

use bundle::{Bundle, Statement};
use certificate::Leaf;

pub use certificate::TrustedRoots;
pub(super) use error::ProvenanceError;

/// What the statement in a bundle must be of.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The kinds of provenance, all versions of one specification.
const PREDICATE_PREFIX: &str = "https://slsa.dev/provenance/";

/// A bundle that fits its version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Provenance {
    /// The bundle, as it came.
    pub bundle: String,
    /// Which kind of statement it holds.
    pub predicate_type: String,
}

/// The version that a bundle came with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) name: &'a PackageName,
    pub(super) version: &'a VersionNumber,
    /// The hash of the tarball, computed here.
    pub(super) sha512: &'a [u8; 64],
}

/// Checks a bundle against the version that it came with.
pub(super) fn check(text: String, subject: Subject<'_>, roots: &TrustedRoots) -> Result<Provenance, ProvenanceError> {
    json::check(text.as_bytes()).map_err(ProvenanceError::NotJson)?;
    let bundle: Bundle = serde_json::from_str(&text).map_err(ProvenanceError::NotABundle)?;
    bundle.check_media_type()?;
    let (envelope, signature) = bundle.envelope()?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(ProvenanceError::PayloadType);
    }
    let payload = bundle::bytes(&envelope.payload)?;
    json::check(&payload).map_err(ProvenanceError::NotJson)?;
    let statement: Statement = serde_json::from_slice(&payload).map_err(ProvenanceError::NotAStatement)?;
    check_statement(&statement, subject)?;
    let leaf = Leaf::read(&bundle.certificates()?)?;
    leaf.verify(&signed_text(&envelope.payload_type, &payload), &signature)?;
    leaf.check_trust(roots)?;
    Ok(Provenance { bundle: text, predicate_type: statement.predicate_type })
}

fn check_statement(statement: &Statement, subject: Subject<'_>) -> Result<(), ProvenanceError> {
    if !statement.kind.starts_with("https://in-toto.io/Statement/") {
        return Err(ProvenanceError::StatementType);
    }
    if !statement.predicate_type.starts_with(PREDICATE_PREFIX) || statement.predicate_type.contains(char::is_control) {
        return Err(ProvenanceError::PredicateType);
    }
    let [named] = statement.subject.as_slice() else { return Err(ProvenanceError::Subjects) };
    if named.name != package_url(subject.name, subject.version) {
        return Err(ProvenanceError::OtherPackage);
    }
    let expected = Digest::from_bytes(*subject.sha512).to_hex();
    if named.digest.get("sha512").is_none_or(|digest| *digest != expected) {
        return Err(ProvenanceError::OtherBytes);
    }
    Ok(())
}

/// The package URL of a version, the one spelling that npm compares with: of the scope's two marks only `@` is escaped.
fn package_url(name: &PackageName, version: &VersionNumber) -> String {
    format!("pkg:npm/{}@{version}", name.as_str().replacen('@', "%40", 1))
}

/// What a DSSE signature is made over (its "pre-authentication encoding").
fn signed_text(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}
