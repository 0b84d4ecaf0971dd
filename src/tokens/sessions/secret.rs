//! What the cookie of a session holds: 256 random bits in a shape that no token has.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

use super::super::TokenDigest;

const BYTES: usize = 32;

/// The secret of a session: given to one browser, never stored, never printed by accident.
#[derive(Clone)]
pub struct SessionSecret([u8; BYTES]);

impl SessionSecret {
    /// A new one, from the operating system's randomness.
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    /// Reads what a cookie holds.
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What is stored and looked up.
    pub(super) fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0).into())
    }

    /// What the cookie holds.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// A code that only who holds the secret can make, for one purpose: what forms carry, and what vouches for a notice.
    pub fn code_for(&self, purpose: &str) -> [u8; 32] {
        self.mac(purpose).finalize().into_bytes().into()
    }

    /// Whether `code` is [`SessionSecret::code_for`] that purpose, in constant time.
    pub fn vouches_for(&self, purpose: &str, code: &[u8]) -> bool {
        self.mac(purpose).verify_slice(code).is_ok()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn mac(&self, purpose: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(purpose.as_bytes());
        mac
    }
}

impl std::fmt::Debug for SessionSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(session)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::TokenSecret;

    #[test]
    fn a_session_reads_back_and_is_no_token_nor_a_token_a_session() {
        let secret = SessionSecret::random().unwrap();
        assert_eq!(SessionSecret::parse(&secret.expose()).unwrap().digest(), secret.digest());
        assert!(TokenSecret::parse(&secret.expose()).is_none());
        assert!(SessionSecret::parse(TokenSecret::random().unwrap().expose()).is_none());
    }

    #[test]
    fn a_code_is_good_for_one_purpose_of_one_session() {
        let (one, other) = (SessionSecret::random().unwrap(), SessionSecret::random().unwrap());
        let code = one.code_for("form");
        assert!(one.vouches_for("form", &code));
        assert!(
            !one.vouches_for("notice", &code) && !other.vouches_for("form", &code) && !one.vouches_for("form", b"")
        );
    }
}
