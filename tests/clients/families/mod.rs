//! Families of clients: where each keeps what it is told, and in which words it says the same thing.
//!
//! A [`Deed`] is something that one can want of a registry. Each family has its words for it, says that it has no such
//! command, or why it cannot run here what it has.

mod bun;
mod deno;
pub(crate) mod npm;
mod pnpm;
mod vlt;
mod yarn;
mod yarn_classic;

use std::fs;
use std::path::Path;

use crate::client::Client;
use crate::server::Server;

/// What a client has learned its habits from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Npm,
    Pnpm,
    YarnClassic,
    Yarn,
    Bun,
    Deno,
    Vlt,
}

/// Something that one can want of a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'a> {
    WhoAmI,
    LogOut,
    Ping,
    Doctor,
    /// The package in the folder.
    Publish {
        access: Option<&'a str>,
        tag: Option<&'a str>,
    },
    /// All packages of the folder's workspace at once.
    PublishBatch,
    /// With a bundle of provenance from a file.
    PublishWithProvenance,
    /// Into the project of the folder.
    Add(&'a str),
    /// What the lock file says, and nothing else.
    InstallFrozen,
    Update,
    /// Prints, among other things, the newer version; most fail where there is one.
    Outdated,
    /// Prints one field.
    View {
        package: &'a str,
        field: &'a str,
    },
    /// Brings the file of a published package into the folder.
    PackPublished(&'a str),
    /// Fetches a package and runs its program.
    Run {
        package: &'a str,
        program: &'a str,
    },
    /// Prints what differs between two versions.
    Diff {
        package: &'a str,
        old: &'a str,
        new: &'a str,
    },
    ListTags(&'a str),
    AddTag {
        package: &'a str,
        version: &'a str,
        tag: &'a str,
    },
    RemoveTag {
        package: &'a str,
        tag: &'a str,
    },
    Deprecate {
        spec: &'a str,
        message: &'a str,
    },
    Undeprecate(&'a str),
    UnpublishVersion(&'a str),
    UnpublishPackage(&'a str),
    ListOwners(&'a str),
    AddOwner {
        package: &'a str,
        user: &'a str,
    },
    RemoveOwner {
        package: &'a str,
        user: &'a str,
    },
    Star(&'a str),
    Unstar(&'a str),
    ListStars,
    SetPublic(&'a str),
    SetRestricted(&'a str),
    GetStatus(&'a str),
    SetSecondFactor(&'a str),
    ListCollaborators(&'a str),
    /// What a user may see of an account's packages.
    ListPackages(&'a str),
    ListTeamPackages {
        team: &'a str,
    },
    Grant {
        permission: &'a str,
        team: &'a str,
        package: &'a str,
    },
    Revoke {
        team: &'a str,
        package: &'a str,
    },
    /// Teams are named `organization:team`.
    CreateTeam(&'a str),
    DestroyTeam(&'a str),
    ListTeams(&'a str),
    AddToTeam {
        team: &'a str,
        user: &'a str,
    },
    RemoveFromTeam {
        team: &'a str,
        user: &'a str,
    },
    ListTeam(&'a str),
    SetMember {
        organization: &'a str,
        user: &'a str,
        role: &'a str,
    },
    RemoveMember {
        organization: &'a str,
        user: &'a str,
    },
    ListMembers(&'a str),
    ListTokens,
    /// Asks for the password.
    CreateToken,
    RevokeToken(&'a str),
    GetProfile,
    SetProfile {
        key: &'a str,
        value: &'a str,
    },
    /// Asks for the password, and for a code of the new authenticator.
    EnableSecondFactor,
    /// Asks for the password, and for the code if it is not among the words.
    DisableSecondFactor {
        code: &'a str,
    },
    Search(&'a str),
    Audit,
    AuditSignatures,
    StagePublish,
    /// With `--otp`.
    PublishWithCode(&'a str),
    /// At a terminal, where a client asks for the code.
    PublishAndBeAsked,
    /// At a terminal, where a client names a page to go to.
    PublishAndBeSentToAPage,
    StageList(&'a str),
    StageView(&'a str),
    /// Brings the file into the folder.
    StageDownload(&'a str),
    StageApprove {
        id: &'a str,
        code: &'a str,
    },
    StageReject {
        id: &'a str,
        code: &'a str,
    },
    AddHook {
        package: &'a str,
        address: &'a str,
        secret: &'a str,
    },
    ListHooks,
    RemoveHook(&'a str),
    TrustList {
        package: &'a str,
        code: &'a str,
    },
    TrustGithub {
        package: &'a str,
        repository: &'a str,
        code: &'a str,
    },
    TrustGitlab {
        package: &'a str,
        project: &'a str,
        code: &'a str,
    },
    /// Organization, project and pipeline definition have one id.
    TrustCircleci {
        package: &'a str,
        id: &'a str,
        repository: &'a str,
        code: &'a str,
    },
    TrustRevoke {
        package: &'a str,
        id: &'a str,
        code: &'a str,
    },
}

/// How a client says something.
pub(crate) enum Words {
    Said(Vec<String>),
    /// It has no such command.
    Unknown,
    /// It has, and cannot run it here.
    Skipped(&'static str),
}

/// Words from borrowed ones.
fn said<const N: usize>(words: [&str; N]) -> Words {
    Words::Said(words.map(str::to_owned).to_vec())
}

impl Words {
    /// With a flag for each value that is there.
    fn with(mut self, flag: &str, value: Option<&str>) -> Self {
        if let (Self::Said(words), Some(value)) = (&mut self, value) {
            words.push(format!("{flag}={value}"));
        }
        self
    }

    /// Only if it has it.
    fn only_if(self, has: bool) -> Self {
        if has { self } else { Self::Unknown }
    }
}

impl Client {
    /// How it says this.
    pub(crate) fn words(&self, deed: &Deed<'_>) -> Words {
        match self.family {
            Family::Npm => npm::words(deed, self.major),
            Family::Pnpm => pnpm::words(deed, self.major),
            Family::YarnClassic => yarn_classic::words(deed),
            Family::Yarn => yarn::words(deed),
            Family::Bun => bun::words(deed),
            Family::Deno => deno::words(deed),
            Family::Vlt => vlt::words(deed),
        }
    }
}

/// A home that a client looks into for the registry and a token.
pub(crate) struct Home<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) server: &'a Server,
    pub(crate) scopes: &'a [String],
}

impl Family {
    /// Tells the client in a home of the registry, and of a token if there is one.
    pub(crate) fn configure(self, home: &Home<'_>, token: Option<&str>) {
        match self {
            Self::Yarn => yarn::configure(home, token),
            Self::Vlt => vlt::configure(home, token),
            _ => npm::configure(home, token),
        }
    }

    /// The token that the client in a home holds.
    pub(crate) fn token(self, home: &Path) -> Option<String> {
        let lines = |file: &str| fs::read_to_string(home.join(file)).unwrap_or_default();
        match self {
            Self::Yarn => value_after(&lines(".yarnrc.yml"), "npmAuthToken:"),
            Self::Vlt => Some(lines("token")).filter(|token| !token.is_empty()),
            Self::Pnpm => value_after(&lines(".npmrc"), ":_authToken=")
                .or_else(|| value_after(&lines(".config/pnpm/auth.ini"), ":_authToken=")),
            _ => value_after(&lines(".npmrc"), ":_authToken="),
        }
    }

    /// What the client is told by its environment.
    pub(crate) fn environment(self, home: &Home<'_>) -> Vec<(&'static str, String)> {
        match self {
            Self::Vlt => vlt::environment(home),
            // Its rule against young packages, lifted.
            Self::Pnpm => vec![("pnpm_config_minimum_release_age", "0".to_owned())],
            Self::Deno => vec![("DENO_NO_UPDATE_CHECK", "1".to_owned()), ("NO_COLOR", "1".to_owned())],
            _ => Vec::new(),
        }
    }

    /// What a folder with a package needs beside its manifest, before the client works in it.
    pub(crate) fn settle(self, folder: &Path, package: Option<&str>) {
        if self == Self::Yarn {
            yarn::settle(folder, package);
        }
    }
}

fn value_after(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.split_once(key))?;
    Some(line.1.trim().trim_matches('"').to_owned())
}
