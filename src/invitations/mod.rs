//! Invitations: to an account, to a package, to an organization; by mail address or by name.
//!
//! An invitation gives nothing by itself. Who accepts one gets what its inviter could give them in that moment: the room
//! acts for the inviter, and `access` and `organizations` decide as if they had done it now.

mod accept;
mod invite;
mod letters;
mod list;
mod sign_up;
mod store;

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::access::Access;
use crate::clock::{Clock, Time};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::mail::Mail;
use crate::names::{AccountName, Email, PackageName, TeamName, UrlSecret};
use crate::organizations::Organizations;
use crate::policy::{AccountPermit, Administer, InstancePermit, OrganizationPermit, OrganizationRole};
use crate::policy::{Permission, Permit};
use crate::tokens::Tokens;
use crate::users::Users;

pub use accept::Door;
pub use list::{Line, MOST_LINES, read_addresses, read_list};

use store::Row;

/// How long an invitation is open.
const LIFE: TimeDelta = TimeDelta::days(7);

/// Handle to the invitations.
#[derive(Debug, Clone)]
pub struct Invitations {
    db: Db,
    clock: Clock,
    users: Users,
    instance: Instance,
    tokens: Tokens,
    access: Access,
    organizations: Organizations,
    mail: Mail,
    public_url: Arc<str>,
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
    /// Who may sign up.
    pub instance: Instance,
    /// Whether who asks is still there.
    pub tokens: Tokens,
    /// What packages are shared by.
    pub access: Access,
    /// What organizations are joined by.
    pub organizations: Organizations,
    /// How links travel.
    pub mail: Mail,
    /// What links begin with.
    pub public_url: Arc<str>,
}

/// Who is invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invitee {
    /// Whoever reads what is sent there.
    Email(Email),
    /// A user.
    User(AccountName),
}

impl Invitee {
    /// Reads a mail address, or a user's name.
    ///
    /// # Errors
    /// `Unprocessable` for what is neither.
    pub fn read(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.contains('@') && !text.starts_with('@') {
            return Ok(Self::Email(text.parse()?));
        }
        Ok(Self::User(text.trim_start_matches(['@', '~']).parse()?))
    }
}

impl fmt::Display for Invitee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(email) => email.fmt(formatter),
            Self::User(user) => user.fmt(formatter),
        }
    }
}

/// What somebody is invited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// An account on this instance.
    Account,
    /// To work on a package.
    Package {
        /// Which.
        name: PackageName,
        /// What they shall be able to do.
        permission: Permission,
    },
    /// To be a member.
    Organization {
        /// Of which organization.
        name: AccountName,
        /// In which role.
        role: OrganizationRole,
        /// In which teams.
        teams: Vec<TeamName>,
    },
}

/// Where invitations are made, as proof that who asks may make them there.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// A package, by who administers it.
    Package(&'a Permit<Administer>),
    /// An organization, by who says who its members are.
    Organization(&'a OrganizationPermit),
    /// The instance, by its administrators.
    Instance(&'a InstancePermit),
}

/// An invitation, as those see it who may know of it.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its public name, random.
    pub key: String,
    /// Who is invited.
    pub invitee: Invitee,
    /// To what.
    pub offered: Offered,
    /// By whom; none where it was the operator.
    pub inviter: Option<AccountName>,
    /// When it was made.
    pub created_at: Time,
    /// When it was sent last.
    pub sent_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// An invitation that was just made, or sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its public name.
    pub key: String,
    /// The link to hand over, where no mail is sent that could.
    pub url: Option<String>,
}

impl Invitations {
    /// Sets the room up.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, users, instance, tokens, access, organizations, mail, public_url } = parts;
        Self { db, clock, users, instance, tokens, access, organizations, mail, public_url }
    }

    /// The open invitations of a place, those that have ended too, since they can be sent again; oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, place: Place<'_>) -> Result<Vec<Invitation>> {
        let rows = store::list(self.db.reads(), invite::site_of(place)).await?;
        Ok(rows.into_iter().filter_map(Row::into_invitation).collect())
    }

    /// The open invitations of the account: by its name, and by its mail address once that was shown to be its own.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_own(&self, permit: &AccountPermit) -> Result<Vec<Invitation>> {
        let rows = store::list_own(self.db.reads(), permit.account().id, self.clock.now()).await?;
        Ok(rows.into_iter().filter_map(Row::into_invitation).collect())
    }

    /// The invitation behind a link.
    ///
    /// # Errors
    /// `NotFound` where it is over, or never was.
    pub async fn find(&self, code: &str) -> Result<Invitation> {
        let code = UrlSecret::parse(code).ok_or_else(over)?;
        let row = store::find(self.db.reads(), &code.digest(), self.clock.now()).await?;
        row.and_then(Row::into_invitation).ok_or_else(over)
    }
}

fn over() -> Error {
    Error::NotFound("This invitation is over: it was answered, taken back, or is too old. Ask for a new one.".into())
}
