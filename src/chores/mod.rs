//! Background work: what has to be done again and again without anybody asking for it.
//!
//! [`all`] is the whole list, and `strongroom serve` has it done ([`start`]). A chore is one verb that does what there is
//! to do and returns; when to call it again, on which node, and what becomes of its failures is decided here.

mod board;
mod report;
mod runner;
mod store;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::app::App;
use crate::error::{Error, Result};

pub use board::Board;
pub use report::{Report, RunNow, reports, run_now};
pub use runner::{Tending, start};

/// Work that is done again and again.
pub struct Chore {
    /// Its name, as `room.verb`: in logs, and in `/-/readyz` while it fails.
    pub name: &'static str,
    /// How long it rests after a success.
    pub every: Duration,
    /// Which nodes do it.
    pub reach: Reach,
    /// Whether it is done once more when the node stops: for what would be lost with its memory.
    pub at_stop: bool,
    work: Work,
}

/// What a chore does.
pub type Work = for<'a> fn(&'a App) -> BoxFuture<'a, Result<()>>;

/// Which nodes do a chore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Each for itself: work on what the node has in memory, or that nodes share out by row locks.
    EachNode,
    /// One at a time, for all of them.
    OneNode,
}

impl fmt::Debug for Chore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Chore").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every chore, one line each.
pub fn all() -> Vec<Chore> {
    vec![
        Chore::each_node("blobs.sweep", Duration::from_hours(1), |app| Box::pin(sweep_blobs(app))),
        Chore::one_node("signatures.sign", Duration::from_hours(1), |app| Box::pin(sign_versions(app))),
        Chore::one_node("access.expire", Duration::from_secs(20), |app| Box::pin(end_grants(app))),
        Chore::one_node("trust.forget", Duration::from_hours(1), |app| Box::pin(app.trust.forget_exchanges())),
        Chore::one_node("staging.expire", Duration::from_hours(1), |app| Box::pin(expire_staged(app))),
        Chore::each_node("downloads.flush", Duration::from_secs(10), |app| Box::pin(app.downloads.flush()))
            .also_at_stop(),
        Chore::each_node("hooks.deliver", Duration::from_secs(2), |app| Box::pin(app.hooks.deliver())),
        Chore::one_node("hooks.forget", Duration::from_hours(12), |app| Box::pin(app.hooks.forget_old_deliveries())),
        Chore::each_node("mail.deliver", Duration::from_secs(2), |app| Box::pin(app.mail.deliver())),
        Chore::one_node("mail.forget", Duration::from_hours(12), |app| Box::pin(app.mail.forget())),
        Chore::each_node("recovery.answer", Duration::from_secs(2), |app| Box::pin(app.recovery.answer_forgotten())),
        Chore::each_node("notices.tell", Duration::from_secs(5), |app| Box::pin(app.notices.tell())),
        Chore::each_node("tokens.last_uses", Duration::from_mins(1), |app| Box::pin(app.tokens.write_last_uses()))
            .also_at_stop(),
        Chore::one_node("packages.index_files", Duration::from_mins(10), |app| Box::pin(index_files(app))),
        Chore::one_node("readmes.render", Duration::from_secs(3), |app| Box::pin(render_readmes(app))),
        Chore::each_node("billing.ask", Duration::from_secs(5), |app| Box::pin(app.billing.ask_for_due())),
        Chore::one_node("billing.forget", Duration::from_hours(12), |app| Box::pin(app.billing.forget_events())),
        Chore::one_node("packages.empty_trash", Duration::from_hours(1), |app| Box::pin(empty_trash(app))),
    ]
}

impl Chore {
    /// A chore that each node does for itself.
    pub const fn each_node(name: &'static str, every: Duration, work: Work) -> Self {
        Self { name, every, reach: Reach::EachNode, at_stop: false, work }
    }

    /// A chore that one node does for all.
    pub const fn one_node(name: &'static str, every: Duration, work: Work) -> Self {
        Self { name, every, reach: Reach::OneNode, at_stop: false, work }
    }

    /// The same, done once more when the node stops.
    #[must_use]
    pub const fn also_at_stop(self) -> Self {
        Self { at_stop: true, ..self }
    }

    /// Does it once, here and now, whosever turn it is. A panic is a failure like any other.
    ///
    /// # Errors
    /// The chore's own.
    pub async fn run(&self, app: &App) -> Result<()> {
        let outcome = AssertUnwindSafe(async { (self.work)(app).await }).catch_unwind().await;
        outcome.unwrap_or_else(|_| Err(Error::internal(format!("the chore {} panicked", self.name))))
    }
}

impl App {
    /// Does one chore now, by its name.
    ///
    /// # Errors
    /// `NotFound` for an unknown name, else the chore's own.
    pub async fn run_chore(&self, name: &str) -> Result<()> {
        let chore = all().into_iter().find(|chore| chore.name == name);
        chore.ok_or_else(|| Error::NotFound(format!("There is no chore {name}.").into()))?.run(self).await
    }
}

async fn expire_staged(app: &App) -> Result<()> {
    let versions = app.staging.expire().await?;
    if versions > 0 {
        tracing::info!(versions, "threw away staged versions that nobody looked at");
    }
    Ok(())
}

/// Renders what was published since the last time; after an upgrade everything, one piece after the other.
async fn render_readmes(app: &App) -> Result<()> {
    let readmes = app.readmes.render_missing().await?;
    if readmes > 0 {
        tracing::debug!(readmes, "rendered READMEs");
    }
    Ok(())
}

/// Notes the files of versions that were published without an index.
async fn index_files(app: &App) -> Result<()> {
    let versions = app.packages.index_missing().await?;
    if versions > 0 {
        tracing::info!(versions, "noted the files of versions");
    }
    Ok(())
}

async fn empty_trash(app: &App) -> Result<()> {
    let versions = app.packages.empty_trash().await?;
    if versions > 0 {
        tracing::info!(versions, "let go of what was in the trash for too long");
    }
    Ok(())
}

/// Sweeps until there is nothing left to sweep, one short transaction after the other.
async fn sweep_blobs(app: &App) -> Result<()> {
    loop {
        let mut transaction = app.db.begin().await?;
        let files = app.blobs.sweep(&mut transaction, app.clock.now()).await?;
        transaction.commit().await?;
        if files == 0 {
            return Ok(());
        }
        tracing::info!(files, "removed package files that nothing pointed at");
    }
}

/// Signs what a release without signatures published, before an upgrade or beside this one during it.
async fn sign_versions(app: &App) -> Result<()> {
    let versions = app.signatures.sign_missing().await?;
    if versions > 0 {
        tracing::info!(versions, "signed versions that were published unsigned");
    }
    Ok(())
}

/// Removes grants whose time has come, until there are none left.
async fn end_grants(app: &App) -> Result<()> {
    while app.access.remove_ended_grants().await? > 0 {}
    Ok(())
}
