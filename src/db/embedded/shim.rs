//! The hidden subcommand that stands between strongroom and every Postgres program it starts.
//!
//! Between `fork` and `exec` only unsafe code can run, so our own executable is started first, does there what
//! must be done in the child, and then becomes Postgres. The order matters: a change of user clears the
//! parent-death signal, and the parent may have died before the signal was set.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::identity::Account;

/// First argument that makes an executable call [`shim_main`] instead of its own `main`.
pub const SHIM_ARGUMENT: &str = "__postgres";

/// Exit status of a shim that could not become the program it was asked for.
const FAILED: i32 = 126;

/// What the shim does before it becomes another program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shim {
    /// The process that must live; the shim gives up when its parent is another.
    pub(super) parent: u32,
    /// The account to change to, when we are root and Postgres may not be.
    pub(super) account: Option<Account>,
    /// Where to go before the program starts, with the rights of `account`.
    pub(super) directory: PathBuf,
}

impl Shim {
    /// Writes the shim as arguments, to be followed by the program and its own arguments.
    pub(super) fn to_arguments(&self) -> [OsString; 4] {
        let account = self.account.map_or_else(|| "-".to_owned(), |account| account.to_string());
        [SHIM_ARGUMENT.into(), self.parent.to_string().into(), account.into(), self.directory.clone().into()]
    }

    /// Reads back [`Self::to_arguments`], without its first.
    fn from_arguments(arguments: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let parent = arguments.next()?.to_str()?.parse().ok()?;
        let account = match arguments.next()?.to_str()? {
            "-" => None,
            account => Some(account.parse().ok()?),
        };
        let directory = arguments.next()?.into();
        Some(Self { parent, account, directory })
    }

    fn become_program(&self, mut command: Command) -> io::Result<Infallible> {
        if let Some(account) = self.account {
            account.assume()?;
        }
        die_with_parent()?;
        if std::os::unix::process::parent_id() != self.parent {
            return Err(io::Error::other("strongroom has ended"));
        }
        std::env::set_current_dir(&self.directory)?;
        Err(command.exec())
    }
}

/// Becomes the Postgres program named in `arguments`, those after [`SHIM_ARGUMENT`]; never returns.
///
/// Call it first thing in `main`, before any thread is started: on Linux a change of user reaches only the
/// calling thread. Ends the process with status 126 and a line on standard error when it cannot go on.
pub fn shim_main(arguments: impl IntoIterator<Item = OsString>) -> ! {
    let error = match run(&mut arguments.into_iter()) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // Standard error is read by the parent, and nothing can be done if that too has gone.
    let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("strongroom could not start Postgres: {error}\n"));
    std::process::exit(FAILED)
}

fn run(arguments: &mut impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let incomplete = || io::Error::other("this subcommand is for strongroom's own use");
    let shim = Shim::from_arguments(arguments).ok_or_else(incomplete)?;
    let mut command = Command::new(arguments.next().ok_or_else(incomplete)?);
    command.args(arguments);
    shim.become_program(command)
}

/// Asks the kernel for a fast shutdown of this process when the thread that started it ends.
#[cfg(target_os = "linux")]
fn die_with_parent() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    Ok(set_parent_process_death_signal(Some(Signal::INT))?)
}

/// Elsewhere no such signal exists: the next start stops a postmaster that was left behind.
#[cfg(not(target_os = "linux"))]
fn die_with_parent() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_survive_the_way_to_the_child() {
        let shim = Shim {
            parent: 42,
            account: Some(Account { uid: 101, gid: 104 }),
            directory: "/var/lib/strong room".into(),
        };
        let mut arguments = shim.to_arguments().into_iter().skip(1);
        assert_eq!(Shim::from_arguments(&mut arguments), Some(shim));
    }

    #[test]
    fn incomplete_arguments_are_refused() {
        assert!(run(&mut ["1", "-"].map(OsString::from).into_iter()).is_err());
    }
}
