//! Everything of an account to take away: one archive, made while it is being sent.
//!
//! Whatever became of a plan, what somebody put here stays theirs: so this asks for no plan (`domain.md`, "Billing"). No
//! more than a piece of the archive is in memory at any time, and an account has one made at a time, on whichever node.

mod papers;
mod store;
mod tape;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use tokio::sync::mpsc;

use crate::access::Access;
use crate::audit::{self, By, Outcome};
use crate::blobs::{BlobStream, ByteRange};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageName};
use crate::packages::{Encoding, Form, Opened, Packages, TarballFacts};
use crate::policy::{AccountPermit, Actor, Intent};
use crate::second_factor::SecondFactor;
use crate::tokens::Tokens;
use crate::users::Users;

use store::StoredVersion;
use tape::Tape;

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
        let Parts { db, clock, users, second_factor, tokens, access, packages, public_url } = parts;
        Self { db, clock, users, second_factor, tokens, access, packages, public_url }
    }

    /// How much there is to export.
    ///
    /// # Errors
    /// The database's.
    pub async fn extent(&self, permit: &AccountPermit) -> Result<Extent> {
        store::measure(self.db.reads(), permit.account().id).await
    }

    /// Begins an archive of everything of the account, and writes down that it did.
    ///
    /// # Errors
    /// `Conflict` where one is under way; `DeadCredential` for a session that has just ended.
    pub async fn begin(&self, permit: &AccountPermit) -> Result<Export> {
        let (account, now) = (permit.account(), self.clock.now());
        let actor = Actor::User(permit.principal().clone());
        let mut transaction = self.db.begin().await?;
        self.tokens.refresh_living(&mut transaction, &actor).await?;
        if !store::take_turn(&mut transaction, account.id, now, now + TURN).await? {
            return Err(Error::Conflict(
                "An export of your account is under way. Wait until it has ended, then begin another one.".into(),
            ));
        }
        let event = audit::Event {
            action: "account.export",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, &By::from(permit), &event, now).await?;
        transaction.commit().await?;
        let (sender, pieces) = mpsc::channel(PIECES);
        let file = format!("strongroom-{}-{}.tar", account.name, now.format("%Y-%m-%d"));
        let folder = file.trim_end_matches(".tar").to_owned();
        let tape = Tape::new(sender, folder, now);
        tokio::spawn(self.clone().write(account.id, actor, tape));
        Ok(Export { file, pieces })
    }

    /// Writes the archive to its end. An error breaks it off, so that nobody takes a part for the whole.
    async fn write(self, account: AccountId, actor: Actor, mut tape: Tape) {
        let written = self.write_all(account, &actor, &mut tape).await;
        if let Err(cause) = &written {
            tracing::warn!(cause = %cause, account.id = account.0, "an export was broken off");
        }
        tape.close(written).await;
        if let Err(cause) = self.end_turn(account).await {
            tracing::warn!(%cause, "the turn of an export runs out by itself");
        }
    }

    async fn end_turn(&self, account: AccountId) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::end_turn(&mut transaction, account).await?;
        transaction.commit().await
    }

    async fn write_all(&self, account: AccountId, actor: &Actor, tape: &mut Tape) -> Result<()> {
        tape.file("README.txt", papers::readme(&self.public_url).into()).await?;
        self.write_account(account, actor, tape).await?;
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
        self.write_audit(account, tape).await
    }

    async fn write_account(&self, account: AccountId, actor: &Actor, tape: &mut Tape) -> Result<()> {
        // Whoever asked may be gone by now; then nothing more is handed out.
        let permit = crate::policy::permit_account(&self.living(actor).await?, crate::policy::AccountAction::See)
            .map_err(|refusal| crate::second_factor::explain_account(&refusal))?;
        let details = self.users.details(account).await?;
        let factor = self.second_factor.overview(&permit).await?;
        tape.file("profile.json", papers::profile(permit.account(), &details, &factor)).await?;
        let tokens = self.tokens.list(Some(account)).await?;
        tape.file("tokens.json", papers::tokens(&tokens)).await?;
        let sessions = self.tokens.list_sessions(&permit).await?;
        tape.file("sessions.json", papers::sessions(&sessions)).await?;
        let packages = self.access.list_packages(account, actor).await?;
        tape.file("packages.json", papers::packages(&packages)).await
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

    async fn write_package(
        &self,
        account: AccountId,
        actor: &Actor,
        name: &PackageName,
        tape: &mut Tape,
    ) -> Result<()> {
        let actor = self.living(actor).await?;
        let opened = match self.packages.open(&actor, name, Intent::EXPORT).await {
            Ok(opened) => opened,
            // Removed, or given away, since it was listed.
            Err(Error::NotFound(_) | Error::Conflict(_) | Error::Lacking { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let document = self.packages.document(&opened, Form::Full).await?;
        let packument = self.packages.encoded(&opened, &document, Encoding::Identity).await?;
        tape.file(&format!("packages/{name}/packument.json"), packument).await?;
        let collaborators = self.access.list_collaborators(&opened.permit).await?;
        let access = papers::access(opened.visibility(), &collaborators);
        tape.file(&format!("packages/{name}/access.json"), access).await?;
        let mut after = 0;
        loop {
            let versions = store::list_versions(self.db.reads(), name, after, BATCH).await?;
            for version in &versions {
                self.renew_turn(account, tape).await?;
                self.write_tarball(&opened, version, tape).await?;
            }
            match versions.last() {
                Some(last) => after = last.id,
                None => return Ok(()),
            }
        }
    }

    async fn write_tarball(&self, opened: &Opened, version: &StoredVersion, tape: &mut Tape) -> Result<()> {
        let name = opened.permit.name();
        let facts = TarballFacts { digest: version.digest.clone(), size_bytes: version.size_bytes };
        let blob = self.packages.tarball_bytes(opened, &facts).await?;
        let path = format!("packages/{name}/{}-{}.tgz", name.unscoped(), version.version);
        tape.begin_file(&path, facts.size_bytes, version.published_at).await?;
        match blob.into_stream(ByteRange { start: 0, length: facts.size_bytes }) {
            BlobStream::Memory(bytes) => tape.piece(bytes).await?,
            BlobStream::File(stream) => tape.pieces(stream).await?,
        }
        tape.end_file().await
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
