//! The trusted publisher behind a token that was exchanged for a token of some CI.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Who published without being anybody's account: recorded with the token, and with what it publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedPublisher {
    /// The configuration that let them in.
    pub id: String,
    /// npm's word for the kind of CI: `github`, `gitlab`, `circleci`; `oidc` for others.
    pub kind: String,
    /// The CI in words.
    pub title: String,
    /// Who signed the token.
    pub issuer: String,
    /// What the token said, of the claims that were looked at.
    pub claims: Map<String, Value>,
}

impl TrustedPublisher {
    /// `_npmUser` of a version, from which pnpm tells how well a version's publisher is known.
    pub fn as_npm_user(&self) -> Value {
        json!({
            "name": self.title,
            "email": "",
            "trustedPublisher": { "id": self.kind, "oidcConfigId": format!("oidc:{}", self.id) },
        })
    }
}
