//! The secrets of a confirmation: of its page, of the terminal that waits, and the code that the terminal gets.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

const BYTES: usize = 32;

/// Tells a terminal's code from what people type.
const CODE_PREFIX: &str = "web_";

/// 256 random bits that stand in a URL.
pub(super) struct UrlSecret([u8; BYTES]);

impl UrlSecret {
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Reads what a terminal got from [`UrlSecret::expose_as_code`].
    pub(super) fn parse_code(text: &str) -> Option<Self> {
        Self::parse(text.trim().strip_prefix(CODE_PREFIX)?)
    }

    /// What is stored and looked up: looking up by hash leaves nothing to compare in secret-dependent time.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    pub(super) fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(super) fn expose_as_code(&self) -> String {
        format!("{CODE_PREFIX}{}", self.expose())
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
    fn a_secret_reads_back_and_a_code_is_not_a_secret_of_a_page() {
        let secret = UrlSecret::random().unwrap();
        assert_eq!(UrlSecret::parse(&secret.expose()).unwrap().digest(), secret.digest());
        assert_eq!(UrlSecret::parse_code(&secret.expose_as_code()).unwrap().digest(), secret.digest());
        assert!(UrlSecret::parse(&secret.expose_as_code()).is_none());
        assert!(UrlSecret::parse_code(&secret.expose()).is_none());
        assert!(UrlSecret::parse("").is_none() && UrlSecret::parse("AAAA").is_none());
    }
}
