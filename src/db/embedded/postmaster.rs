//! What a cluster directory tells about its postmaster, and how one that was left behind is stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::EmbeddedError;
use super::lock::{is_alive, parse_pid};

/// How long processes may take for a fast shutdown before they are told to quit.
const FAST_PATIENCE: Duration = Duration::from_secs(5);
/// How long they may take to quit before we give up.
const QUIT_PATIENCE: Duration = Duration::from_secs(3);
/// How often we look; ends of processes that are not our children cannot be awaited.
const RETRY: Duration = Duration::from_millis(20);

/// Whether the postmaster `pid` says that it accepts connections.
pub(super) fn is_ready(cluster: &Path, pid: Pid) -> bool {
    let text = fs::read_to_string(pid_file(cluster)).unwrap_or_default();
    recorded_pid(&text) == Some(pid) && text.lines().nth(7).is_some_and(|state| state.trim() == "ready")
}

fn pid_file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

fn recorded_pid(text: &str) -> Option<Pid> {
    parse_pid(text.lines().next()?.trim())
}

/// Makes the cluster free for a new postmaster. The caller holds the data directory, so whatever still runs on
/// the cluster was left behind, usually by a strongroom that was killed a moment ago, and is already stopping.
///
/// # Errors
///
/// [`EmbeddedError::Occupied`] when a process resists.
pub(super) fn clear(cluster: &Path) -> Result<(), EmbeddedError> {
    let _ =
        wait_until_gone(cluster, Signal::INT, FAST_PATIENCE) || wait_until_gone(cluster, Signal::QUIT, QUIT_PATIENCE);
    if let Some(pid) = processes_on(cluster).first() {
        return Err(EmbeddedError::Occupied { cluster: cluster.to_owned(), pid: pid.as_raw_pid() });
    }
    remove_misleading_pid_file(cluster)
}

/// Signals the postmaster, or its orphans when it is gone, and says whether all of them went in time.
fn wait_until_gone(cluster: &Path, signal: Signal, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    let mut signalled = false;
    loop {
        let processes = processes_on(cluster);
        if processes.is_empty() {
            return true;
        }
        if !std::mem::replace(&mut signalled, true) {
            tracing::warn!(?processes, ?signal, "stopping a Postgres that was left behind");
            for pid in processes {
                let _ = kill_process(pid, signal);
            }
        }
        if Instant::now() >= deadline {
            return false;
        }
        sleep(RETRY);
    }
}

/// Postgres removes the file of a dead postmaster itself, but not when another process or a zombie has its
/// number now, which is common in containers. We get here only after no Postgres was found on the directory.
fn remove_misleading_pid_file(cluster: &Path) -> Result<(), EmbeddedError> {
    let file = pid_file(cluster);
    let text = fs::read_to_string(&file).unwrap_or_default();
    match recorded_pid(&text) {
        Some(pid) if is_alive(pid) => {
            tracing::warn!(%pid, "postmaster.pid names a process that is no Postgres; removing the file");
            fs::remove_file(&file).map_err(EmbeddedError::io("remove", &file))
        }
        _ => Ok(()),
    }
}

/// The processes of Postgres that work on the cluster; all of them have it as working directory. Processes that
/// we may not look into belong to other users, and Postgres serves its own user's clusters only.
#[cfg(target_os = "linux")]
fn processes_on(cluster: &Path) -> Vec<Pid> {
    let Some(cluster) = identity_of(cluster) else {
        return Vec::new();
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| {
        let pid = parse_pid(entry.file_name().to_str()?)?;
        let name = fs::read_to_string(entry.path().join("comm")).ok()?;
        let ours = name.trim_end() == "postgres" && identity_of(&entry.path().join("cwd")) == Some(cluster);
        ours.then_some(pid)
    });
    pids.collect()
}

/// Tells directories apart whatever their names: links and mounts give one directory many.
#[cfg(target_os = "linux")]
fn identity_of(directory: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(directory).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Elsewhere only the recorded postmaster can be asked about, by its command line.
#[cfg(not(target_os = "linux"))]
fn processes_on(cluster: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(pid_file(cluster)).unwrap_or_default();
    let Some(pid) = recorded_pid(&text).filter(|pid| is_alive(*pid)) else {
        return Vec::new();
    };
    let output = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    let command = output.map(|output| output.stdout).unwrap_or_default();
    let ours = String::from_utf8_lossy(&command).contains(&*cluster.to_string_lossy());
    ours.then_some(pid).into_iter().collect()
}
