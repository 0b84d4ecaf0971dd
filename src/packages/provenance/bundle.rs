//! The shape of a Sigstore bundle, as far as it is looked at. Its other members are kept and passed on.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::error::ProvenanceError;

/// The media types of bundles: the old spelling carries the version as a parameter.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Debug, Deserialize)]
struct Material {
    certificate: Option<RawCertificate>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<Chain>,
}

#[derive(Debug, Deserialize)]
struct Chain {
    certificates: Vec<RawCertificate>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: String,
}

/// The signed statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    pub(super) payload: String,
    pub(super) payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Deserialize)]
struct Signature {
    sig: String,
    #[serde(default)]
    keyid: Option<String>,
}

/// The statement itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Statement {
    #[serde(rename = "_type")]
    pub(super) kind: String,
    pub(super) subject: Vec<NamedSubject>,
    pub(super) predicate_type: String,
}

/// What a statement is about.
#[derive(Debug, Deserialize)]
pub(super) struct NamedSubject {
    pub(super) name: String,
    pub(super) digest: HashMap<String, String>,
}

impl Bundle {
    pub(super) fn check_media_type(&self) -> Result<(), ProvenanceError> {
        MEDIA_TYPES.contains(&self.media_type.as_str()).then_some(()).ok_or(ProvenanceError::MediaType)
    }

    /// The envelope and its one signature. One that names a key is the word of a registry, which is ours to give; npm
    /// would look for the key among those of the registry and fail.
    pub(super) fn envelope(&self) -> Result<(&Envelope, Vec<u8>), ProvenanceError> {
        let envelope = self.dsse_envelope.as_ref().ok_or(ProvenanceError::Envelope)?;
        let [signature] = envelope.signatures.as_slice() else { return Err(ProvenanceError::Envelope) };
        if signature.keyid.as_deref().is_some_and(|key| !key.is_empty()) {
            return Err(ProvenanceError::Keyed);
        }
        Ok((envelope, bytes(&signature.sig)?))
    }

    /// The certificates, DER, the signer's first.
    pub(super) fn certificates(&self) -> Result<Vec<Vec<u8>>, ProvenanceError> {
        let of_chain = self.verification_material.chain.iter().flat_map(|chain| &chain.certificates);
        let raw = self.verification_material.certificate.iter().chain(of_chain);
        raw.map(|certificate| bytes(&certificate.raw_bytes)).collect()
    }
}

/// The bytes behind a member of a bundle.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, ProvenanceError> {
    STANDARD.decode(text).map_err(|_| ProvenanceError::Base64)
}
