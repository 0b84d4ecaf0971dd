//! Security keys and passkeys: what a browser brings of them is checked here (W3C Web Authentication, level 2). Pure.
//!
//! ES256 only, which every authenticator knows, and no attestation: which maker a key has decides nothing here. Why not a
//! library: `docs/decisions/`.

mod authenticator_data;
mod client_data;
mod cose;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

use authenticator_data::AuthenticatorData;
use client_data::Ceremony;

pub(super) const CHALLENGE_BYTES: usize = 32;

/// Whom keys are made for: the host of the public URL, and the origin that its pages have.
#[derive(Debug, Clone)]
pub(super) struct RelyingParty {
    /// The host, by which keys are told apart.
    pub(super) id: String,
    /// Scheme, host and port, as browsers write them.
    origin: String,
}

/// A key that was just registered.
#[derive(Debug)]
pub(super) struct NewKey {
    pub(super) credential: Vec<u8>,
    /// SEC1, uncompressed.
    pub(super) public_key: Vec<u8>,
    pub(super) sign_count: u32,
    /// Whether it knows its user, and so is worth two factors.
    pub(super) verifies_user: bool,
}

/// What a signature that is right says of its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) sign_count: u32,
    pub(super) user_verified: bool,
}

/// A `RegistrationResponseJSON`, as far as it is looked at.
#[derive(Debug, Deserialize)]
pub struct Registration {
    response: AttestationResponse,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Binary,
    attestation_object: Binary,
}

/// An `AuthenticationResponseJSON`, as far as it is looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    raw_id: Binary,
    response: AssertionResponse,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Binary,
    authenticator_data: Binary,
    signature: Binary,
    user_handle: Option<Binary>,
}

/// Bytes in base64url without padding.
#[derive(Debug)]
struct Binary(Vec<u8>);

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

impl RelyingParty {
    /// Reads the public URL.
    pub(super) fn of(public_url: &str) -> Self {
        let (scheme, rest) = public_url.split_once("://").unwrap_or(("https", public_url));
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let default_port = if scheme == "https" { "443" } else { "80" };
        let shown = match host {
            Some((host, port)) if port == default_port => host,
            _ => authority,
        };
        let id = host.map_or(authority, |(host, _)| host).to_ascii_lowercase();
        Self { id, origin: format!("{scheme}://{}", shown.to_ascii_lowercase()) }
    }

    /// Checks what a browser brings of a new key.
    pub(super) fn check_registration(&self, brought: &Registration, challenge: &[u8]) -> Result<NewKey> {
        client_data::check(&brought.response.client_data.0, Ceremony::Create, challenge, &self.origin)?;
        let data = cose::authenticator_data_of(&brought.response.attestation_object.0)?;
        let data = AuthenticatorData::parse(&data)?;
        data.check(&self.id)?;
        let (sign_count, verifies_user) = (data.sign_count, data.is_verified());
        let (credential, public_key) = data.credential.ok_or_else(|| refused("it holds no key"))?;
        VerifyingKey::from_sec1_bytes(&public_key).map_err(|_| refused("its key is not a point of the curve"))?;
        Ok(NewKey { credential, public_key, sign_count, verifies_user })
    }

    /// Checks a signature by a key that is known.
    pub(super) fn check_assertion(
        &self,
        brought: &Assertion,
        challenge: &[u8],
        public_key: &[u8],
        known_count: u32,
    ) -> Result<Shown> {
        let response = &brought.response;
        client_data::check(&response.client_data.0, Ceremony::Get, challenge, &self.origin)?;
        let data = AuthenticatorData::parse(&response.authenticator_data.0)?;
        data.check(&self.id)?;
        let key = VerifyingKey::from_sec1_bytes(public_key).map_err(Error::internal)?;
        let signature = Signature::from_der(&response.signature.0).map_err(|_| refused("its signature is no ES256"))?;
        let signed = [&response.authenticator_data.0[..], &Sha256::digest(&response.client_data.0)[..]].concat();
        key.verify(&signed, &signature).map_err(|_| refused("its signature is wrong"))?;
        // A counter that does not grow is that of a copy; authenticators without one always say zero.
        let counts = data.sign_count != 0 || known_count != 0;
        if counts && data.sign_count <= known_count {
            return Err(refused("its counter went back, as that of a copied key does"));
        }
        Ok(Shown { sign_count: data.sign_count, user_verified: data.is_verified() })
    }
}

impl Registration {
    /// The question that it answers, by its own word.
    pub(super) fn challenge(&self) -> Result<Vec<u8>> {
        client_data::challenge_of(&self.response.client_data.0)
    }

    /// Reads what the form of a page carries.
    ///
    /// # Errors
    /// `Unprocessable` for what no browser sends.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| refused("it cannot be read"))
    }
}

impl Assertion {
    /// Reads what the form of a page carries.
    ///
    /// # Errors
    /// `Unprocessable` for what no browser sends.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| refused("it cannot be read"))
    }

    /// The question that it answers, by its own word.
    pub(super) fn challenge(&self) -> Result<Vec<u8>> {
        client_data::challenge_of(&self.response.client_data.0)
    }

    /// Whose key the authenticator says it is; only keys that it keeps itself have this.
    pub(super) fn user_handle(&self) -> Option<&[u8]> {
        self.response.user_handle.as_ref().map(|handle| &handle.0[..])
    }

    /// Which key the signature claims to be by.
    pub(super) fn credential(&self) -> &[u8] {
        &self.raw_id.0
    }
}

/// New bytes for an authenticator to sign.
pub(super) fn random_challenge() -> Result<[u8; CHALLENGE_BYTES]> {
    let mut challenge = [0; CHALLENGE_BYTES];
    getrandom::fill(&mut challenge).map_err(Error::internal)?;
    Ok(challenge)
}

/// Bytes as the JSON of the browser's interface has them.
pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn refused(why: &str) -> Error {
    Error::Unprocessable(format!("What the security key sent was refused: {why}. Try again.").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_party_is_the_host_and_the_origin_of_the_public_url() {
        for (url, id, origin) in [
            ("https://npm.example.com", "npm.example.com", "https://npm.example.com"),
            ("https://npm.example.com:443/registry", "npm.example.com", "https://npm.example.com"),
            ("http://localhost:4873", "localhost", "http://localhost:4873"),
        ] {
            let party = RelyingParty::of(url);
            assert_eq!((party.id.as_str(), party.origin.as_str()), (id, origin), "{url}");
        }
    }
}
