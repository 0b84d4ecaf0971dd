//! One ECDSA key on P-256.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey as _;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The bytes of a private key.
const SECRET_BYTES: usize = 32;

/// A key that signs. Has no `Debug` that could print its private half.
pub(super) struct Signer {
    /// How signatures name the key: `SHA256:` and the hash of its public half, as npm's own do.
    pub(super) key_id: String,
    /// The public half, DER `SubjectPublicKeyInfo`.
    pub(super) public: Vec<u8>,
    secret: SigningKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl Signer {
    /// A new key, from the system's randomness.
    pub(super) fn generate() -> Result<Self> {
        loop {
            let mut bytes = [0; SECRET_BYTES];
            getrandom::fill(&mut bytes).map_err(Error::internal)?;
            // One in four thousand million is no key on this curve.
            if let Ok(secret) = SigningKey::from_slice(&bytes) {
                return Self::new(secret);
            }
        }
    }

    /// The key with this private half.
    pub(super) fn from_secret(bytes: &[u8]) -> Result<Self> {
        Self::new(SigningKey::from_slice(bytes).map_err(Error::internal)?)
    }

    fn new(secret: SigningKey) -> Result<Self> {
        let public = secret.verifying_key().to_public_key_der().map_err(Error::internal)?.into_vec();
        let key_id = format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&public)));
        Ok(Self { key_id, public, secret })
    }

    /// The private half, for the vault alone.
    pub(super) fn secret(&self) -> [u8; SECRET_BYTES] {
        self.secret.to_bytes().into()
    }

    /// Signs a text: DER in base64, the form that clients check.
    pub(super) fn sign(&self, text: &str) -> String {
        let signature: DerSignature = self.secret.sign(text.as_bytes());
        STANDARD.encode(signature.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;
    use p256::pkcs8::DecodePublicKey as _;

    use super::*;

    #[test]
    fn a_key_comes_back_from_its_secret_and_its_signatures_verify() {
        let made = Signer::generate().unwrap();
        let again = Signer::from_secret(&made.secret()).unwrap();
        assert_eq!(made.key_id, again.key_id);
        let signature = DerSignature::from_bytes(&STANDARD.decode(again.sign("text")).unwrap()).unwrap();
        let public = VerifyingKey::from_public_key_der(&made.public).unwrap();
        assert!(public.verify(b"text", &signature).is_ok());
        assert!(public.verify(b"other text", &signature).is_err());
    }

    #[test]
    fn nothing_prints_the_private_half() {
        let key = Signer::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("Signer {{ key_id: {:?}, .. }}", key.key_id));
    }
}
