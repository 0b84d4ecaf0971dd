//! Everything of an account to take away: one archive, made while it is being sent.
//!
//! Whatever became of a plan, what somebody put here stays theirs: so this asks for no plan (`domain.md`, "Billing"). No
//! more than a piece of the archive is in memory at any time, and an account has one made at a time, on whichever node.

mod account;
mod organization;
mod package;
mod papers;
mod store;
mod tape;
mod task;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use tokio::sync::mpsc;

use crate::access::Access;
use crate::audit::{self, By, Outcome};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::names::AccountId;
use crate::organizations::Organizations;
use crate::packages::Packages;
use crate::policy::{AccountKind, Actor, HolderPermit};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;
use crate::users::Users;

use tape::Tape;
use task::{Task, require_export};

/// For how long a turn is held without being renewed, and how often it is.
const TURN: TimeDelta = TimeDelta::minutes(5);
const RENEWED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Pieces that wait to be sent: 256 KiB each at most.
const PIECES: usize = 4;

/// Packages, versions and lines that are read at once.
const BATCH: i64 = 500;

/// Handle to the exports.
#[derive(Debug, Clone)]
pub struct Exports {
    db: Db,
    clock: Clock,
    users: Users,
    second_factor: SecondFactor,
    tokens: Tokens,
    access: Access,
    organizations: Organizations,
    packages: Packages,
    public_url: Arc<str>,
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What an account says of itself.
    pub users: Users,
    /// What it logs in with.
    pub second_factor: SecondFactor,
    /// Its tokens and sessions.
    pub tokens: Tokens,
    /// Who else has access.
    pub access: Access,
    /// Who is in an organization.
    pub organizations: Organizations,
    /// What it published.
    pub packages: Packages,
    /// Where all of this was.
    pub public_url: Arc<str>,
}

/// An archive that has begun.
#[derive(Debug)]
pub struct Export {
    /// What the file is called.
    pub file: String,
    /// Its bytes; an error where it cannot be ended as it should.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
}

/// What an export will hold, as far as it can be counted.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Packages in the account's scope.
    pub packages: i64,
    /// Their versions.
    pub versions: i64,
    /// The bytes of their tarballs.
    pub bytes: i64,
}

impl Exports {
    /// Sets the room up.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, clock, users, second_factor, tokens, access, organizations, packages, public_url } = parts;
        Self { db, clock, users, second_factor, tokens, access, organizations, packages, public_url }
    }

    /// How much there is to export.
    ///
    /// # Errors
    /// The database's.
    pub async fn extent(&self, holder: HolderPermit<'_>) -> Result<Extent> {
        store::measure(self.db.reads(), holder.account().id).await
    }

    /// Begins an archive of everything of the account, and writes down that it did.
    ///
    /// # Errors
    /// `Conflict` where one is under way; `DeadCredential` for a session that has just ended; the refusal, where the permit
    /// no longer holds.
    pub async fn begin(&self, holder: HolderPermit<'_>) -> Result<Export> {
        require_export(&holder)?;
        let (account, task, now) = (holder.account(), Task::from(&holder), self.clock.now());
        let mut transaction = self.db.begin().await?;
        match holder {
            HolderPermit::User(_) => drop(self.tokens.refresh_living(&mut transaction, &task.actor).await?),
            HolderPermit::Organization(permit) => {
                drop(self.organizations.lock_and_permit(&mut transaction, permit).await?);
            }
        }
        if !store::take_turn(&mut transaction, account.id, now, now + TURN).await? {
            return Err(Error::Conflict(
                format!("An export of {} is under way. Wait until it has ended, then begin another one.", account.name)
                    .into(),
            ));
        }
        let event = audit::Event {
            action: "account.export",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, &By::from(&task.actor), &event, now).await?;
        transaction.commit().await?;
        let (sender, pieces) = mpsc::channel(PIECES);
        let file = format!("strongroom-{}-{}.tar", account.name, now.format("%Y-%m-%d"));
        let folder = file.trim_end_matches(".tar").to_owned();
        let tape = Tape::new(sender, folder, now);
        tokio::spawn(self.clone().write(task, tape));
        Ok(Export { file, pieces })
    }

    /// Writes the archive to its end. An error breaks it off, so that nobody takes a part for the whole.
    async fn write(self, task: Task, mut tape: Tape) {
        let written = self.write_all(&task, &mut tape).await;
        if let Err(cause) = &written {
            tracing::warn!(cause = %cause, account.id = task.account.0, "an export was broken off");
        }
        tape.close(written).await;
        if let Err(cause) = self.end_turn(task.account).await {
            tracing::warn!(%cause, "the turn of an export runs out by itself");
        }
    }

    async fn end_turn(&self, account: AccountId) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::end_turn(&mut transaction, account).await?;
        transaction.commit().await
    }

    async fn write_all(&self, task: &Task, tape: &mut Tape) -> Result<()> {
        let (account, actor) = (task.account, &task.actor);
        tape.file("README.txt", papers::readme(task.kind, &self.public_url).into()).await?;
        match task.kind {
            AccountKind::User => self.write_account(task, tape).await?,
            AccountKind::Organization => self.write_organization(task, tape).await?,
        }
        let mut after = None;
        loop {
            let names = store::list_packages(self.db.reads(), account, after.as_ref(), BATCH).await?;
            for name in &names {
                self.write_package(account, actor, name, tape).await?;
            }
            match names.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        // Packages ask for themselves; what is left concerns the organization alone.
        if task.kind == AccountKind::Organization {
            self.owner_still(task).await?;
        }
        self.write_audit(account, tape).await
    }

    /// The actor as the database has them now: an export goes on for long, and a session that was ended ends it too.
    async fn living(&self, actor: &Actor) -> Result<Actor> {
        let mut connection = self.db.reads().acquire().await?;
        let living = self.tokens.refresh_living(&mut connection, actor).await?;
        Ok(match (living, actor) {
            (Actor::User(living), Actor::User(asked)) => {
                Actor::User(crate::policy::Principal { confirmed: asked.confirmed, ..living })
            }
            (living, _) => living,
        })
    }

    async fn write_audit(&self, account: AccountId, tape: &mut Tape) -> Result<()> {
        let (mut after, mut number) = (None, 1);
        loop {
            let (text, last) = store::list_audit(self.db.reads(), account, after, BATCH).await?;
            let Some(last) = last else { return Ok(()) };
            tape.file(&format!("audit/{number:06}.jsonl"), text.into()).await?;
            self.renew_turn(account, tape).await?;
            (after, number) = (Some(last), number + 1);
        }
    }

    async fn renew_turn(&self, account: AccountId, tape: &mut Tape) -> Result<()> {
        let now = self.clock.now();
        if now - tape.renewed_at < RENEWED_EVERY {
            return Ok(());
        }
        tape.renewed_at = now;
        let mut transaction = self.db.begin().await?;
        store::renew_turn(&mut transaction, account, now + TURN).await?;
        transaction.commit().await
    }
}
