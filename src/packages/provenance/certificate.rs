//! The certificate of a signer, and those that may stand behind it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::pkcs8::DecodePublicKey as _;
use sha2::{Digest as _, Sha256, Sha384};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};

use super::error::ProvenanceError;

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

/// How many certificates may stand between a signer's and a trusted one.
const LONGEST_CHAIN: usize = 4;

/// The authorities whose certificates count. Without any, whoever signed is not asked about.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoots(Arc<[Certificate]>);

impl TrustedRoots {
    /// Reads certificates, PEM, from a file.
    ///
    /// # Errors
    /// The file system's; `InvalidData` where the file holds no certificate or something else beside.
    pub fn read(path: &Path) -> io::Result<Self> {
        let wrong = |cause: String| {
            let sentence = format!("provenance.trusted_roots: {} {cause}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, sentence)
        };
        let bytes = std::fs::read(path).map_err(|cause| wrong(format!("cannot be read: {cause}")))?;
        let roots = Certificate::load_pem_chain(&bytes)
            .map_err(|cause| wrong(format!("holds something else than certificates: {cause}")))?;
        if roots.is_empty() {
            return Err(wrong("holds no certificate".into()));
        }
        Ok(Self(roots.into()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The certificate of a signer, with those that came with it.
pub(super) struct Leaf {
    certificate: Certificate,
    others: Vec<Certificate>,
}

impl Leaf {
    pub(super) fn read(certificates: &[Vec<u8>]) -> Result<Self, ProvenanceError> {
        let (first, others) = certificates.split_first().ok_or(ProvenanceError::NoCertificate)?;
        let read = |der: &Vec<u8>| Certificate::from_der(der).map_err(|_| ProvenanceError::Certificate);
        let others = others.iter().take(LONGEST_CHAIN).map(read).collect::<Result<_, _>>()?;
        Ok(Self { certificate: read(first)?, others })
    }

    /// Whether the signer signed this text.
    pub(super) fn verify(&self, text: &[u8], signature: &[u8]) -> Result<(), ProvenanceError> {
        let key = PublicKey::of(&self.certificate)?;
        let hash = match key {
            PublicKey::P256(_) => Sha256::digest(text).to_vec(),
            PublicKey::P384(_) => Sha384::digest(text).to_vec(),
        };
        key.verify(&hash, signature).then_some(()).ok_or(ProvenanceError::Signature)
    }

    /// Whether one of the trusted roots stands behind the signer, directly or through what came with it. The validity
    /// in time is that of the log's word, which is not checked here: these certificates live for minutes.
    pub(super) fn check_trust(&self, roots: &TrustedRoots) -> Result<(), ProvenanceError> {
        if roots.is_empty() {
            return Ok(());
        }
        if !may_sign_code(&self.certificate) {
            return Err(ProvenanceError::Untrusted);
        }
        let mut present = &self.certificate;
        for _ in 0..=LONGEST_CHAIN {
            if roots.0.iter().any(|root| issued(root, present)) {
                return Ok(());
            }
            let between = self.others.iter().find(|other| is_authority(other) && issued(other, present));
            present = between.ok_or(ProvenanceError::Untrusted)?;
        }
        Err(ProvenanceError::Untrusted)
    }
}

fn may_sign_code(certificate: &Certificate) -> bool {
    let usage = certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>();
    usage.is_ok_and(|usage| usage.is_some_and(|(_, usage)| usage.0.contains(&CODE_SIGNING)))
}

fn is_authority(certificate: &Certificate) -> bool {
    let constraints = certificate.tbs_certificate().get_extension::<BasicConstraints>();
    constraints.is_ok_and(|constraints| constraints.is_some_and(|(_, constraints)| constraints.ca))
}

/// Whether `issuer` gave out `certificate`.
fn issued(issuer: &Certificate, certificate: &Certificate) -> bool {
    if issuer.tbs_certificate().subject() != certificate.tbs_certificate().issuer() {
        return false;
    }
    let Ok(text) = certificate.tbs_certificate().to_der() else { return false };
    let hash = match certificate.signature_algorithm().oid {
        ECDSA_WITH_SHA256 => Sha256::digest(&text).to_vec(),
        ECDSA_WITH_SHA384 => Sha384::digest(&text).to_vec(),
        _ => return false,
    };
    let signature = certificate.signature().raw_bytes();
    PublicKey::of(issuer).is_ok_and(|key| key.verify(&hash, signature))
}

/// The key in a certificate.
enum PublicKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
}

impl PublicKey {
    fn of(certificate: &Certificate) -> Result<Self, ProvenanceError> {
        let info = certificate.tbs_certificate().subject_public_key_info();
        let der = info.to_der().map_err(|_| ProvenanceError::Certificate)?;
        let p256 = p256::ecdsa::VerifyingKey::from_public_key_der(&der).map(Self::P256);
        p256.or_else(|_| p384::ecdsa::VerifyingKey::from_public_key_der(&der).map(Self::P384))
            .map_err(|_| ProvenanceError::KeyKind)
    }

    fn verify(&self, hash: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P256(key) => p256::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
        }
    }
}
