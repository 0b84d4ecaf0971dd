//! What the browser says that it was asked, by whom.

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
