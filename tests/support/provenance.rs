//! Provenance bundles, made as Sigstore's clients make them, and signed by authorities of the tests' own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SigningKey as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::app::Package;

/// Who gives certificates to signers: a root, and an authority between.
pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    between: CertifiedIssuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key")
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Self {
        let root = CertifiedIssuer::self_signed(authority("root"), key()).expect("a root");
        let between = CertifiedIssuer::signed_by(authority("between"), key(), &root).expect("an authority");
        Self { root, between }
    }

    /// The root, PEM.
    pub(crate) fn root(&self) -> String {
        self.root.pem()
    }
}

/// A bundle in the making; each part may be spoilt before it is put together.
pub(crate) struct Bundle {
    /// What is signed.
    pub(crate) statement: Value,
    /// The type of what is signed.
    pub(crate) payload_type: String,
    /// The bundle's own type.
    pub(crate) media_type: String,
    /// The algorithm of the signer's key.
    pub(crate) algorithm: &'static rcgen::SignatureAlgorithm,
    /// Whether the signer's certificate is one for signing code.
    pub(crate) signs_code: bool,
}

impl Bundle {
    /// The provenance of a package's tarball.
    pub(crate) fn of(package: &Package) -> Self {
        let digest = strongroom::blobs::Digest::from_bytes(Sha512::digest(package.tarball()).into()).to_hex();
        let name = format!("pkg:npm/{}@{}", package.name.replace('@', "%40"), package.version);
        Self {
            statement: json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{ "name": name, "digest": { "sha512": digest } }],
                "predicateType": "https://slsa.dev/provenance/v1",
                "predicate": { "buildDefinition": { "buildType": "a test" } },
            }),
            payload_type: "application/vnd.in-toto+json".into(),
            media_type: "application/vnd.dev.sigstore.bundle.v0.3+json".into(),
            algorithm: &rcgen::PKCS_ECDSA_P256_SHA256,
            signs_code: true,
        }
    }

    /// Signs it with a certificate of this authority.
    pub(crate) fn signed_by(&self, authority: &Authority) -> Value {
        let signer = KeyPair::generate_for(self.algorithm).expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, "signer");
        if self.signs_code {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        }
        let certificate = params.signed_by(&signer, &authority.between).expect("a certificate");
        let payload = self.statement.to_string();
        let kind = &self.payload_type;
        let text = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        let signature = signer.sign(text.as_bytes()).expect("a signature");
        let raw = |der: &[u8]| json!({ "rawBytes": STANDARD.encode(der) });
        json!({
            "mediaType": self.media_type,
            "verificationMaterial": {
                "x509CertificateChain": { "certificates": [raw(certificate.der()), raw(authority.between.der())] },
                "tlogEntries": [{ "logIndex": "1", "integratedTime": "1767225600" }],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": self.payload_type,
                "signatures": [{ "sig": STANDARD.encode(signature), "keyid": "" }],
            },
        })
    }
}

/// The document that npm sends of a package with this bundle beside the tarball.
pub(crate) fn document_with(package: &Package, bundle: &str) -> Value {
    let mut document = package.document();
    document["_attachments"][format!("{}-{}.sigstore", package.name, package.version)] = json!({
        "content_type": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "data": bundle,
        "length": bundle.encode_utf16().count(),
    });
    document
}
