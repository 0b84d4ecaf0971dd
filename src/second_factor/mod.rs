//! The second factor: one-time codes, recovery codes, security keys, and the pages that terminals wait for.
//!
//! When one is asked for is `policy`'s to say. This room finds out whether what a request offers is right, and it does so
//! only then: a read that carries a code burns none. Every deed on one's own account comes through [`SecondFactor::permit`],
//! every one on a package through `Access`, which ends here too ([`SecondFactor::confirm`]).

mod check;
mod confirmations;
mod drafts;
mod enrolment;
mod keys;
mod passkeys;
mod recovery;
mod refusal;
mod secret;
mod store;
mod totp;
mod webauthn;

use std::net::IpAddr;
use std::sync::Arc;

use crate::audit::By;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::names::{AccountId, TokenId};
use crate::policy::{
    AccountAction, AccountFacts, AccountPermit, Actor, Decision, InstanceAction, InstancePermit, Offer, Principal,
    permit_account, permit_instance,
};
use crate::users::Users;
use crate::vault::Vault;

pub use confirmations::{Answered, Confirmation, Poll};
pub use drafts::{Draft, Overview};
pub use enrolment::{Begun, Status};
pub use keys::{Registered, SecurityKey};
pub use passkeys::Purpose;
pub use refusal::{explain_account, explain_instance};
pub use webauthn::{Assertion, Registration};

use webauthn::RelyingParty;

/// What a confirmation says it is for where that is the account itself.
const OWN_ACCOUNT: &str = "your account";

/// The same where it is what administrators do.
const OWN_INSTANCE: &str = "this instance";

/// Handle to the second factor.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    db: Db,
    clock: Clock,
    users: Users,
    vault: Vault,
    party: Arc<RelyingParty>,
    public_url: Arc<str>,
}

/// Who shows a second factor, and what for.
#[derive(Debug, Clone, Copy)]
struct Showing<'a> {
    account: AccountId,
    name: &'a str,
    /// The credential that a code is bound to; none at a login.
    token: Option<TokenId>,
    subject: &'a str,
    address: Option<IpAddr>,
}

impl<'a> Showing<'a> {
    fn of(principal: &'a Principal, subject: &'a str) -> Self {
        Self {
            account: principal.account.id,
            name: principal.account.name.as_str(),
            token: Some(principal.token),
            subject,
            address: Some(principal.address),
        }
    }

    fn by(&self) -> By {
        By {
            account: Some(self.account),
            name: self.name.to_owned(),
            token: self.token.map(|token| token.0),
            address: self.address,
        }
    }
}

impl SecondFactor {
    /// Sets the room up; pages and keys are made for `public_url`, which has no slash at its end.
    pub fn new(db: Db, clock: Clock, users: Users, vault: Vault, public_url: Arc<str>) -> Self {
        let party = Arc::new(RelyingParty::of(&public_url));
        Self { db, clock, users, vault, party, public_url }
    }

    /// Looks at what the actor offers as a second factor for a deed on `subject`, which `policy` has asked for; returns
    /// them confirmed. The same code may be shown again with every request of one command.
    ///
    /// # Errors
    /// `SecondFactorRequired` where nothing is offered, with a page to confirm on for clients that can wait for it;
    /// `WrongSecondFactor`, `TooManyRequests`.
    pub async fn confirm(&self, actor: &Actor, subject: &str) -> Result<Actor> {
        let Actor::User(principal) = actor else { return Ok(actor.clone()) };
        let showing = Showing::of(principal, subject);
        match &principal.offer.code {
            Some(code) => self.check(code, showing).await?,
            None => return Err(self.challenge(showing, &principal.offer).await?),
        }
        Ok(Actor::User(Principal { confirmed: true, ..principal.clone() }))
    }

    /// Asks whether the actor may do this to their own account, and for the second factor where that is needed.
    ///
    /// # Errors
    /// The refusal, in words; those of [`SecondFactor::confirm`].
    pub async fn permit(&self, actor: &Actor, action: AccountAction) -> Result<AccountPermit> {
        match permit_account(actor, action) {
            Ok(permit) => Ok(permit),
            Err(Decision::SecondFactorRequired) => {
                let confirmed = self.confirm(actor, OWN_ACCOUNT).await?;
                permit_account(&confirmed, action).map_err(|refusal| explain_account(&refusal))
            }
            Err(refusal) => Err(explain_account(&refusal)),
        }
    }

    /// Asks whether the actor may do this to the instance, and for the second factor where that is needed.
    ///
    /// # Errors
    /// `NotFound` for who does not administer it; those of [`SecondFactor::confirm`].
    pub async fn permit_instance(&self, actor: &Actor, action: InstanceAction) -> Result<InstancePermit> {
        match permit_instance(actor, action) {
            Ok(permit) => Ok(permit),
            Err(Decision::SecondFactorRequired) => {
                let confirmed = self.confirm(actor, OWN_INSTANCE).await?;
                permit_instance(&confirmed, action).map_err(|refusal| refusal::explain_instance(&refusal))
            }
            Err(refusal) => Err(refusal::explain_instance(&refusal)),
        }
    }

    /// Asks for the second factor of somebody who sends their password with every request.
    ///
    /// # Errors
    /// Those of [`SecondFactor::confirm`].
    pub async fn confirm_password(&self, principal: &Principal) -> Result<Actor> {
        self.confirm(&Actor::User(principal.clone()), OWN_ACCOUNT).await
    }

    /// Asks for the second factor of somebody whose password was right, where they have one.
    ///
    /// # Errors
    /// Those of [`SecondFactor::confirm`].
    pub async fn confirm_login(&self, account: &AccountFacts, offer: &Offer, address: IpAddr) -> Result<()> {
        if account.second_factor.is_none() {
            return Ok(());
        }
        let name = account.name.as_str();
        let showing = Showing { account: account.id, name, token: None, subject: OWN_ACCOUNT, address: Some(address) };
        match &offer.code {
            Some(code) => self.check(code, showing).await,
            None => Err(self.challenge(showing, offer).await?),
        }
    }
}
