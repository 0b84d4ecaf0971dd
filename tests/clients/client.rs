//! The clients: which are wanted, and how each is started.

use std::ffi::OsString;
use std::path::PathBuf;

use tokio::process::Command;

use crate::families::Family;

/// A client that the story is told with.
pub(crate) struct Wanted {
    /// What it is called in the table and in account names.
    pub(crate) label: &'static str,
    pub(crate) family: Family,
    pub(crate) launch: Launch,
}

/// How a client is had and started. Versions are pinned by their first number, so that nobody is surprised by the next.
#[derive(Clone, Copy)]
pub(crate) enum Launch {
    /// The npm of this machine.
    Installed,
    /// A script of a fetched package, run by the node of this machine.
    Script { package: &'static str, path: &'static str },
    /// A script of a fetched package that wants a newer node than many machines have.
    NewerScript { package: &'static str, path: &'static str },
    /// A program that a fetched package depends on, one for each platform: the last part of its path, and of a folder.
    Program { package: &'static str, path: &'static str, platform: &'static str },
}

const fn script(label: &'static str, family: Family, package: &'static str, path: &'static str) -> Wanted {
    Wanted { label, family, launch: Launch::Script { package, path } }
}

const fn newer(label: &'static str, family: Family, package: &'static str, path: &'static str) -> Wanted {
    Wanted { label, family, launch: Launch::NewerScript { package, path } }
}

const fn program(
    label: &'static str,
    family: Family,
    package: &'static str,
    platform: &'static str,
    path: &'static str,
) -> Wanted {
    Wanted { label, family, launch: Launch::Program { package, path, platform } }
}

/// In each family from the oldest that is still met to the newest.
pub(crate) const WANTED: &[Wanted] = &[
    script("npm 6", Family::Npm, "npm@6", "npm/bin/npm-cli.js"),
    script("npm 8", Family::Npm, "npm@8", "npm/bin/npm-cli.js"),
    script("npm 10", Family::Npm, "npm@10", "npm/bin/npm-cli.js"),
    script("npm 11", Family::Npm, "npm@11", "npm/bin/npm-cli.js"),
    newer("npm 12", Family::Npm, "npm@12", "npm/bin/npm-cli.js"),
    Wanted { label: "installed npm", family: Family::Npm, launch: Launch::Installed },
    script("pnpm 9", Family::Pnpm, "pnpm@9", "pnpm/bin/pnpm.cjs"),
    script("pnpm 10", Family::Pnpm, "pnpm@10", "pnpm/bin/pnpm.cjs"),
    newer("pnpm 11", Family::Pnpm, "pnpm@11", "pnpm/bin/pnpm.mjs"),
    program("pnpm 12", Family::Pnpm, "pnpm@12", "@pnpm", "pnpm"),
    script("yarn 1", Family::YarnClassic, "yarn@1", "yarn/bin/yarn.js"),
    script("yarn 4", Family::Yarn, "@yarnpkg/cli-dist@4", "@yarnpkg/cli-dist/bin/yarn.js"),
    program("bun 1", Family::Bun, "bun@1", "@oven", "bin/bun"),
    program("deno 2", Family::Deno, "deno@2", "@deno", "deno"),
    // Not released yet; `latest` is an empty placeholder.
    newer("vlt 1", Family::Vlt, "vlt@^1.0.0-rc.23", "vlt/vlt.js"),
];

/// A client that is there and runs.
pub(crate) struct Client {
    pub(crate) label: &'static str,
    pub(crate) family: Family,
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

    /// Whether the stories, which are written in npm's words, are told with it.
    pub(crate) fn is_npm(&self) -> bool {
        self.family == Family::Npm
    }
}
