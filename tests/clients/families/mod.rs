//! Families of clients: where each keeps what it is told, and in which words it says the same thing.
//!
//! A [`Deed`] is something that one can want of a registry. Each family has its words for it, says that it has no such
//! command, or why it cannot run here what it has.

mod bun;
mod deed;
mod deno;
pub(crate) mod npm;
mod pnpm;
mod vlt;
mod yarn;
mod yarn_classic;

use std::fs;
use std::path::Path;

pub(crate) use deed::Deed;

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
