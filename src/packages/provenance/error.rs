use crate::packages::json;

/// Why a bundle was refused; completes "its provenance …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvenanceError {
    #[error("is not JSON: {0}")]
    NotJson(json::Malformed),
    #[error("is not a Sigstore bundle: {0}")]
    NotABundle(serde_json::Error),
    #[error("is a Sigstore bundle of a version that is not known here")]
    MediaType,
    #[error("holds no signed statement, or one with more or fewer signatures than one")]
    Envelope,
    #[error("names a key of this registry as its signer, instead of a certificate")]
    Keyed,
    #[error("holds text that is not base64")]
    Base64,
    #[error("holds no certificate")]
    NoCertificate,
    #[error("holds a certificate that cannot be read")]
    Certificate,
    #[error("is signed with a key of a kind that is not checked here: neither P-256 nor P-384")]
    KeyKind,
    #[error("is not signed by the certificate that it holds")]
    Signature,
    #[error("holds a certificate that no trusted root stands behind")]
    Untrusted,
    #[error("holds something else than an in-toto statement")]
    PayloadType,
    #[error("holds a statement that cannot be read: {0}")]
    NotAStatement(serde_json::Error),
    #[error("holds a statement of a type that is not known here")]
    StatementType,
    #[error("states something else than SLSA provenance")]
    PredicateType,
    #[error("speaks of more or fewer subjects than one")]
    Subjects,
    #[error("speaks of another package or version")]
    OtherPackage,
    #[error("speaks of another tarball: its SHA-512 is not that of the one published")]
    OtherBytes,
}
