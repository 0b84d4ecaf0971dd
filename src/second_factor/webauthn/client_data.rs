//! What the browser says that it was asked, by whom.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::error::Result;

use super::{base64url, refused};

/// The two things that a browser does with a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ceremony {
    Create,
    Get,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// The question that was answered, not held against anything yet.
pub(super) fn challenge_of(bytes: &[u8]) -> Result<Vec<u8>> {
    let said: ClientData = serde_json::from_slice(bytes).map_err(|_| refused("its client data cannot be read"))?;
    URL_SAFE_NO_PAD.decode(said.challenge).map_err(|_| refused("its client data cannot be read"))
}

/// Refuses the answer to another question, or to one that another page asked.
pub(super) fn check(bytes: &[u8], ceremony: Ceremony, challenge: &[u8], origin: &str) -> Result<()> {
    let said: ClientData = serde_json::from_slice(bytes).map_err(|_| refused("its client data cannot be read"))?;
    let kind = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if said.kind != kind {
        return Err(refused("it was made for something else"));
    }
    if said.challenge != base64url(challenge) {
        return Err(refused("it answers another question"));
    }
    if said.origin != origin || said.cross_origin {
        return Err(refused("it was made for another site"));
    }
    Ok(())
}
