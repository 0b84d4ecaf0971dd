//! Starts the postmaster, restarts it when it dies, and stops it.
//!
//! A plain thread does it, and lives until the postmaster is gone for good: on Linux the signal that ends the
//! postmaster together with us is tied to the thread that spawned it, so a pool's thread would not do.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::life::{Control, Life, State};
use super::lock::DirectoryLock;
use super::log::LastLines;
use super::{EmbeddedError, postmaster};

/// How often an operator is told that a start takes long. It is never given up: recovery after a crash would
/// begin anew each time.
const REMINDER: Duration = Duration::from_secs(10);
/// How long a fast shutdown may take before the immediate one.
const FAST_PATIENCE: Duration = Duration::from_secs(20);
/// How long the immediate shutdown may take before the kernel ends the postmaster.
const QUIT_PATIENCE: Duration = Duration::from_secs(5);
/// How often the state of a starting postmaster is read; it announces itself in a file.
const RETRY: Duration = Duration::from_millis(10);

/// A running postmaster, stopped in the background when dropped.
pub(super) struct Supervisor {
    control: Arc<Control>,
    state: watch::Receiver<State>,
    deaths: watch::Receiver<u64>,
    cluster: PathBuf,
}

impl Supervisor {
    /// Spawns the thread and, on it, what `command` builds. The lock is released after the postmaster is gone.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Io`] when the thread cannot be made.
    pub(super) fn start(
        cluster: PathBuf,
        lock: DirectoryLock,
        command: impl Fn() -> Command + Send + 'static,
    ) -> Result<Self, EmbeddedError> {
        let control = Arc::new(Control::default());
        let (state_sender, state) = watch::channel(State::Down);
        let (death_sender, deaths) = watch::channel(0);
        let life = Life {
            control: Arc::clone(&control),
            cluster: cluster.clone(),
            lines: LastLines::default(),
            state: state_sender,
            deaths: death_sender,
        };
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || life.run(lock, &command))
            .map_err(EmbeddedError::io("start a thread for", &cluster))?;
        Ok(Self { control, state, deaths, cluster })
    }

    /// Waits until the postmaster accepts connections, however long its recovery takes.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Start`] when it ends before.
    pub(super) async fn ready(&self) -> Result<(), EmbeddedError> {
        loop {
            match timeout(REMINDER, self.poll_ready()).await {
                Ok(result) => return result,
                Err(_) => {
                    tracing::warn!("Postgres is still starting, perhaps recovering after a crash");
                }
            }
        }
    }

    async fn poll_ready(&self) -> Result<(), EmbeddedError> {
        loop {
            match self.state.borrow().clone() {
                State::Ended(reason) => {
                    let output = reason.unwrap_or_else(|| "it was asked to stop".to_owned());
                    return Err(EmbeddedError::Start { output });
                }
                State::Up(pid) if postmaster::is_ready(&self.cluster, pid) => {
                    self.control.wishes().ready = true;
                    return Ok(());
                }
                State::Up(_) | State::Down => sleep(RETRY).await,
            }
        }
    }

    /// Resolves when the postmaster dies without having been asked to.
    pub(super) async fn exited(&self) {
        let mut deaths = self.deaths.clone();
        deaths.mark_unchanged();
        if deaths.changed().await.is_err() {
            // The thread ended on request; nothing unexpected can happen any more.
            std::future::pending::<()>().await;
        }
    }

    /// Stops the postmaster: fast, then at once, then by force. Returns when it is gone.
    pub(super) async fn stop(&self) {
        let kinds = [(Signal::INT, FAST_PATIENCE), (Signal::QUIT, QUIT_PATIENCE), (Signal::KILL, QUIT_PATIENCE)];
        for (signal, patience) in kinds {
            self.control.request_stop(signal);
            let mut state = self.state.clone();
            let ended = state.wait_for(|state| matches!(state, State::Ended(_)));
            if timeout(patience, ended).await.is_ok() {
                return;
            }
            tracing::warn!(?signal, "Postgres did not stop in time");
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.control.request_stop(Signal::INT);
    }
}
