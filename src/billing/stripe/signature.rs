//! Who sent an event: `Stripe-Signature: t=1700000000,v1=…`, an HMAC-SHA256 of the time, a dot and the bytes of the body.

use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::Time;
use crate::config::Secret;

/// How old a signature may be, and how far ahead: a recorded event cannot be played again later.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// More than one signature comes while a secret is being changed for another.
const MOST_SIGNATURES: usize = 16;

/// A header, taken apart. Nothing is known of the sender until [`Signature::vouches_for`] says so.
#[derive(Debug)]
pub(in crate::billing) struct Signature {
    timestamp: i64,
    signatures: Vec<[u8; 32]>,
}

impl Signature {
    /// Reads the header; `None` where it has no time, or no signature in the scheme that is known here.
    pub(in crate::billing) fn parse(header: &str) -> Option<Self> {
        let mut timestamp = None;
        let mut signatures = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=')? {
                ("t", value) => timestamp = value.parse().ok(),
                ("v1", value) if signatures.len() < MOST_SIGNATURES => signatures.extend(digest(value)),
                _ => {}
            }
        }
        let timestamp = timestamp?;
        (!signatures.is_empty()).then_some(Self { timestamp, signatures })
    }

    /// Whether it was made a moment ago, by who knows the secret, over exactly these bytes.
    pub(in crate::billing) fn vouches_for(&self, body: &[u8], secret: &Secret, now: Time) -> bool {
        let age = now.timestamp().saturating_sub(self.timestamp).saturating_abs();
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else { return false };
        let mac = mac.chain_update(self.timestamp.to_string()).chain_update(b".").chain_update(body);
        // Each comparison takes the same time, whatever it finds.
        let matches = self.signatures.iter().filter(|signature| mac.clone().verify_slice(&signature[..]).is_ok());
        matches.count() > 0 && age <= TOLERANCE.num_seconds()
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    /// As `openssl dgst -sha256 -hmac whsec_test` signs `1700000000.` and the body.
    const SIGNED: &str = "c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

    fn vouches(header: &str, body: &[u8], secret: &str, at: i64) -> bool {
        let now = DateTime::from_timestamp(at, 0).unwrap();
        Signature::parse(header).is_some_and(|signature| signature.vouches_for(body, &Secret::new(secret), now))
    }

    #[test]
    fn only_the_secret_the_bytes_and_the_time_together_vouch() {
        let header = format!("t=1700000000,v1={SIGNED},v0=00");
        assert!(vouches(&header, BODY, "whsec_test", 1_700_000_000));
        assert!(vouches(&header, BODY, "whsec_test", 1_700_000_300));
        assert!(vouches(&header, BODY, "whsec_test", 1_699_999_700));
        assert!(!vouches(&header, BODY, "whsec_test", 1_700_000_301), "too old");
        assert!(!vouches(&header, BODY, "whsec_test", 1_699_999_699), "from the future");
        assert!(!vouches(&header, BODY, "whsec_other", 1_700_000_000), "another secret");
        assert!(!vouches(&header, br#"{"id": "evt_1"}"#, "whsec_test", 1_700_000_000), "other bytes");
        assert!(!vouches(&format!("t=1700000001,v1={SIGNED}"), BODY, "whsec_test", 1_700_000_000), "another time");
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let other = "0".repeat(64);
        assert!(vouches(&format!("t=1700000000,v1={other},v1={SIGNED}"), BODY, "whsec_test", 1_700_000_000));
        assert!(!vouches(&format!("t=1700000000,v1={other}"), BODY, "whsec_test", 1_700_000_000));
        assert!(!vouches(&format!("t=1700000000,v0={SIGNED}"), BODY, "whsec_test", 1_700_000_000), "another scheme");
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for header in [
            "",
            "t=",
            "t=x,v1=00",
            "v1=00",
            "t=1",
            "t=1,v1=",
            "t=1,v1=zz",
            "t=1,v1=00",
            "junk",
            "t=99999999999999999999",
        ] {
            assert!(Signature::parse(header).is_none(), "{header}");
        }
        assert!(!vouches(&format!("t={},v1={SIGNED}", i64::MIN), BODY, "whsec_test", 1_700_000_000));
    }
}
