//! Notices by mail: what happens to one's account, and to the packages that one works on.
//!
//! What concerns the safety of an account is told in any case; the rest as the account wishes. Notices begin with a line of
//! the audit log (a trigger), and are written by a chore, which asks then whether who is told may know it.

mod letters;
mod reminders;
mod store;
mod tell;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::access::Access;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::mail::Mail;
use crate::policy::{AccountFacts, AccountPermit, Actor, Principal};

/// Handle to the notices.
#[derive(Debug, Clone)]
pub struct Notices {
    db: Db,
    clock: Clock,
    instance: Instance,
    access: Access,
    mail: Mail,
    public_url: Arc<str>,
}

/// What an account can wish to be told of, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A terminal was logged in.
    Login,
    /// One was given access, let into an organization, or reminded that access waits for a plan; somebody else can now
    /// write a package that one administers, or accepted one's invitation.
    Access,
    /// A version was published, of a package that one can write, by somebody else.
    Publish,
}

impl Topic {
    /// Every topic once.
    pub const ALL: [Self; 3] = [Self::Login, Self::Access, Self::Publish];

    /// The word of the database and of forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Access => "access",
            Self::Publish => "publish",
        }
    }

    /// What holds for an account that wishes nothing.
    fn is_wanted_by_default(self) -> bool {
        match self {
            Self::Login | Self::Access => true,
            Self::Publish => false,
        }
    }
}

impl Notices {
    /// Sets the room up; letters name pages below `public_url`.
    pub fn new(db: Db, clock: Clock, instance: Instance, access: Access, mail: Mail, public_url: Arc<str>) -> Self {
        Self { db, clock, instance, access, mail, public_url }
    }

    /// Of what the account is told.
    ///
    /// # Errors
    /// The database's.
    pub async fn wishes(&self, permit: &AccountPermit) -> Result<Vec<(Topic, bool)>> {
        let mut connection = self.db.reads().acquire().await?;
        let mut wishes = Vec::with_capacity(Topic::ALL.len());
        for topic in Topic::ALL {
            wishes.push((topic, self.wants(&mut connection, permit.account(), topic).await?));
        }
        Ok(wishes)
    }

    /// Says of what the account shall be told.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_wishes(&self, permit: &AccountPermit, wanted: &[Topic]) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        for topic in Topic::ALL {
            store::set_wish(&mut transaction, permit.account().id, topic.as_str(), wanted.contains(&topic)).await?;
        }
        transaction.commit().await
    }

    async fn wants(&self, connection: &mut sqlx::PgConnection, account: &AccountFacts, topic: Topic) -> Result<bool> {
        let wish = store::find_wish(connection, account.id, topic.as_str()).await?;
        Ok(wish.unwrap_or_else(|| topic.is_wanted_by_default()))
    }
}

/// Somebody who may be told, as an actor who reads.
fn reader(account: Arc<AccountFacts>) -> Actor {
    Actor::User(Principal::standing_in(account, IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// What is wrong with a letter concerns that letter alone: the others must not wait for it.
fn unless_outage(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(cause @ Error::Internal(_)) => {
            tracing::error!(%cause, "a notice could not be written");
            Ok(())
        }
        outcome => outcome,
    }
}
