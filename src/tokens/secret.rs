//! What a token looks like: `npm_`, 30 random characters, 6 characters of checksum.
//!
//! Clients treat tokens as opaque, but npm's log redaction knows this shape (`protocol.md` 1.4). The 30 characters carry
//! 178 random bits; the checksum is the CRC-32 of them, so that a mistyped or invented token never reaches the database.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

const PREFIX: &str = "npm_";
const RANDOM_CHARACTERS: usize = 30;
const CHECKSUM_CHARACTERS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token in clear. Shown once, never stored, never printed by accident.
pub struct TokenSecret(String);

impl TokenSecret {
    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// `Internal` where the system has no randomness.
    pub fn random() -> Result<Self> {
        let random = random_text(RANDOM_CHARACTERS)?;
        let checksum: String = checksum(&random).map(char::from).iter().collect();
        Ok(Self(format!("{PREFIX}{random}{checksum}")))
    }

    /// Reads a token from what a client sent; `None` where the shape or the checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(PREFIX)?;
        let well_formed = body.len() == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !well_formed {
            return None;
        }
        let (random, given) = body.split_at(RANDOM_CHARACTERS);
        (checksum(random) == given.as_bytes()).then(|| Self(text.to_owned()))
    }

    /// What is stored and looked up.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The first eight characters, by which its user recognises it.
    pub fn visible_prefix(&self) -> &str {
        &self.0[..8]
    }

    /// The token itself, for the one answer that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for TokenSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(token)")
    }
}

/// The SHA-256 of a token. Looking up by hash leaves nothing to compare in secret-dependent time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub(super) [u8; 32]);

impl TokenDigest {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Wraps the 32 bytes of a stored digest.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Lower-case hex.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads [`TokenDigest::to_hex`].
    pub fn from_hex(hex: &str) -> Option<Self> {
        Self::from_slice(&hex::decode(hex).ok()?)
    }
}

/// A public key for a token: 20 random characters, so that it tells neither order nor number.
pub(super) fn random_key() -> Result<String> {
    random_text(20)
}

fn random_text(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        // 248 is the largest multiple of 62 below 256: what lies above would favour the first characters.
        let fair = bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(fair.take(length - text.len()));
    }
    Ok(text)
}

fn checksum(random: &str) -> [u8; CHECKSUM_CHARACTERS] {
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut characters = [b'0'; CHECKSUM_CHARACTERS];
    for character in characters.iter_mut().rev() {
        *character = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    characters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_npms_shape_and_reads_back() {
        let secret = TokenSecret::random().unwrap();
        assert_eq!(secret.expose().len(), 40);
        assert!(secret.expose().starts_with("npm_"));
        let again = TokenSecret::parse(secret.expose()).unwrap();
        assert_eq!(again.digest(), secret.digest());
        assert_eq!(TokenDigest::from_hex(&secret.digest().to_hex()), Some(secret.digest()));
    }

    #[test]
    fn one_wrong_character_is_noticed_without_a_database() {
        let secret = TokenSecret::random().unwrap();
        for at in 4..40 {
            let mut bytes = secret.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            assert!(TokenSecret::parse(std::str::from_utf8(&bytes).unwrap()).is_none(), "at {at}");
        }
        for text in ["", "npm_", "npm_é", "Bearer", &"x".repeat(40)] {
            assert!(TokenSecret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_does_not_print_itself() {
        let secret = TokenSecret::random().unwrap();
        assert!(!format!("{secret:?}").contains(&secret.expose()[8..]));
    }
}
