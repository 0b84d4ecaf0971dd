//! Trusted publishing: who may publish by a token of their CI, without anybody's credential (`protocol.md` 7.5, 7.6).
//!
//! Who administers a package says whose jobs are trusted: an issuer that the operator configured, and what the claims
//! of its tokens must say ([`rules`]). A job exchanges such a token for one of ours that lasts an hour, reaches that
//! package and does what was agreed ([`exchange`]). The trust is the package's and nobody's in person: our token is the
//! scope's owner's, and what it publishes names the trusted publisher.

mod exchange;
mod issuers;
mod jwt;
mod keys;
mod refusals;
mod rules;
mod store;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::access::{Access, Locked};
use crate::audit::{self, By, Outcome};
use crate::clock::{Clock, Time};
use crate::config;
use crate::db::{Db, Transaction};
use crate::error::{Error, OnConstraint as _, Result};
use crate::names::{AccountId, PackageName, RandomId};
use crate::outgoing::Outgoing;
use crate::policy::{Actor, Administer, Intent, Permit, ScopePermit, TrustedDeeds, permit_scope};
use crate::tokens::Tokens;

pub use exchange::Exchanged;
pub use issuers::{Issuer, Issuers, Kind};
use keys::Keys;
use refusals::Refusals;
pub use rules::ClaimRules;

/// The most publishers that one package, or one scope, trusts.
const MANY: i64 = 50;

/// Handle to trusted publishers.
#[derive(Debug, Clone)]
pub struct Trust {
    db: Db,
    clock: Clock,
    tokens: Tokens,
    access: Access,
    issuers: Issuers,
    keys: Keys,
    refusals: Arc<Refusals>,
}

/// What a trusted publisher may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TrustPermission {
    /// Publish versions.
    CreatePackage,
    /// Put versions up for approval.
    CreateStagedPackage,
    /// Move dist-tags.
    ManageDistTags,
}

impl TrustPermission {
    const ALL: [Self; 3] = [Self::CreatePackage, Self::CreateStagedPackage, Self::ManageDistTags];

    fn as_str(self) -> &'static str {
        match self {
            Self::CreatePackage => "createPackage",
            Self::CreateStagedPackage => "createStagedPackage",
            Self::ManageDistTags => "manageDistTags",
        }
    }

    fn deeds(permissions: &[Self]) -> TrustedDeeds {
        TrustedDeeds {
            publish: permissions.contains(&Self::CreatePackage),
            stage: permissions.contains(&Self::CreateStagedPackage),
            tags: permissions.contains(&Self::ManageDistTags),
        }
    }
}

/// A publisher to be trusted, as npm sends it; `issuer` is ours.
#[derive(Debug, Clone, Deserialize)]
pub struct NewPublisher {
    /// npm's word for the kind of CI.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The name or the address of an issuer; where it is not given, the first of this kind.
    pub issuer: Option<String>,
    /// What the claims of its tokens must say.
    pub claims: Map<String, Value>,
    /// What it may do; publish, where nothing is said.
    pub permissions: Option<Vec<TrustPermission>>,
}

/// A trusted publisher.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// By which it is revoked.
    pub id: RandomId,
    /// The package; `None` where every package of the scope is meant.
    pub package: Option<PackageName>,
    /// What its issuer calls itself.
    pub issuer: String,
    /// What its claims are called.
    pub kind: Kind,
    /// What they must say.
    pub rules: ClaimRules,
    /// What it may do.
    pub permissions: Vec<TrustPermission>,
    /// Since when.
    pub created_at: Time,
}

impl Publisher {
    /// As npm reads it; `scope` is ours and says that it stands for a whole scope.
    pub fn as_json(&self, scope: &str) -> Value {
        let mut value = json!({
            "id": self.id,
            "type": self.kind.as_str(),
            "issuer": self.issuer,
            "claims": self.rules,
            "permissions": self.permissions.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
            "createdAt": crate::clock::to_npm_time(self.created_at),
        });
        if self.package.is_none() {
            value["scope"] = scope.into();
        }
        value
    }
}

/// What a publisher is trusted with: one package, or all of a scope.
struct Subject<'a> {
    owner: AccountId,
    package: Option<&'a PackageName>,
    /// The package or the scope in words.
    text: String,
}

impl Trust {
    /// Sets the room up. `audiences` are whom tokens are meant for where the configuration says nothing.
    pub fn new(
        db: Db,
        clock: Clock,
        tokens: Tokens,
        access: Access,
        outgoing: Outgoing,
        config: &config::Trust,
        audiences: &[String],
    ) -> Self {
        let keys = Keys::new(outgoing, clock.clone());
        let issuers = Issuers::new(config, audiences);
        Self { db, clock, tokens, access, issuers, keys, refusals: Arc::default() }
    }

