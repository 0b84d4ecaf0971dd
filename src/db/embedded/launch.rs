//! Builds the commands that start Postgres programs through the shim, under the chosen identity.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::binaries::Binaries;
use super::identity::{Identity, NAMESPACE_USER};
use super::shim::Shim;

/// What Postgres may see of our environment; the rest may hold secrets, or `PG*` settings meant for clients.
const PASSED_ON: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// Knows the executable that has the shim inside.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    executable: Option<PathBuf>,
}

impl Launcher {
    /// Uses `executable`, or the running one when `None`.
    pub(super) fn new(executable: Option<PathBuf>) -> Self {
        Self { executable }
    }

    /// A command for `program` under `identity`, started in `directory`, in its own process group so that an
    /// interrupt typed at the terminal reaches us only. Spawn it from a thread that outlives the child: the
    /// kernel ends the child with that thread.
    pub(super) fn command(&self, identity: &Identity, program: &Path, directory: &Path) -> Command {
        let shim = Shim { parent: std::process::id(), account: identity.account(), directory: directory.to_owned() };
        let mut command = self.shim_command(identity);
        command
            .args(shim.to_arguments())
            .arg(program)
            .env_clear()
            .envs(environment())
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// Runs `postgres --version` to learn whether `identity` can start the binaries and enter `data_dir`.
    pub(super) fn probe(&self, identity: &Identity, binaries: &Binaries, data_dir: &Path) -> Result<(), String> {
        let mut command = self.command(identity, &binaries.program("postgres"), data_dir);
        let output = command
            .arg("--version")
            .output()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    fn shim_command(&self, identity: &Identity) -> Command {
        if *identity != Identity::Namespace {
            return Command::new(self.executable(true));
        }
        let mut command = Command::new("unshare");
        command
            .arg("--user")
            .arg(format!("--map-user={NAMESPACE_USER}"))
            .arg(format!("--map-group={NAMESPACE_USER}"))
            .arg("--")
            .arg(self.executable(false));
        command
    }

    /// The executable with the shim. Straight after `fork`, `/proc/self/exe` is still us, even when an upgrade
    /// has replaced or removed the file; behind another program it is not.
    fn executable(&self, straight: bool) -> PathBuf {
        let itself = Path::new("/proc/self/exe");
        match &self.executable {
            Some(executable) => executable.clone(),
            None if straight && itself.exists() => itself.to_owned(),
            None => env::current_exe().unwrap_or_else(|_| itself.to_owned()),
        }
    }
}

fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    let passed_on = PASSED_ON.into_iter();
    passed_on.filter_map(|name| Some((name, env::var_os(name)?)))
}
