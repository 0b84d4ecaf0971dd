//! Under which user Postgres runs: it refuses to be root, and a user without a name.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use rustix::process::{Uid, geteuid};

use super::EmbeddedError;
use super::binaries::Binaries;
use super::launch::Launcher;

/// The user that a namespace maps us to; it must have a name, and this one has it everywhere.
pub(super) const NAMESPACE_USER: u32 = 65534;
/// System users that root changes to, in order of preference.
const SYSTEM_USERS: [&str; 3] = [OWN_USER, "postgres", "nobody"];
/// The user that only strongroom uses; processes of the others may be strangers.
const OWN_USER: &str = "strongroom";

/// A user and its first group, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// Gives up root for this account, for good.
    #[cfg(target_os = "linux")]
    pub(super) fn assume(self) -> io::Result<()> {
        use rustix::process::Gid;
        use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
        // The shim has one thread, so what the kernel changes per thread is changed for the process.
        set_thread_groups(&[])?;
        set_thread_gid(Gid::from_raw(self.gid))?;
        set_thread_uid(Uid::from_raw(self.uid))?;
        Ok(())
    }

    /// Elsewhere there is no safe call for it.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn assume(self) -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.uid, self.gid)
    }
}

impl FromStr for Account {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self { uid: uid.parse()?, gid: gid.parse()? })
    }
}

/// How the processes of Postgres get a user that it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// They run as we do.
    Same,
    /// Root changes to a system user, who owns the cluster.
    User { account: Account, name: Option<String> },
    /// A user namespace maps us to [`NAMESPACE_USER`]; outside of it, files stay ours.
    Namespace,
}

impl Identity {
    /// Picks the first identity under which `binaries` start and reach `data_dir`. An existing cluster's owner
    /// decides; for a new one root prefers a system user, then a namespace.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Owner`] when the cluster belongs to somebody we cannot become,
    /// [`EmbeddedError::NoIdentity`] when nothing works.
    pub(super) fn choose(
        launcher: &Launcher,
        binaries: &Binaries,
        data_dir: &Path,
        cluster: &Path,
    ) -> Result<Self, EmbeddedError> {
        let mut tried = Vec::new();
        for identity in candidates(cluster)? {
            match launcher.probe(&identity, binaries, data_dir) {
                Ok(()) => return Ok(identity),
                Err(reason) => tried.push(format!("{identity}: {reason}")),
            }
        }
        Err(EmbeddedError::NoIdentity { tried: tried.join("; ") })
    }

    /// The account that files made by root must be given to.
    pub(super) fn account(&self) -> Option<Account> {
        match self {
            Self::User { account, .. } => Some(*account),
            Self::Same | Self::Namespace => None,
        }
    }

    /// Gives `path` to the user that Postgres runs as.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        self.account().map_or(Ok(()), |account| {
            chown(path, Some(account.uid), Some(account.gid)).map_err(EmbeddedError::io("chown", path))
        })
    }

    /// The user id, as seen from outside, that owns the files of Postgres.
    pub(super) fn owner(&self) -> u32 {
        self.account().map_or_else(|| geteuid().as_raw(), |account| account.uid)
    }

    /// Whether processes that are not ours may run under the same user, so that a private socket directory
    /// is not private enough.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::User { name, .. } if name.as_deref() != Some(OWN_USER))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => write!(formatter, "same user ({})", geteuid().as_raw()),
            Self::User { account, name } => {
                let name = name.as_deref().unwrap_or("unnamed");
                write!(formatter, "user {name} ({account})")
            }
            Self::Namespace => write!(formatter, "user namespace mapped to {NAMESPACE_USER}"),
        }
    }
}

fn candidates(cluster: &Path) -> Result<Vec<Identity>, EmbeddedError> {
    let user = geteuid();
    match fs::metadata(cluster) {
        Ok(metadata) if metadata.uid() != user.as_raw() => {
            owner_of_existing(cluster, &metadata).map(|owner| vec![owner])
        }
        Ok(_) if user.is_root() => Ok(vec![Identity::Namespace]),
        Err(_) if user.is_root() => Ok(system_users().chain([Identity::Namespace]).collect()),
        _ if has_name(user) => Ok(vec![Identity::Same]),
        _ => Ok(vec![Identity::Namespace]),
    }
}

fn owner_of_existing(cluster: &Path, metadata: &fs::Metadata) -> Result<Identity, EmbeddedError> {
    if !geteuid().is_root() {
        return Err(EmbeddedError::Owner {
            cluster: cluster.to_owned(),
            owner: metadata.uid(),
            user: geteuid().as_raw(),
        });
    }
    let account = Account { uid: metadata.uid(), gid: metadata.gid() };
    let name = accounts().find(|(_, known)| known.uid == account.uid);
    Ok(Identity::User { account, name: name.map(|(name, _)| name) })
}

fn system_users() -> impl Iterator<Item = Identity> {
    SYSTEM_USERS.into_iter().filter_map(|wanted| {
        let (name, account) = accounts().find(|(name, _)| name == wanted)?;
        Some(Identity::User { account, name: Some(name) })
    })
}

/// Whether `initdb` will find the user; a directory service may know users that the file does not.
fn has_name(user: Uid) -> bool {
    accounts().any(|(_, account)| account.uid == user.as_raw())
        || Command::new("id").arg("-un").output().is_ok_and(|output| output.status.success())
}

/// The local accounts; unreadable or malformed lines do not exist.
fn accounts() -> impl Iterator<Item = (String, Account)> {
    let text = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let accounts: Vec<_> = text.lines().filter_map(parse_account).collect();
    accounts.into_iter()
}

fn parse_account(line: &str) -> Option<(String, Account)> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some((name, Account { uid, gid }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_file_lines_are_read() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let account = Account { uid: 101, gid: 104 };
        assert_eq!(parse_account(line), Some(("postgres".into(), account)));
        assert_eq!(parse_account("# comment"), None);
    }

    #[test]
    fn only_our_own_user_is_not_shared() {
        let user =
            |name: Option<&str>| Identity::User { account: Account { uid: 7, gid: 7 }, name: name.map(str::to_owned) };
        assert!(!user(Some("strongroom")).is_shared());
        assert!(user(Some("postgres")).is_shared());
        assert!(user(None).is_shared());
        assert!(!Identity::Namespace.is_shared());
    }
}
