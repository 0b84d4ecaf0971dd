//! The thread on which postmasters live, one after the other.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

use super::lock::DirectoryLock;
use super::log::LastLines;
use super::{EmbeddedError, postmaster};

/// The first pause before a restart; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// A postmaster that lived so long starts the pauses anew.
const HEALTHY: Duration = Duration::from_mins(1);
/// How long the last lines of a postmaster may take to arrive.
const LOG_PATIENCE: Duration = Duration::from_millis(200);

/// What is known of the postmaster from outside its thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Not spawned yet, or between two lives.
    Down,
    /// Spawned.
    Up(Pid),
    /// It will not be started again; the reason is there unless it was asked to stop.
    Ended(Option<String>),
}

/// What the owner and the thread share.
#[derive(Default)]
pub(super) struct Control {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

/// What the owner asks for, and whom to ask.
#[derive(Default)]
pub(super) struct Wishes {
    /// Nothing is to be started any more.
    pub(super) stop: bool,
    /// It was ready once, so from now on it is restarted.
    pub(super) ready: bool,
    /// The process to signal; absent as soon as its number may belong to another.
    pid: Option<Pid>,
}

impl Control {
    pub(super) fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the end, in the way that `signal` has.
    pub(super) fn request_stop(&self, signal: Signal) {
        let mut wishes = self.wishes();
        wishes.stop = true;
        if let Some(pid) = wishes.pid {
            let _ = kill_process(pid, signal);
        }
        drop(wishes);
        self.changed.notify_all();
    }

    /// Waits for `pause`, or less when a stop is asked for. Says whether to go on.
    fn pause(&self, pause: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.wishes(), pause, |wishes| !wishes.stop);
        let (wishes, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !wishes.stop
    }
}

/// The thread's side.
pub(super) struct Life {
    pub(super) control: Arc<Control>,
    pub(super) cluster: PathBuf,
    pub(super) lines: LastLines,
    pub(super) state: watch::Sender<State>,
    pub(super) deaths: watch::Sender<u64>,
}

impl Life {
    /// Supervises until the end, then frees the directory.
    pub(super) fn run(self, lock: DirectoryLock, command: &dyn Fn() -> Command) {
        let reason = self.live(command);
        // First the directory is free, then the owner hears of it and may tell the user.
        drop(lock);
        self.state.send_replace(State::Ended(reason));
    }

    /// Runs postmasters until one is asked to stop, or the first fails to start; returns why it failed.
    fn live(&self, command: &dyn Fn() -> Command) -> Option<String> {
        let mut pause = FIRST_PAUSE;
        loop {
            let born = Instant::now();
            let end = self.run_once(command);
            let Wishes { stop, ready, .. } = *self.control.wishes();
            if stop {
                return None;
            }
            let reason = end.map_or_else(|error| error.to_string(), |status| self.explain(status));
            if !ready {
                return Some(reason);
            }
            if born.elapsed() >= HEALTHY {
                pause = FIRST_PAUSE;
            }
            self.mourn(&reason, pause);
            if !self.control.pause(pause) {
                return None;
            }
            pause = LAST_PAUSE.min(pause * 2);
        }
    }

    fn run_once(&self, command: &dyn Fn() -> Command) -> Result<ExitStatus, EmbeddedError> {
        postmaster::clear(&self.cluster)?;
        let status = self.spawn(command).and_then(|child| self.await_end(child));
        status.map_err(EmbeddedError::io("run Postgres on", &self.cluster))
    }

    /// Spawns unless a stop was asked for meanwhile; both under one lock, so no stop is overlooked.
    fn spawn(&self, command: &dyn Fn() -> Command) -> io::Result<Child> {
        let mut wishes = self.control.wishes();
        if wishes.stop {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let child = command().stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        wishes.pid = pid_of(&child);
        Ok(child)
    }

    /// Waits without reaping first: until the child is reaped its number cannot belong to another process, so
    /// by then nobody may signal it any more.
    fn await_end(&self, mut child: Child) -> io::Result<ExitStatus> {
        let log = child.stderr.take().map(|stderr| self.lines.follow(stderr));
        if let Some(pid) = pid_of(&child) {
            self.state.send_replace(State::Up(pid));
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        }
        self.control.wishes().pid = None;
        self.state.send_replace(State::Down);
        let status = child.wait()?;
        finish_log(log);
        Ok(status)
    }

    fn explain(&self, status: ExitStatus) -> String {
        format!("{status}; it said: {}", self.lines.joined())
    }

    fn mourn(&self, reason: &str, pause: Duration) {
        tracing::error!(reason, pause_ms = pause.as_millis(), "Postgres died and will be restarted");
        self.deaths.send_modify(|deaths| *deaths += 1);
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Lets the last lines arrive, but not for ever: orphans of the postmaster may keep the pipe open.
fn finish_log(log: Option<io::Result<thread::JoinHandle<()>>>) {
    let Some(Ok(log)) = log else { return };
    let deadline = Instant::now() + LOG_PATIENCE;
    while !log.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
}
