//! Fetching the clients: once, by the npm of this machine, kept under the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::client::{Client, Start, Wanted};
use crate::process::{self, Outcome};
use crate::report::say;

/// The client, fetched if need be; else the reason why it cannot be had.
pub(crate) fn find(wanted: &Wanted) -> Result<Client, String> {
    let start = match wanted.packages {
        [] => Start { program: "npm".into(), arguments: Vec::new() },
        packages => fetched(wanted.label, packages)?,
    };
    let version = version(&start)?;
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    let major = major.ok_or_else(|| format!("it calls itself version {version:?}"))?;
    Ok(Client { label: wanted.label, version, major, start })
}

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
    Ok(outcome.stdout.trim().to_owned())
}

/// How to start a client that was fetched, now or by an earlier run.
fn fetched(label: &str, packages: &[&str]) -> Result<Start, String> {
    let folder = kept_in(packages);
    let _lock = locked(&folder.with_extension("lock"));
    if !folder.exists() {
        fetch(label, packages, &folder)?;
    }
    let modules = folder.join("node_modules");
    let own_node = modules.join("node/bin/node");
    let program = if packages.len() > 1 { own_node } else { "node".into() };
    Ok(Start { program, arguments: vec![modules.join("npm/bin/npm-cli.js").into()] })
}

fn kept_in(packages: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&folder).expect("a folder for the clients");
    folder.join(packages.join("-"))
}

/// Several test processes may want the same client at once.
fn locked(path: &Path) -> File {
    let file = File::create(path).expect("a lock file");
    file.lock().expect("a lock file can be locked");
    file
}

/// Offline, npm shall give up within seconds.
const PATIENCE: &[&str] = &["--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"];

/// Fetches into another folder first, so that the one with the right name is always whole.
fn fetch(label: &str, packages: &[&str], folder: &Path) -> Result<(), String> {
    if !is_npm_here() {
        return Err("there is no npm on this machine to fetch it with".to_owned());
    }
    say(&format!("{label}: fetching {}", packages.join(" and ")));
    let staging = folder.with_extension("part");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging).expect("a folder for the client");
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(PATIENCE);
    command.arg("--prefix").arg(&staging).args(packages);
    let outcome = process::run(command);
    if !outcome.is_success() {
        return Err(format!("it cannot be fetched: {}", first_complaint(&outcome)));
    }
    fs::rename(&staging, folder).map_err(|cause| format!("it cannot be kept: {cause}"))
}

fn is_npm_here() -> bool {
    std::process::Command::new("npm").arg("--version").output().is_ok()
}

fn first_complaint(outcome: &Outcome) -> String {
    outcome.stderr.lines().find(|line| line.contains("rror")).unwrap_or("it does not say why").trim().to_owned()
}
