//! Hooks: telling an address of what happens to packages (`protocol.md` 8.7).
//!
//! A hook follows a package, a scope, or whatever a user maintains. Deliveries begin in the transaction of the change
//! (a trigger on the audit log), and are made by a chore, signed, and tried again. Whether the hook's owner may read the
//! package is decided anew before each: a right that was lost tells nothing more, not even that it was lost.

mod deliver;
mod event;
mod store;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::access::Access;
use crate::clock::{Clock, Time};
use crate::db::Db;
use crate::error::{Error, Result, WRONG_NETWORK};
use crate::names::{AccountId, AccountName, PackageName, TokenId};
use crate::outgoing::{Outgoing, Target};
use crate::packages::Packages;
use crate::policy::{
    AccountAction, AccountFacts, Actor, Decision, Intent, Lack, Narrowing, Offer, Principal, decide_account,
};
use crate::users::Users;
use crate::vault::Vault;

/// The most hooks of one account.
const MOST_HOOKS: i64 = 100;

/// The longest secret.
const LONGEST_SECRET: usize = 256;

/// Handle to the hooks.
#[derive(Debug, Clone)]
pub struct Hooks {
    db: Db,
    clock: Clock,
    users: Users,
    access: Access,
    packages: Packages,
    vault: Vault,
    outgoing: Outgoing,
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Accounts.
    pub users: Users,
    /// Decisions.
    pub access: Access,
    /// What deliveries carry.
    pub packages: Packages,
    /// Where secrets are sealed.
    pub vault: Vault,
    /// How addresses are asked.
    pub outgoing: Outgoing,
}

/// What a hook follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One package.
    Package(PackageName),
    /// The packages of a scope.
    Scope(AccountName),
    /// The packages that a user maintains.
    Owner(AccountName),
}

impl Subject {
    /// Reads npm's two words for it.
    ///
    /// # Errors
    /// `Unprocessable`.
    pub fn parse(kind: &str, name: &str) -> Result<Self> {
        match kind {
            "package" => Ok(Self::Package(name.parse()?)),
            "scope" => Ok(Self::Scope(name.strip_prefix('@').unwrap_or(name).parse()?)),
            "owner" => Ok(Self::Owner(name.strip_prefix('~').unwrap_or(name).parse()?)),
            _ => Err(Error::Unprocessable("type is \"package\", \"scope\" or \"owner\". Say one of them.".into())),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Package(_) => "package",
            Self::Scope(_) => "scope",
            Self::Owner(_) => "owner",
        }
    }

    /// The name as npm shows it, without the mark of an owner.
    fn name(&self) -> String {
        match self {
            Self::Package(name) => name.to_string(),
            Self::Scope(scope) => format!("@{scope}"),
            Self::Owner(owner) => owner.to_string(),
        }
    }
}

/// Where deliveries go, and what they are signed with.
#[derive(Debug)]
pub struct Destination {
    endpoint: String,
    secret: Vec<u8>,
}

impl Destination {
    /// Holds both against what can be used.
    ///
    /// # Errors
    /// `Unprocessable`, saying what is wrong with it.
    pub fn parse(endpoint: &str, secret: &str) -> Result<Self> {
        if let Err(cause) = endpoint.parse::<Target>() {
            return Err(Error::Unprocessable(format!("The endpoint of a hook is a URL, and {cause}.").into()));
        }
        if secret.is_empty() || secret.len() > LONGEST_SECRET {
            let sentence = format!("The secret of a hook has 1 to {LONGEST_SECRET} bytes. Give another one.");
            return Err(Error::Unprocessable(sentence.into()));
        }
        Ok(Self { endpoint: endpoint.to_owned(), secret: secret.as_bytes().to_owned() })
    }
}

/// A hook as its owner sees it: the secret is not in it.
#[derive(Debug)]
pub struct Hook {
    /// Its public name, random.
    pub key: String,
    /// Whose it is.
    pub owner: String,
    /// `package`, `scope` or `owner`.
    pub kind: String,
    /// What it follows.
    pub name: String,
    /// Where it goes.
    pub endpoint: String,
    /// When it was made.
    pub created_at: Time,
    /// When it was changed last.
    pub updated_at: Time,
    /// When it was tried last.
    pub last_delivery_at: Option<Time>,
    /// The status that came back then.
    pub last_status: Option<i32>,
}

/// A delivery that was tried.
#[derive(Debug)]
pub struct Delivery {
    /// Of what, as `package:publish`.
    pub event: &'static str,
    /// The package.
    pub name: String,
    /// When it happened.
    pub at: Time,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was tried last.
    pub attempted_at: Option<Time>,
    /// When it will be tried again.
    pub next_attempt_at: Option<Time>,
    /// Whether it arrived.
    pub delivered: bool,
    /// The status that came back.
    pub status: Option<i32>,
    /// Why none did.
    pub failure: Option<String>,
}

/// Proof that an account may keep hooks, through the token it showed.
#[derive(Debug)]
pub struct Follower {
    actor: Actor,
    account: AccountId,
}

