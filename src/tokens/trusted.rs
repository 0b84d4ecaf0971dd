//! The trusted publisher behind a token that was exchanged for a token of some CI.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::db::{Change, Transaction};
use crate::error::{Error, Result};

use super::{NewToken, TokenSecret, Tokens, secret, store};

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

impl Tokens {
    /// Makes a token for a trusted publisher inside a caller's transaction; returns it with its key.
    ///
    /// # Errors
    /// The database's.
    pub async fn issue_trusted(
        &self,
        transaction: &mut Transaction,
        token: &NewToken,
        publisher: &TrustedPublisher,
    ) -> Result<(TokenSecret, String)> {
        let secret = TokenSecret::random()?;
        let key = secret::random_key()?;
        store::insert(transaction, token, &key, &secret, self.clock.now()).await?;
        let publisher = serde_json::to_value(publisher).map_err(Error::internal)?;
        store::set_trusted_publisher(transaction, &key, &publisher).await?;
        Ok((secret, key))
    }

    /// Ends all tokens that a configuration of trust has let in.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_trusted(&self, transaction: &mut Transaction, configuration: &str) -> Result<()> {
        for digest in store::revoke_trusted(transaction, configuration, self.clock.now()).await? {
            transaction.announce(Change::Token(digest.to_hex()));
        }
        Ok(())
    }
}
