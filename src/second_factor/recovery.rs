//! Recovery codes: what gets somebody in who has lost their phone or key. Each works once.

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// How many an account has (`protocol.md` 5.6).
pub(super) const CODES: usize = 5;

const BYTES: usize = 32;

/// 256 random bits as 64 hex digits: the one form beside six digits that npm's prompt lets through. With so many bits a
/// plain hash is as good as a slow one, and guessing needs no throttle.
pub(super) struct RecoveryCode([u8; BYTES]);

impl RecoveryCode {
    pub(super) fn random() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    /// Reads 64 hex digits; blanks between them do not matter.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|one| !one.is_whitespace()).collect();
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// What is stored and looked up.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The code itself, for the one answer that shows it.
    pub(super) fn expose(&self) -> String {
        hex::encode(self.0)
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(recovery code)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_what_npms_prompt_takes_and_reads_back() {
        let code = RecoveryCode::random().unwrap();
        let text = code.expose();
        assert!(text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let spaced = format!(" {} {}", &text[..30], text[30..].to_uppercase());
        assert_eq!(RecoveryCode::parse(&spaced).unwrap().digest(), code.digest());
        for wrong in ["", "123456", &text[1..], &format!("{text}0"), &text.replace(&text[..1], "g")] {
            assert!(RecoveryCode::parse(wrong).is_none(), "{wrong}");
        }
    }
}