impl Hooks {
    /// Sets the room up.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, users, access, packages, vault, outgoing } = parts;
        Self { db, clock, users, access, packages, vault, outgoing }
    }

    /// Asks whether the actor may see or change hooks of their own. A token that reaches some packages sees none of them:
    /// their names would tell it of the others.
    ///
    /// # Errors
    /// The refusal.
    pub fn permit(actor: &Actor, action: AccountAction) -> Result<Follower> {
        if let Actor::User(principal) = actor
            && !principal.narrowing.reaches_all_packages()
        {
            let lack = Lack::NarrowToken;
            return Err(Error::Lacking { lack, sentence: lacking(lack).into(), ask: None });
        }
        match (decide_account(actor, action), actor.account_id()) {
            (Decision::Allow, Some(account)) => Ok(Follower { actor: actor.clone(), account }),
            (Decision::Allow | Decision::Unauthenticated | Decision::NotFound | Decision::PaymentRequired(_), _) => {
                Err(Error::Unauthenticated("Hooks belong to an account. Run npm login first.".into()))
            }
            (Decision::DeadCredential, _) => Err(Error::DeadCredential),
            (Decision::SecondFactorRequired, _) => Err(Error::SecondFactorRequired { web: None }),
            (Decision::Forbidden(lack), _) => Err(Error::Lacking { lack, sentence: lacking(lack).into(), ask: None }),
        }
    }

    /// Makes a hook. Who may not read a package cannot follow it; accounts are public knowledge.
    ///
    /// # Errors
    /// The refusal to read; `NotFound` for an unknown account; `Unprocessable` where there are too many.
    pub async fn create(&self, follower: &Follower, subject: &Subject, destination: &Destination) -> Result<Hook> {
        match subject {
            Subject::Package(name) => drop(self.access.permit(&follower.actor, name, Intent::READ).await?),
            Subject::Scope(account) | Subject::Owner(account) => {
                let found = self.users.find_account(account).await?;
                found.ok_or_else(|| Error::NotFound(format!("There is no account {account}.").into()))?;
            }
        }
        let key = random_key()?;
        let secret = self.seal(&key, destination)?;
        let mut transaction = self.db.begin().await?;
        self.access.refresh(&mut transaction, &follower.actor).await?;
        if store::count(&mut transaction, follower.account).await? >= MOST_HOOKS {
            let sentence = format!("An account has at most {MOST_HOOKS} hooks. Remove one with npm hook rm.");
            return Err(Error::Unprocessable(sentence.into()));
        }
        // The same thing told twice to the same address would only be a way to knock there harder.
        if store::exists(&mut transaction, follower.account, subject, &destination.endpoint).await? {
            return Err(Error::Conflict("There is such a hook already. npm hook ls lists yours.".into()));
        }
        store::insert(
            &mut transaction,
            follower.account,
            &key,
            subject,
            &destination.endpoint,
            &secret,
            self.clock.now(),
        )
        .await?;
        transaction.commit().await?;
        self.find(follower, &key).await
    }

    /// The account's own hooks, oldest first, and how many there are in all; with `name`, those that follow it.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, follower: &Follower, name: Option<&str>, page: (u32, u32)) -> Result<(i64, Vec<Hook>)> {
        store::list(self.db.reads(), follower.account, name, page).await
    }

    /// One of the account's own hooks.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, follower: &Follower, key: &str) -> Result<Hook> {
        store::find(self.db.reads(), follower.account, key).await?.ok_or_else(no_hook)
    }

    /// Sends it elsewhere.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn change(&self, follower: &Follower, key: &str, destination: &Destination) -> Result<Hook> {
        let secret = self.seal(key, destination)?;
        let mut transaction = self.db.begin().await?;
        self.access.refresh(&mut transaction, &follower.actor).await?;
        let (account, now) = (follower.account, self.clock.now());
        if !store::update(&mut transaction, account, key, &destination.endpoint, &secret, now).await? {
            return Err(no_hook());
        }
        transaction.commit().await?;
        self.find(follower, key).await
    }

    /// Ends it, and with it what was not delivered yet. Returns it as it was.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove(&self, follower: &Follower, key: &str) -> Result<Hook> {
        let hook = self.find(follower, key).await?;
        let mut transaction = self.db.begin().await?;
        store::delete(&mut transaction, follower.account, key).await?;
        transaction.commit().await?;
        Ok(hook)
    }

    /// What was delivered or tried, newest first.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn deliveries(&self, follower: &Follower, key: &str, limit: u32) -> Result<Vec<Delivery>> {
        self.find(follower, key).await?;
        store::list_deliveries(self.db.reads(), follower.account, key, limit).await
    }

    fn seal(&self, key: &str, destination: &Destination) -> Result<Vec<u8>> {
        self.vault.seal(&context(key), &destination.secret)
    }
}

/// The owner of a hook, as an actor who reads: with all their rights, and no token that could narrow them, since only a
/// token worth its whole user makes a hook.
fn reader(account: Arc<AccountFacts>) -> Actor {
    Actor::User(Principal {
        account,
        token: TokenId::NONE,
        narrowing: Arc::new(Narrowing::default()),
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        confirmed: false,
        offer: Offer::default(),
    })
}

/// What the vault seals a secret for.
fn context(key: &str) -> String {
    format!("hook:{key}")
}

fn random_key() -> Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(hex::encode(bytes))
}

fn no_hook() -> Error {
    Error::NotFound("You have no such hook. npm hook ls lists those you have.".into())
}

fn lacking(lack: Lack) -> &'static str {
    match lack {
        Lack::Network => WRONG_NETWORK,
        Lack::ReadOnlyToken => "This token is read-only, so it changes no hooks. Use one that may write.",
        _ => "This token was made for less than its whole account, so it changes no hooks. Log in to do that.",
    }
}
