//! What tests fetch: once, by the npm of this machine, kept under the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::process::{self, Outcome, say};

/// The packages whose own scripts run: they move the program for this platform to where they want it.
const WITH_SCRIPTS: &[&str] = &["node@22"];

/// Offline, npm shall give up within seconds.
const PATIENCE: &[&str] = &["--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"];

/// The folder `node_modules` with a package and what it needs, fetched now or by an earlier run; else the reason why it
/// cannot be had. `label` is who it is fetched for.
pub(crate) fn package(label: &str, package: &str) -> Result<PathBuf, String> {
    let folder = kept_in(package);
    let _lock = locked(&folder.with_added_extension("lock"));
    if !folder.exists() {
        fetch(label, package, &folder)?;
    }
    Ok(folder.join("node_modules"))
}

/// Whether there is an npm to fetch with.
pub(crate) fn is_npm_here() -> bool {
    std::process::Command::new("npm").arg("--version").output().is_ok()
}

/// The line of what it said that tells why it failed.
pub(crate) fn first_complaint(outcome: &Outcome) -> String {
    outcome.stderr.lines().find(|line| line.contains("rror")).unwrap_or("it does not say why").trim().to_owned()
}

fn kept_in(package: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&folder).expect("a folder for the clients");
    folder.join(package.replace(['/', '^'], "_"))
}

/// Several test processes may want the same package at once.
fn locked(path: &Path) -> File {
    let file = File::create(path).expect("a lock file");
    file.lock().expect("a lock file can be locked");
    file
}

/// Fetches into another folder first, so that the one with the right name is always whole.
fn fetch(label: &str, package: &str, folder: &Path) -> Result<(), String> {
    if !is_npm_here() {
        return Err("there is no npm on this machine to fetch it with".to_owned());
    }
    say(&format!("{label}: fetching {package}"));
    let staging = folder.with_added_extension("part");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging).expect("a folder for the package");
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(PATIENCE);
    command.arg("--prefix").arg(&staging).arg(package);
    if !WITH_SCRIPTS.contains(&package) {
        command.arg("--ignore-scripts");
    }
    let outcome = process::run(command);
    if !outcome.is_success() {
        return Err(format!("it cannot be fetched: {}", first_complaint(&outcome)));
    }
    fs::rename(&staging, folder).map_err(|cause| format!("it cannot be kept: {cause}"))
}
