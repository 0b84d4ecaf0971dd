//! Who is asking.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};

use crate::error::{Error, Result, WRONG_NETWORK};
use crate::policy::{AccountFacts, Actor, Lack, Offer, Principal};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;

use super::address::ClientAddress;
use super::credential::{Credential, credential, offer};
use super::throttle::Throttle;

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

/// What a request without a credential offers as a second factor: a login's.
#[derive(Debug)]
pub struct CurrentOffer(pub Offer);

/// The state of a router whose requests are made by actors; all that the extractor needs to know of the application.
pub trait HoldsTokens {
    /// The room that tells who shows a credential.
    fn tokens(&self) -> &Tokens;
    /// The room that tells whether a second factor is right.
    fn second_factor(&self) -> &SecondFactor;
    /// What counts attempts with passwords.
    fn throttle(&self) -> &Throttle;
}

impl<S: HoldsTokens + Sync> FromRequestParts<S> for CurrentActor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, state).await?;
        Ok(Self(match credential(&parts.headers) {
            Credential::None => Ok(Actor::Anonymous),
            Credential::Unreadable => Ok(Actor::Dead),
            Credential::Token(text) => {
                let actor = state.tokens().authenticate(&text, address).await;
                actor.map(|actor| with_offer(actor, &parts.headers))
            }
            // On the heap: what few clients still send shall not weigh on every request.
            Credential::Password { name, password } => {
                Box::pin(by_password(parts, state, &name, &password, address)).await
            }
        }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentOffer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(offer(&parts.headers)))
    }
}

fn with_offer(mut actor: Actor, headers: &HeaderMap) -> Actor {
    if let Actor::User(principal) = &mut actor {
        principal.offer = offer(headers);
    }
    actor
}

/// A password is a login that comes with every request. An account with a second factor is asked for it each time, which
/// no install can answer: so there its password reads as much as nobody, and a change says what is missing.
async fn by_password(
    parts: &Parts,
    state: &impl HoldsTokens,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<Actor> {
    let attempt = |account: &_| state.throttle().attempt(account, address);
    let actor = state.tokens().authenticate_password(name, password, address, attempt).await?;
    let actor = with_offer(actor, &parts.headers);
    match &actor {
        Actor::User(principal) if principal.account.second_factor.is_some() => {
            confirmed_password(state, principal, &parts.method).await
        }
        _ => Ok(actor),
    }
}

async fn confirmed_password(state: &impl HoldsTokens, principal: &Principal, method: &Method) -> Result<Actor> {
    if principal.offer.code.is_none() && method.is_safe() {
        return Ok(Actor::Dead);
    }
    state.second_factor().confirm_password(principal).await
}

/// The account behind a request that needs one and concerns no package.
///
/// # Errors
/// `Unauthenticated`, `DeadCredential`, or `Forbidden` from a network that the token may not be used from.
pub fn require_account(actor: &Actor) -> Result<&Arc<AccountFacts>> {
    match actor {
        Actor::User(principal) if principal.narrowing.allows_address(principal.address) => Ok(&principal.account),
        Actor::User(_) => Err(Error::Lacking { lack: Lack::Network, sentence: WRONG_NETWORK.into(), ask: None }),
        Actor::Dead => Err(Error::DeadCredential),
        Actor::Anonymous | Actor::Operator => {
            Err(Error::Unauthenticated("You are not logged in. Run npm login first.".into()))
        }
    }
}
