//! How the chores stand, and doing one now: for who administers the instance.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::app::App;
use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::policy::InstancePermit;

use super::{Reach, all, store};

/// How long somebody waits for a chore they asked for; it goes on without them.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a chore stands.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// How long it rests after a success.
    pub every: Duration,
    /// Whether each node does it for itself.
    pub each_node: bool,
    /// Failures in a row, on this node.
    pub failures: u32,
    /// When it was last done, on whichever node; not kept of what each node does for itself.
    pub succeeded_at: Option<Time>,
    /// Whether a node is doing it for all.
    pub running: bool,
}

/// What came of [`run_now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunNow {
    /// It is done.
    Done,
    /// Another node is doing it.
    Elsewhere,
    /// It was begun, and takes longer than anybody waits.
    Begun,
}

/// How all chores stand.
///
/// # Errors
/// The database's.
pub async fn reports(app: &App, _permit: &InstancePermit) -> Result<Vec<Report>> {
    let turns = store::list_turns(&app.db).await?;
    let report = |chore: super::Chore| {
        let turn = turns.iter().find(|turn| turn.name == chore.name);
        Report {
            name: chore.name,
            every: chore.every,
            each_node: chore.reach == Reach::EachNode,
            failures: app.board.failures_of(chore.name),
            succeeded_at: turn.and_then(|turn| turn.succeeded_at),
            running: turn.is_some_and(|turn| turn.running),
        }
    };
    Ok(all().into_iter().map(report).collect())
}

/// Does one chore now, due or not.
///
/// # Errors
/// `NotFound` for an unknown name, `Unprocessable` where it failed.
pub async fn run_now(app: &Arc<App>, permit: &InstancePermit, name: &str) -> Result<RunNow> {
    let chore = all().into_iter().find(|chore| chore.name == name);
    let chore = chore.ok_or_else(|| Error::NotFound("There is no such job. Load the page again.".into()))?;
    record(app, permit, chore.name).await?;
    store::make_due(&app.db, chore.name).await?;
    let app = app.clone();
    let run = tokio::spawn(async move {
        let outcome = chore.take_part(&app).await;
        app.board.note(chore.name, outcome.is_ok());
        outcome
    });
    match tokio::time::timeout(PATIENCE, run).await {
        Err(_) => Ok(RunNow::Begun),
        Ok(Ok(Ok(true))) => Ok(RunNow::Done),
        Ok(Ok(Ok(false))) => Ok(RunNow::Elsewhere),
        Ok(Ok(Err(cause))) => {
            tracing::warn!(%cause, chore = name, "a chore that was asked for failed");
            Err(Error::Unprocessable(format!("{name} failed: {cause}").into()))
        }
        Ok(Err(cause)) => Err(Error::internal(cause)),
    }
}

async fn record(app: &App, permit: &InstancePermit, chore: &'static str) -> Result<()> {
    let event =
        audit::Event { action: "chore.run", subject: chore, scope: None, outcome: Outcome::Done, detail: json!({}) };
    let mut transaction = app.db.begin().await?;
    audit::record(&mut transaction, &By::from(permit.actor()), &event, app.clock.now()).await?;
    transaction.commit().await
}
