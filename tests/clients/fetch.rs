//! The clients as they are on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::client::{Client, Launch, Start, Wanted};
use crate::fetched::{self, first_complaint, is_npm_here};
use crate::process;

/// The node for clients that want a newer one than many machines have.
const NEWER_NODE: &str = "node@22";

/// The client, fetched if need be; else the reason why it cannot be had.
pub(crate) fn find(wanted: &Wanted) -> Result<Client, String> {
    let start = start(wanted)?;
    let version = version(&start)?;
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let major = major.ok_or_else(|| format!("it calls itself version {version:?}"))?;
    Ok(Client { label: wanted.label, family: wanted.family, version, major, start })
}

fn start(wanted: &Wanted) -> Result<Start, String> {
    let script = |node: PathBuf, package, path| {
        let script = fetched::package(wanted.label, package)?.join(path);
        Ok(Start { program: node, arguments: vec![script.into()] })
    };
    match wanted.launch {
        Launch::Installed => Ok(Start { program: "npm".into(), arguments: Vec::new() }),
        Launch::Script { package, path } => script("node".into(), package, path),
        Launch::NewerScript { package, path } => {
            let node = fetched::package(wanted.label, NEWER_NODE)?.join("node/bin/node");
            script(node, package, path)
        }
        Launch::Program { package, path, platform } => {
            let program = program_in(&fetched::package(wanted.label, package)?.join(platform), path)?;
            Ok(Start { program, arguments: Vec::new() })
        }
    }
}

/// The program for this platform: npm keeps away the packages of the others.
fn program_in(folder: &Path, path: &str) -> Result<PathBuf, String> {
    let platforms = fs::read_dir(folder).map_err(|_| "there is no program of it for this platform".to_owned())?;
    let mut programs: Vec<_> = platforms.flatten().map(|platform| platform.path().join(path)).collect();
    programs.sort();
    let found = programs.into_iter().find(|program| program.is_file());
    found.ok_or_else(|| "there is no program of it for this platform".to_owned())
}

/// What it says to `--version`: a number, behind its name and before remarks if it has a name for itself.
fn version(start: &Start) -> Result<String, String> {
    let mut command = start.command();
    command.arg("--version");
    if command.as_std().get_program() == "npm" && !is_npm_here() {
        return Err("there is no npm on this machine".to_owned());
    }
    let outcome = process::run(command);
    if !outcome.is_success() {
        return Err(format!("it does not run here: {}", first_complaint(&outcome)));
    }
    let words = outcome.stdout.split_whitespace();
    let number = words.into_iter().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()));
    Ok(number.unwrap_or_default().to_owned())
}
