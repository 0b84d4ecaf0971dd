//! Secrets that stand in URLs: of pages that confirm, of invitations, of forgotten passwords.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const BYTES: usize = 32;

/// 256 random bits that stand in a URL. Shown once, never stored, never printed by accident.
pub struct UrlSecret([u8; BYTES]);

impl UrlSecret {
    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// The system's, where it has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads what [`UrlSecret::expose`] gave; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What is stored and looked up: looking up by hash leaves nothing to compare in secret-dependent time.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The text, for the one URL that holds it.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl std::fmt::Debug for UrlSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_and_does_not_print_itself() {
        let secret = UrlSecret::random().unwrap();
        assert_eq!(UrlSecret::parse(&secret.expose()).unwrap().digest(), secret.digest());
        assert!(!format!("{secret:?}").contains(&secret.expose()));
        assert!(UrlSecret::parse("").is_none() && UrlSecret::parse("AAAA").is_none());
    }
}
