//! Who is asking.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::error::{Error, Result};
use crate::policy::{AccountFacts, Actor, Lack};
use crate::tokens::Tokens;

use super::address::ClientAddress;

/// Who makes the request. No credential makes [`Actor::Anonymous`], a bad one [`Actor::Dead`]; never an `Option`.
///
/// Where the credential cannot be checked because the database does not answer, [`CurrentActor::known`] is that error:
/// an outage is never a 401, and what anyone may read is served in spite of it.
#[derive(Debug)]
pub struct CurrentActor(Result<Actor>);

impl CurrentActor {
    /// The actor.
    ///
    /// # Errors
    /// `Unavailable` where the credential cannot be checked right now.
    pub fn known(self) -> Result<Actor> {
        self.0
    }
}

/// The state of a router whose requests are made by actors; all that the extractor needs to know of the application.
pub trait HoldsTokens {
    /// The room that tells who shows a credential.
    fn tokens(&self) -> &Tokens;
}

impl<S: HoldsTokens + Sync> FromRequestParts<S> for CurrentActor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        Ok(Self(match credential(&parts.headers) {
            Credential::None => Ok(Actor::Anonymous),
            Credential::Unreadable => Ok(Actor::Dead),
            Credential::Token(text) => state.tokens().authenticate(&text, address).await,
        }))
    }
}

/// The account behind a request that needs one and concerns no package.
///
/// # Errors
/// `Unauthenticated`, `DeadCredential`, or `Forbidden` from a network that the token may not be used from.
pub fn require_account(actor: &Actor) -> Result<&Arc<AccountFacts>> {
    match actor {
        Actor::User(principal) if principal.narrowing.allows_address(principal.address) => Ok(&principal.account),
        Actor::User(_) => Err(Error::Lacking {
            lack: Lack::Network,
            sentence: "This token may not be used from your network address. Use one that may, or ask who made it."
                .into(),
            ask: None,
        }),
        Actor::Dead => Err(Error::DeadCredential),
        Actor::Anonymous | Actor::Operator => {
            Err(Error::Unauthenticated("You are not logged in. Run npm login first.".into()))
        }
    }
}

enum Credential {
    None,
    Unreadable,
    Token(String),
}

/// Reads `Authorization`. `Bearer` carries a token; `Basic` carries one in the place of the password, which costs no
/// password hash. The scheme's case and surrounding blanks do not matter (`protocol.md` 1.4).
fn credential(headers: &HeaderMap) -> Credential {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(AUTHORIZATION) { Credential::Unreadable } else { Credential::None };
    };
    let Ok(text) = value.to_str() else { return Credential::Unreadable };
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credential::Token(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return basic_password(rest).map_or(Credential::Unreadable, Credential::Token);
    }
    Credential::Unreadable
}

fn basic_password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    decoded.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        match credential(&headers) {
            Credential::Token(text) => Some(text),
            Credential::None | Credential::Unreadable => None,
        }
    }

    #[test]
    fn bearer_and_basic_lead_to_the_same_token() {
        assert_eq!(read("Bearer npm_x").as_deref(), Some("npm_x"));
        assert_eq!(read("bearer   npm_x ").as_deref(), Some("npm_x"));
        // alice:npm_x:y — only the first colon splits.
        assert_eq!(read("Basic YWxpY2U6bnBtX3g6eQ==").as_deref(), Some("npm_x:y"));
        assert_eq!(read("Basic !!"), None);
        assert_eq!(read("Digest x"), None);
    }
}
