//! Having the chores done, for as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::error::{Error, Result};

use super::{Chore, Reach, all, store};

/// The longest that one run may take; it is cut off then, and tried again.
const LONGEST_RUN: Duration = Duration::from_mins(5);

/// How long a turn is held at most: longer than any run, so that two nodes never have one at once.
const HOLD: Duration = Duration::from_mins(6);

/// The pause after a first failure, which doubles with each further one, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How soon a chore begins after the start of the node, so that not all come at once.
const FIRST_RUN_WITHIN: Duration = Duration::from_secs(3);

/// The chores are being done; see [`Tending::stop`].
#[derive(Debug)]
pub struct Tending {
    app: Arc<App>,
    stopping: CancellationToken,
    cut_off: CancellationToken,
    tasks: TaskTracker,
}

/// Has all chores done from now on, each in a task of its own.
pub fn start(app: &Arc<App>) -> Tending {
    let (stopping, cut_off) = (CancellationToken::new(), CancellationToken::new());
    let tasks = TaskTracker::new();
    for chore in all() {
        let (app, stopping, cut_off) = (app.clone(), stopping.clone(), cut_off.clone());
        tasks.spawn(async move { cut_off.run_until_cancelled(tend(&app, &chore, &stopping)).await });
    }
    Tending { app: app.clone(), stopping, cut_off, tasks }
}

impl Tending {
    /// What to cancel so that no further run begins; those that are under way go on.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Begins no further run, waits for those that are under way, does what must be done once more, and cuts off what
    /// is not done after `limit`.
    pub async fn stop(self, limit: Duration) {
        self.stopping.cancel();
        self.tasks.close();
        let finish = async {
            self.tasks.wait().await;
            for chore in all().iter().filter(|chore| chore.at_stop) {
                if let Err(cause) = chore.run(&self.app).await {
                    tracing::warn!(chore = chore.name, %cause, "a last chore failed");
                }
            }
        };
        if tokio::time::timeout(limit, finish).await.is_err() {
            tracing::warn!("background work still ran when the time to stop was over");
            self.cut_off.cancel();
            self.tasks.wait().await;
        }
    }
}

async fn tend(app: &App, chore: &Chore, stopping: &CancellationToken) {
    let mut pause = jitter(chore.every.min(FIRST_RUN_WITHIN), 1.0);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let outcome = chore.take_part(app).await;
        let failures = app.board.note(chore.name, outcome.is_ok());
        if let Err(cause) = outcome {
            let source = std::error::Error::source(&cause).map(tracing::field::display);
            tracing::warn!(chore = chore.name, failures, %cause, source, "a chore failed");
        }
        pause = pause_after(failures, chore.every);
    }
}

impl Chore {
    /// Does it, if it is this node's turn. Tells whether it was.
    ///
    /// # Errors
    /// The chore's own, and the database's.
    pub async fn take_part(&self, app: &App) -> Result<bool> {
        if self.reach == Reach::EachNode {
            return self.run_in_time(app).await.map(|()| true);
        }
        if !store::take_turn(&app.db, self.name, HOLD).await? {
            return Ok(false);
        }
        let outcome = self.run_in_time(app).await;
        // A little less than the rest, so that who has done it finds it due when they come back.
        let rest = outcome.is_ok().then(|| self.every.mul_f64(0.8));
        store::end_turn(&app.db, self.name, rest).await?;
        outcome.map(|()| true)
    }

    async fn run_in_time(&self, app: &App) -> Result<()> {
        let started = tokio::time::Instant::now();
        let run = tokio::time::timeout(LONGEST_RUN, self.run(app));
        run.await.unwrap_or_else(|_| Err(Error::internal(format!("the chore {} took too long", self.name))))?;
        tracing::debug!(chore = self.name, took_ms = started.elapsed().as_millis(), "did a chore");
        Ok(())
    }
}

fn pause_after(failures: u32, every: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => jitter(every, 0.1),
        Some(doublings) => jitter((FIRST_PAUSE * (1 << doublings.min(10))).min(LONGEST_PAUSE), 0.2),
    }
}

/// The time less a random part of it: nodes that start together do not stay in step.
fn jitter(time: Duration, part: f64) -> Duration {
    let chance = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
    time.mul_f64(1.0 - part * chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_again_with_growing_pauses() {
        let hour = Duration::from_hours(1);
        assert!(pause_after(0, hour) > hour.mul_f64(0.89) && pause_after(0, hour) <= hour);
        assert!(pause_after(1, hour) <= FIRST_PAUSE && pause_after(1, hour) >= FIRST_PAUSE.mul_f64(0.79));
        assert!(pause_after(4, hour) > FIRST_PAUSE * 6);
        assert!(pause_after(u32::MAX, Duration::from_secs(1)) <= LONGEST_PAUSE);
    }
}