    /// The issuers that can be trusted.
    pub fn issuers(&self) -> &Issuers {
        &self.issuers
    }

    /// Who is trusted with a package, those included who are trusted with its whole scope.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, permit: &Permit<Administer>) -> Result<Vec<Publisher>> {
        store::list(self.db.reads(), owner_of(permit)?, Some(permit.name())).await
    }

    /// Who is trusted with every package of a scope.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_for_scope(&self, permit: &ScopePermit) -> Result<Vec<Publisher>> {
        store::list(self.db.reads(), permit.owner(), None).await
    }

    /// Trusts publishers with a package: all of them, or none where one cannot be.
    ///
    /// # Errors
    /// `Unprocessable` for rules that cannot be kept, `Conflict` for a publisher that is trusted already.
    pub async fn add(&self, permit: &Permit<Administer>, wanted: &[NewPublisher]) -> Result<Vec<Publisher>> {
        let publishers = self.read(wanted, Some(permit.name()))?;
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again(&mut transaction, permit).await?;
        let text = permit.name().to_string();
        let subject = Subject { owner: owner_of(&permit)?, package: Some(permit.name()), text };
        self.insert(&mut transaction, &subject, &publishers, permit.actor()).await?;
        transaction.commit().await?;
        Ok(publishers)
    }

    /// The same for every package of a scope, those included that do not exist yet.
    ///
    /// # Errors
    /// As [`Trust::add`].
    pub async fn add_for_scope(&self, permit: &ScopePermit, wanted: &[NewPublisher]) -> Result<Vec<Publisher>> {
        let publishers = self.read(wanted, None)?;
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again_for_scope(&mut transaction, permit).await?;
        let subject = Subject { owner: permit.owner(), package: None, text: permit.scope() };
        self.insert(&mut transaction, &subject, &publishers, permit.actor()).await?;
        transaction.commit().await?;
        Ok(publishers)
    }

    /// Ends the trust, and the tokens that came of it.
    ///
    /// # Errors
    /// `NotFound` for an id that is not one of this package.
    pub async fn remove(&self, permit: &Permit<Administer>, id: &RandomId) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again(&mut transaction, permit).await?;
        let text = permit.name().to_string();
        let subject = Subject { owner: owner_of(&permit)?, package: Some(permit.name()), text };
        self.delete(&mut transaction, &subject, id, permit.actor()).await?;
        transaction.commit().await
    }

    /// The same for a publisher that is trusted with a whole scope.
    ///
    /// # Errors
    /// `NotFound` for an id that is not one of this scope.
    pub async fn remove_for_scope(&self, permit: &ScopePermit, id: &RandomId) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.decide_again_for_scope(&mut transaction, permit).await?;
        let subject = Subject { owner: permit.owner(), package: None, text: permit.scope() };
        self.delete(&mut transaction, &subject, id, permit.actor()).await?;
        transaction.commit().await
    }

    /// Forgets which tokens were exchanged, once nobody could exchange them anyway. A chore.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_exchanges(&self) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::forget_exchanges(&mut transaction, self.clock.now()).await?;
        transaction.commit().await
    }

    async fn decide_again_for_scope(&self, transaction: &mut Transaction, permit: &ScopePermit) -> Result<ScopePermit> {
        let actor = self.access.refresh(transaction, permit.actor()).await?;
        let owner = crate::users::load_account_facts(transaction, permit.owner()).await?;
        let refused = || Error::Conflict("Your rights changed meanwhile. Run the command again.".into());
        let owner = owner.ok_or_else(refused)?;
        permit_scope(&actor, Intent::SET_TRUST, &owner, self.clock.now()).map_err(|_| refused())
    }

    async fn decide_again(
        &self,
        transaction: &mut Transaction,
        permit: &Permit<Administer>,
    ) -> Result<Permit<Administer>> {
        let Locked { actor, facts } = self.access.lock(transaction, permit.actor(), permit.name()).await?;
        self.access.permit_on(&actor, &facts, Intent::SET_TRUST)
    }

    /// Turns what was sent into publishers whose issuers and rules are sound.
    fn read(&self, wanted: &[NewPublisher], package: Option<&PackageName>) -> Result<Vec<Publisher>> {
        if wanted.is_empty() || wanted.len() > 10 {
            return Err(Error::Unprocessable("Send one to ten trusted publishers.".into()));
        }
        wanted.iter().map(|one| self.read_one(one, package)).collect()
    }

    fn read_one(&self, wanted: &NewPublisher, package: Option<&PackageName>) -> Result<Publisher> {
        let issuer = self.issuer_of(wanted)?;
        let rules = ClaimRules::read(issuer.kind, &wanted.claims)?;
        let iss = match issuer.url.strip_suffix('*') {
            None => issuer.url.clone(),
            Some(start) => format!("{start}{}", rules.exact(rules::CIRCLECI_ORGANIZATION).unwrap_or_default()),
        };
        if issuer.fits(&iss).is_none() {
            return Err(Error::Unprocessable("oidc.circleci.com/org-id must be the id of an organization.".into()));
        }
        let permissions = wanted.permissions.clone().unwrap_or_else(|| vec![TrustPermission::CreatePackage]);
        if permissions.is_empty() {
            return Err(Error::Unprocessable("A trusted publisher needs at least one permission.".into()));
        }
        Ok(Publisher {
            id: RandomId::generate().map_err(Error::internal)?,
            package: package.cloned(),
            issuer: iss,
            kind: issuer.kind,
            rules,
            permissions: TrustPermission::ALL.into_iter().filter(|one| permissions.contains(one)).collect(),
            created_at: self.clock.now(),
        })
    }

    fn issuer_of(&self, wanted: &NewPublisher) -> Result<&Issuer> {
        let refused = |what: String| {
            let sentence = format!("This registry knows no issuer {what}. Its operator can add it (trust.issuers).");
            Error::Unprocessable(sentence.into())
        };
        let shown = |text: &str| text.chars().filter(|one| !one.is_control()).take(100).collect::<String>();
        let kind = match wanted.kind.as_deref() {
            None => None,
            Some(word) => Some(Kind::from_word(word).ok_or_else(|| refused(format!("of type {}", shown(word))))?),
        };
        match (&wanted.issuer, kind) {
            (Some(name), kind) => {
                let known = self.issuers.named(name).or_else(|| self.issuers.of_token(name));
                known.filter(|issuer| kind.is_none_or(|kind| kind == issuer.kind)).ok_or_else(|| refused(shown(name)))
            }
            (None, Some(kind)) => {
                self.issuers.first_of(kind).ok_or_else(|| refused(format!("of type {}", kind.as_str())))
            }
            (None, None) => Err(Error::Unprocessable("A trusted publisher has a type or an issuer. Say one.".into())),
        }
    }

    async fn insert(
        &self,
        transaction: &mut Transaction,
        subject: &Subject<'_>,
        publishers: &[Publisher],
        by: &Actor,
    ) -> Result<()> {
        for publisher in publishers {
            store::insert(transaction, subject.owner, publisher, by.account_id())
                .await
                .on_constraint("trusted_publishers_rule_key", || {
                    Error::Conflict("trusted publisher config already exists. npm trust list shows it.".into())
                })?;
            self.record(transaction, subject, by, "trust.add", publisher.as_json(&subject.text)).await?;
        }
        if store::count(transaction, subject.owner, subject.package).await? > MANY {
            let sentence = format!("{} trusts {MANY} publishers already. Revoke some first.", subject.text);
            return Err(Error::Conflict(sentence.into()));
        }
        Ok(())
    }

    async fn delete(
        &self,
        transaction: &mut Transaction,
        subject: &Subject<'_>,
        id: &RandomId,
        by: &Actor,
    ) -> Result<()> {
        if !store::delete(transaction, subject.owner, subject.package, id).await? {
            let sentence = format!("{} trusts no publisher with this id. npm trust list shows them.", subject.text);
            return Err(Error::NotFound(sentence.into()));
        }
        self.tokens.revoke_trusted(transaction, id.as_str()).await?;
        self.record(transaction, subject, by, "trust.revoke", json!({ "id": id })).await
    }

    async fn record(
        &self,
        transaction: &mut Transaction,
        subject: &Subject<'_>,
        by: &Actor,
        action: &'static str,
        detail: Value,
    ) -> Result<()> {
        let event =
            audit::Event { action, subject: &subject.text, scope: Some(subject.owner), outcome: Outcome::Done, detail };
        audit::record(transaction, &By::from(by), &event, self.clock.now()).await
    }
}

fn owner_of(permit: &Permit<Administer>) -> Result<AccountId> {
    permit.owner().ok_or_else(|| Error::internal("a package without a scope"))
}
