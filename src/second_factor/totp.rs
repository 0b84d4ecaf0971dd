//! One-time codes by the clock (RFC 6238 with SHA-1, six digits, thirty seconds: what every authenticator app does).

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::clock::Time;
use crate::error::{Error, Result};

/// Seconds that a code is shown for.
const STEP_SECONDS: i64 = 30;

/// A code is good in the step before its own and in the one after: clocks differ, and people type slowly.
const DRIFT_STEPS: i64 = 1;

/// As long as the hash, as RFC 4226 asks.
const SEED_BYTES: usize = 20;

/// What the app and the registry share.
pub(super) struct Seed(Vec<u8>);

/// Six digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TotpCode(u32);

/// Which thirty seconds since 1970 a code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step(pub(super) i64);

impl Step {
    pub(super) fn at(now: Time) -> Self {
        Self(now.timestamp().div_euclid(STEP_SECONDS))
    }

    /// The steps whose codes are good now, likeliest first.
    fn good_at(now: Time) -> impl Iterator<Item = Self> {
        let Self(current) = Self::at(now);
        std::iter::once(current).chain((1..=DRIFT_STEPS).flat_map(move |far| [current - far, current + far])).map(Self)
    }

    /// The first step that is too old to matter, for what is remembered of used codes.
    pub(super) fn forgotten_at(now: Time) -> Self {
        Self(Self::at(now).0 - DRIFT_STEPS - 1)
    }
}

impl TotpCode {
    /// Reads six digits; blanks between them do not matter, since apps show the digits in groups.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|one| !one.is_whitespace()).collect();
        let well_formed = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        well_formed.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

impl Seed {
    /// A new one, from the operating system's randomness.
    pub(super) fn random() -> Result<Self> {
        let mut bytes = vec![0; SEED_BYTES];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    pub(super) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The step of which `code` is the code, among those that are good at `now`.
    pub(super) fn step_of(&self, code: TotpCode, now: Time) -> Option<Step> {
        // All are tried, whichever fits: the time tells nothing of the clock that the code was made by.
        let good = Step::good_at(now).filter(|step| self.code_at(*step) == code);
        good.reduce(|first, _| first)
    }

    /// The code of a step.
    fn code_at(&self, step: Step) -> TotpCode {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(&step.0.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[hash.len() - 1] & 15);
        let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
        TotpCode(word % 1_000_000)
    }

    /// What is typed by hand, in groups of four.
    pub(super) fn in_groups(&self) -> String {
        let text = base32(&self.0);
        let groups: Vec<&str> = (0..text.len()).step_by(4).map(|at| &text[at..text.len().min(at + 4)]).collect();
        groups.join(" ")
    }

    /// What an app scans.
    pub(super) fn otpauth_url(&self, issuer: &str, account: &str) -> String {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, UNSAFE).to_string();
        let issuer = encode(issuer);
        format!("otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}", encode(account), base32(&self.0))
    }
}

const UNSAFE: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// RFC 4648 base32 without padding, for lengths that need none.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let characters = (chunk.len() * 8).div_ceil(5);
        text.extend((0..characters).map(|at| char::from(ALPHABET[(bits >> (35 - 5 * at) & 31) as usize])));
    }
    text
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(seed)")
    }
}

impl std::fmt::Debug for TotpCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_char('*')
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn seed() -> Seed {
        Seed(b"12345678901234567890".to_vec())
    }

    fn at(seconds: i64) -> Time {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(seed().code_at(Step::at(at(seconds))), TotpCode::parse(code).unwrap(), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_before_and_after_its_own() {
        let code = seed().code_at(Step(100));
        for (now, good) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(seed().step_of(code, at(now * 30)).is_some(), good, "in step {now}");
        }
        assert!(Step::forgotten_at(at(102 * 30)) >= Step(100));
        assert!(Step::forgotten_at(at(101 * 30)) < Step(100));
    }

    #[test]
    fn six_digits_are_a_code_and_nothing_else_is() {
        assert_eq!(TotpCode::parse("123 456"), TotpCode::parse("123456"));
        for text in ["", "12345", "1234567", "12345a", "-12345", "+12345", "１２３４５６"] {
            assert!(TotpCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_app_can_read_the_url() {
        assert_eq!(
            seed().otpauth_url("npm.example.com", "ada"),
            "otpauth://totp/npm.example.com:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=npm.example.com"
        );
        assert_eq!(base32(b"foob"), "MZXW6YQ");
    }
}
