//! What the authenticator itself says, and signs.

use sha2::{Digest as _, Sha256};

use crate::error::Result;

use super::{cose, refused};

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;
const AAGUID_BYTES: usize = 16;
const MOST_CREDENTIAL_BYTES: usize = 1023;

/// The fields of the binary form.
pub(super) struct AuthenticatorData {
    party_hash: [u8; 32],
    flags: u8,
    pub(super) sign_count: u32,
    /// Id and public key, where a key was just made.
    pub(super) credential: Option<(Vec<u8>, Vec<u8>)>,
}

impl AuthenticatorData {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let short = || refused("its data is cut off");
        let (party_hash, rest) = bytes.split_first_chunk::<32>().ok_or_else(short)?;
        let ([flags], rest) = rest.split_first_chunk::<1>().ok_or_else(short)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let credential = if flags & HAS_CREDENTIAL == 0 { None } else { Some(credential(rest)?) };
        Ok(Self { party_hash: *party_hash, flags: *flags, sign_count: u32::from_be_bytes(*count), credential })
    }

    /// Refuses what was made for another site, or without a touch.
    pub(super) fn check(&self, party: &str) -> Result<()> {
        if self.party_hash[..] != Sha256::digest(party)[..] {
            return Err(refused("it was made for another site"));
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(refused("nobody touched it"));
        }
        Ok(())
    }

    /// Whether the authenticator knew its user: by a finger, a face or a code of its own.
    pub(super) fn is_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }
}

fn credential(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let short = || refused("its key is cut off");
    let rest = bytes.get(AAGUID_BYTES..).ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > MOST_CREDENTIAL_BYTES {
        return Err(refused("its id has no allowed length"));
    }
    let (id, key) = rest.split_at_checked(length).ok_or_else(short)?;
    Ok((id.to_vec(), cose::public_key(key)?))
}
