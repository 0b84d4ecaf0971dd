//! What a decision needs to know. The rooms fill these in; nothing here asks anybody.

use std::str::FromStr;
use std::sync::Arc;

use crate::clock::Time;
use crate::names::{AccountId, AccountName, PackageId, PackageName, TeamName};

/// Who can see a package. Pages call a restricted package *private*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Visibility {
    /// Anyone, also without an account.
    Public,
    /// Those it was shared with; the default, always.
    Restricted,
}

impl Visibility {
    /// The word of the wire: `public` or `restricted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Restricted => "restricted",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    /// Reads the wire's words; `private` is an alias that npm's configuration accepts (`protocol.md` 3.2).
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "public" => Ok(Self::Public),
            "restricted" | "private" => Ok(Self::Restricted),
            _ => Err(()),
        }
    }
}

/// What a user was given on one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Permission {
    /// May read a restricted package.
    ReadOnly,
    /// May also publish.
    ReadWrite,
}

impl Permission {
    /// The word of bodies and pages: `read-only` or `read-write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        }
    }

    /// The word of npm's maps of collaborators and packages: `read` or `write` (`protocol.md` 6).
    pub fn as_npm_word(self) -> &'static str {
        match self {
            Self::ReadOnly => "read",
            Self::ReadWrite => "write",
        }
    }
}

impl FromStr for Permission {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "read-only" => Ok(Self::ReadOnly),
            "read-write" => Ok(Self::ReadWrite),
            _ => Err(()),
        }
    }
}

/// The billing flag of an account: paid, or paid until a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BillingFlag {
    /// No plan.
    Unpaid,
    /// A plan, which ends by itself at `until` where that is set.
    Paid {
        /// The first moment at which the account is no longer paid.
        until: Option<Time>,
    },
}

impl BillingFlag {
    /// Whether the account is paid at `now`.
    pub fn is_paid(self, now: Time) -> bool {
        match self {
            Self::Unpaid => false,
            Self::Paid { until } => until.is_none_or(|until| now < until),
        }
    }
}

/// What kind of account owns a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum AccountKind {
    /// A person, or a machine with an account of its own.
    User,
    /// A company or group; its members act in it by their roles.
    Organization,
}

impl AccountKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Organization => "organization",
        }
    }
}

/// A member's role in an organization, npm's words (`protocol.md` 6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum OrganizationRole {
    /// May create packages in the scope.
    Member,
    /// Administers teams and packages.
    Admin,
    /// Also administers members and billing.
    Owner,
}

impl OrganizationRole {
    /// The word of npm's lists: `developer`, `admin` or `owner` (`protocol.md` 6.6).
    pub fn as_npm_word(self) -> &'static str {
        match self {
            Self::Member => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The word of the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for OrganizationRole {
    type Err = ();

    /// Reads npm's words, the archaic ones too.
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "developer" | "member" => Ok(Self::Member),
            "admin" | "team-admin" => Ok(Self::Admin),
            "owner" | "super-admin" => Ok(Self::Owner),
            _ => Err(()),
        }
    }
}

/// An account as decisions see it, whether it acts or owns the scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Row id.
    pub id: AccountId,
    /// The account's name, and the name of its scope.
    pub name: AccountName,
    /// User or organization.
    pub kind: AccountKind,
    /// The billing flag, to be read against the time.
    pub billing: BillingFlag,
    /// Members and their roles; empty for a user.
    pub members: Vec<(AccountId, OrganizationRole)>,
    /// An operator may switch an account off; its tokens are then dead.
    pub disabled: bool,
    /// When the account is asked for its second factor; `None` where it has none.
    pub second_factor: Option<SecondFactorMode>,
    /// Whether the user administers the instance: accounts and plans, never the packages of others.
    pub administrator: bool,
    /// Whether this organization lets in only such members as have a second factor.
    pub members_need_second_factor: bool,
}

/// When an account is asked for its second factor, npm's words (`protocol.md` 1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum SecondFactorMode {
    /// At login, and where tokens or the account itself are changed.
    AuthOnly,
    /// Also where packages are changed.
    AuthAndWrites,
}

impl SecondFactorMode {
    /// The word of bodies and pages: `auth-only` or `auth-and-writes`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthOnly => "auth-only",
            Self::AuthAndWrites => "auth-and-writes",
        }
    }
}

impl FromStr for SecondFactorMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auth-only" => Ok(Self::AuthOnly),
            "auth-and-writes" => Ok(Self::AuthAndWrites),
            _ => Err(()),
        }
    }
}

