//! The npm clients: which are wanted, and in which words each says the same thing.

use std::ffi::OsString;
use std::path::PathBuf;

use tokio::process::Command;

/// A client that the story is told with.
pub(crate) struct Wanted {
    /// What it is called in the table and in account names.
    pub(crate) label: &'static str,
    /// The packages to fetch it as, the npm first; none for the npm of this machine.
    pub(crate) packages: &'static [&'static str],
}

/// From the oldest npm that is still met to the newest. npm 12 needs a newer Node than many machines have.
pub(crate) const WANTED: &[Wanted] = &[
    Wanted { label: "npm 6", packages: &["npm@6"] },
    Wanted { label: "npm 8", packages: &["npm@8"] },
    Wanted { label: "npm 10", packages: &["npm@10"] },
    Wanted { label: "npm 11", packages: &["npm@11"] },
    Wanted { label: "npm 12", packages: &["npm@12", "node@22"] },
    Wanted { label: "installed npm", packages: &[] },
];

/// A client that is there and runs.
pub(crate) struct Client {
    pub(crate) label: &'static str,
    /// Its version in full.
    pub(crate) version: String,
    /// The first number of its version, which its habits depend on.
    pub(crate) major: u32,
    pub(crate) start: Start,
}

/// How a client is started.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
}

impl Start {
    /// A command that starts the client.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }
}

impl Client {
    /// Part of an account name that no other client has.
    pub(crate) fn slug(&self) -> String {
        self.label.replace(' ', "")
    }

    /// Whether `npm login` is the same command as `npm adduser`, which asks for a mail address and makes accounts.
    pub(crate) fn login_is_adduser(&self) -> bool {
        self.major < 9
    }

    /// Why there is no `npm adduser`, where there is none.
    pub(crate) fn lacks_adduser(&self) -> Option<&'static str> {
        (self.major >= 12).then_some("npm 12 has no adduser")
    }

    /// Why there is no `npm access get status`, where there is none.
    pub(crate) fn lacks_get_status(&self) -> Option<&'static str> {
        (self.major < 9).then_some("npm access has no get status before npm 9")
    }

    /// Why `npm update` leaves the dependencies of dependencies alone, where it does.
    pub(crate) fn updates_direct_dependencies_only(&self) -> Option<&'static str> {
        (self.major < 7).then_some("npm update leaves dependencies of dependencies alone before npm 7")
    }

    /// What a client says of a publish over an existing version. The older ones reword the server's answer.
    pub(crate) fn refusal_to_publish_over(&self) -> &'static str {
        if self.major < 9 {
            "Cannot publish over existing version"
        } else {
            "cannot publish over the previously published versions"
        }
    }

    /// The words that make a package public.
    pub(crate) fn make_public<'a>(&self, package: &'a str) -> Vec<&'a str> {
        if self.major < 9 { vec!["access", "public", package] } else { vec!["access", "set", "status=public", package] }
    }

    /// The words that make a package private again.
    pub(crate) fn make_restricted<'a>(&self, package: &'a str) -> Vec<&'a str> {
        if self.major < 9 {
            vec!["access", "restricted", package]
        } else {
            vec!["access", "set", "status=private", package]
        }
    }

    /// The words that list who has access to a package, as JSON.
    pub(crate) fn list_collaborators<'a>(&self, package: &'a str) -> Vec<&'a str> {
        if self.major < 9 {
            vec!["access", "ls-collaborators", package]
        } else {
            vec!["access", "list", "collaborators", package, "--json"]
        }
    }

    /// The words that list what an account may see of its own or another's packages, as JSON.
    pub(crate) fn list_packages<'a>(&self, account: &'a str) -> Vec<&'a str> {
        if self.major < 9 {
            vec!["access", "ls-packages", account]
        } else {
            vec!["access", "list", "packages", account, "--json"]
        }
    }
}
