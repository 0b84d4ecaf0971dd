//! The secret of a page, with the short code that people compare in front of it: so every terminal shows the code, be it
//! only in the address that it prints.

use sha2::{Digest as _, Sha256};

use crate::error::Result;
use crate::names::UrlSecret;

/// Letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code, with the hyphen in their middle.
const CODE: usize = 9;

pub(super) struct PageSecret(UrlSecret);

impl PageSecret {
    pub(super) fn random() -> Result<Self> {
        Ok(Self(UrlSecret::random()?))
    }

    /// Reads `CODE-SECRET`, where the two belong together.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (code, rest) = text.split_at_checked(CODE)?;
        let secret = Self(UrlSecret::parse(rest.strip_prefix('-')?)?);
        (secret.code() == code).then_some(secret)
    }

    pub(super) fn expose(&self) -> String {
        format!("{}-{}", self.code(), self.0.expose())
    }

    pub(super) fn digest(&self) -> [u8; 32] {
        self.0.digest()
    }

    /// Such as `BQKT-7F3M`: made from the secret, and telling nothing of it.
    pub(super) fn code(&self) -> String {
        let digest = Sha256::new().chain_update(b"compare").chain_update(self.digest()).finalize();
        let mut code: String =
            digest.iter().take(CODE - 1).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
        code.insert(CODE / 2, '-');
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_secret_belong_together() {
        let (one, two) = (PageSecret::random().unwrap(), PageSecret::random().unwrap());
        assert_eq!(PageSecret::parse(&one.expose()).unwrap().digest(), one.digest());
        assert_eq!(one.code().len(), CODE);
        assert_eq!(one.code().as_bytes()[4], b'-');
        assert!(PageSecret::parse(&format!("{}-{}", one.code(), two.0.expose())).is_none());
        for text in ["", "BQKT-7F3M", "BQKT-7F3M-", "é".repeat(30).as_str()] {
            assert!(PageSecret::parse(text).is_none(), "{text}");
        }
    }
}
