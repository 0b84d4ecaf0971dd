//! The lock file that gives one process at a time the data directory.
//!
//! The kernel frees the lock when its holder dies, however it dies, so a stale file never blocks anybody.
//! The holder writes its process id and role into the file for the message of those who come later.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use tokio::time::{Instant, sleep};

use super::{EmbeddedError, Role};

/// How long a server waits for a short command that holds the directory.
const SERVER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a command waits for other commands.
const COMMAND_PATIENCE: Duration = Duration::from_mins(1);
/// How often a waiting process looks again; the standard lock has no timed wait.
const RETRY: Duration = Duration::from_millis(50);

/// The data directory, held until dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: File,
}

/// Who holds the directory, as written in the lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: Pid,
    pub(super) role: Role,
}

/// How the wait for the lock ended.
#[derive(Debug)]
pub(super) enum Turn {
    /// The directory is ours.
    Taken(DirectoryLock),
    /// A server holds it; a command may join that.
    Served,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Server => "the strongroom server",
            Role::Command => "a strongroom command",
        };
        write!(formatter, "{role} with process id {}", self.pid)
    }
}

/// Waits for the directory as `role` does: a server fails at once beside another server and waits 15 s for a
/// command; a command waits 60 s for commands and is told at once when a server holds the directory.
///
/// # Errors
///
/// [`EmbeddedError::InUse`] when patience ends, [`EmbeddedError::Io`] when the lock file cannot be used.
pub(super) async fn take(data_dir: &Path, role: Role) -> Result<Turn, EmbeddedError> {
    let path = path(data_dir);
    let deadline = Instant::now() + patience(role);
    loop {
        if let Some(lock) = try_take(&path, role)? {
            return Ok(Turn::Taken(lock));
        }
        let holder = holder(&path);
        let served = holder.is_some_and(|holder| holder.role == Role::Server);
        match role {
            Role::Command if served => return Ok(Turn::Served),
            Role::Server if served => return Err(in_use(data_dir, holder)),
            _ if Instant::now() >= deadline => return Err(in_use(data_dir, holder)),
            _ => sleep(RETRY).await,
        }
    }
}

/// Whether a living server holds the directory.
pub(super) fn is_served(data_dir: &Path) -> bool {
    holder(&path(data_dir)).is_some_and(|holder| holder.role == Role::Server)
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("strongroom.lock")
}

fn patience(role: Role) -> Duration {
    match role {
        Role::Server => SERVER_PATIENCE,
        Role::Command => COMMAND_PATIENCE,
    }
}

fn in_use(data_dir: &Path, holder: Option<Holder>) -> EmbeddedError {
    EmbeddedError::InUse {
        data_dir: data_dir.to_owned(),
        holder: holder.map_or_else(|| "another process".to_owned(), |holder| holder.to_string()),
    }
}

fn try_take(path: &Path, role: Role) -> Result<Option<DirectoryLock>, EmbeddedError> {
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .open(path)
        .map_err(EmbeddedError::io("open", path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(EmbeddedError::io("lock", path)(source)),
    }
    write_holder(&mut file, role).map_err(EmbeddedError::io("write", path))?;
    Ok(Some(DirectoryLock { _file: file }))
}

fn write_holder(file: &mut File, role: Role) -> std::io::Result<()> {
    let role = match role {
        Role::Server => "server",
        Role::Command => "command",
    };
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{} {role}", std::process::id())
}

/// Reads who holds the lock. `None` while a new holder has not written itself yet, which also covers the
/// record that a dead holder left behind.
fn holder(path: &Path) -> Option<Holder> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    parse_holder(&text).filter(|holder| is_alive(holder.pid))
}

fn parse_holder(text: &str) -> Option<Holder> {
    let (pid, role) = text.trim_end().split_once(' ')?;
    let role = match role {
        "server" => Role::Server,
        "command" => Role::Command,
        _ => return None,
    };
    let pid = parse_pid(pid)?;
    Some(Holder { pid, role })
}

/// Reads a process id. [`Pid::from_raw`] panics on negative ones, which a damaged file may have, and which
/// Postgres writes when it runs for a single user.
pub(super) fn parse_pid(text: &str) -> Option<Pid> {
    Pid::from_raw(text.parse().ok().filter(|pid| *pid > 0)?)
}

/// Whether a process has this id; one that we may not signal is alive too.
pub(super) fn is_alive(pid: Pid) -> bool {
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_names_pid_and_role() {
        let holder = parse_holder("42 server\n").expect("a whole record");
        assert_eq!(holder.to_string(), "the strongroom server with process id 42");
        assert_eq!(parse_holder(""), None);
        assert_eq!(parse_holder("42 ser"), None);
        assert_eq!(parse_holder("-1 server"), None);
    }
}