impl AccountFacts {
    /// The role of `user` in this organization.
    pub fn role_of(&self, user: AccountId) -> Option<OrganizationRole> {
        self.members.iter().find(|(member, _)| *member == user).map(|(_, role)| *role)
    }

    /// Whether `account` is a member of this organization without the second factor that it asks of its members.
    pub fn misses_second_factor_of(&self, account: &Self) -> bool {
        self.members_need_second_factor && account.second_factor.is_none() && self.role_of(account.id).is_some()
    }
}

/// What one user was given on the package, by themselves or through a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who has it.
    pub user: AccountId,
    /// What they have.
    pub permission: Permission,
    /// The first moment at which they no longer have it.
    pub expires_at: Option<Time>,
    /// The team it comes through; `None` where the user was named.
    pub team: Option<TeamName>,
}

impl Grant {
    /// Whether it still holds at `now`.
    pub fn is_alive(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Whether a package asks for a second factor by itself (`protocol.md` 6.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackageSecondFactor {
    /// Publishing and settings ask, whatever the account's mode.
    pub publish_requires: bool,
    /// A token that stands in for a second factor is good enough.
    pub automation_overrides: bool,
}

/// A package that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingPackage {
    /// Row id.
    pub id: PackageId,
    /// Public or restricted.
    pub visibility: Visibility,
    /// What users were given; one user may stand here several times.
    pub grants: Vec<Grant>,
    /// Whether it asks for a second factor.
    pub second_factor: PackageSecondFactor,
    /// Grows by one with every change; the front half of `_rev`.
    pub revision: i64,
}

impl ExistingPackage {
    /// What the best of a user's grants is worth now: on a public package every collaborator writes, whatever their
    /// grant says (`domain.md`, "Who may do what").
    pub fn granted_to(&self, user: AccountId, now: Time) -> Option<Permission> {
        let alive = self.grants.iter().filter(|grant| grant.user == user && grant.is_alive(now));
        let best = alive.map(|grant| grant.permission).max()?;
        Some(match self.visibility {
            Visibility::Public => Permission::ReadWrite,
            Visibility::Restricted => best,
        })
    }
}

/// All that is known of a name: who owns the scope, and the package, where there is one. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFacts {
    /// The name that was asked about.
    pub name: PackageName,
    /// The account that owns the scope, if any does.
    pub owner: Option<Arc<AccountFacts>>,
    /// The package, if it exists.
    pub package: Option<Arc<ExistingPackage>>,
}

impl PackageFacts {
    /// The accounts that administer by owning the scope: its user, or the organization's owners and admins.
    pub fn administrators(&self) -> Vec<AccountId> {
        let Some(owner) = &self.owner else { return Vec::new() };
        match owner.kind {
            AccountKind::User => vec![owner.id],
            AccountKind::Organization => owner
                .members
                .iter()
                .filter(|(_, role)| *role >= OrganizationRole::Admin)
                .map(|(member, _)| *member)
                .collect(),
        }
    }

    /// What an account can do, by owning the scope or by a grant; an organization writes in its own scope.
    pub fn permission_of(&self, account: AccountId, now: Time) -> Option<Permission> {
        let owns = self.owner.as_ref().is_some_and(|owner| owner.id == account);
        if owns || self.administrators().contains(&account) {
            return Some(Permission::ReadWrite);
        }
        self.package.as_ref()?.granted_to(account, now)
    }
}

/// An account that would have to pay, as refusals name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor {
    /// Its name.
    pub name: AccountName,
    /// A user or an organization: they pay on different pages.
    pub kind: AccountKind,
}

impl From<&AccountFacts> for Debtor {
    fn from(account: &AccountFacts) -> Self {
        Self { name: account.name.clone(), kind: account.kind }
    }
}

/// Who must be paid for restricted packages of this scope, and whether they are (`domain.md`, "Billing").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillingFacts {
    /// The flag of the scope's owner.
    pub owner: BillingFlag,
    /// The flag of the actor, where they have to pay for themselves: not as the owner (that is the flag above), not as
    /// a member covered by the organization's seats.
    pub actor: Option<BillingFlag>,
}

impl BillingFacts {
    /// Reads who has to pay when `actor` acts in the scope of `owner`.
    pub fn of(owner: Option<&AccountFacts>, actor: Option<&AccountFacts>) -> Self {
        let covered = |actor: &&AccountFacts| {
            owner.is_some_and(|owner| owner.id == actor.id || owner.role_of(actor.id).is_some())
        };
        Self {
            owner: owner.map_or(BillingFlag::Unpaid, |owner| owner.billing),
            actor: actor.filter(|actor| !covered(actor)).map(|actor| actor.billing),
        }
    }
}
