//! Fetching the clients: once, by the npm of this machine, kept under the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::client::{Client, Launch, Start, Wanted};
use crate::process::{self, Outcome};
use crate::report::say;

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
        let script = fetched(wanted.label, package)?.join(path);
        Ok(Start { program: node, arguments: vec![script.into()] })
    };
    match wanted.launch {
        Launch::Installed => Ok(Start { program: "npm".into(), arguments: Vec::new() }),
        Launch::Script { package, path } => script("node".into(), package, path),
        Launch::NewerScript { package, path } => {
            let node = fetched(wanted.label, NEWER_NODE)?.join("node/bin/node");
            script(node, package, path)
        }
        Launch::Program { package, path, platform } => {
            let program = program_in(&fetched(wanted.label, package)?.join(platform), path)?;
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

/// The folder with the packages of a client that was fetched, now or by an earlier run.
fn fetched(label: &str, package: &str) -> Result<PathBuf, String> {
    let folder = kept_in(package);
    let _lock = locked(&folder.with_added_extension("lock"));
    if !folder.exists() {
        fetch(label, package, &folder)?;
    }
    Ok(folder.join("node_modules"))
}

fn kept_in(package: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&folder).expect("a folder for the clients");
    folder.join(package.replace(['/', '^'], "_"))
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
fn fetch(label: &str, package: &str, folder: &Path) -> Result<(), String> {
    if !is_npm_here() {
        return Err("there is no npm on this machine to fetch it with".to_owned());
    }
    say(&format!("{label}: fetching {package}"));
    let staging = folder.with_added_extension("part");
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging).expect("a folder for the client");
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).args(PATIENCE);
    command.arg("--prefix").arg(&staging).arg(package);
    if package != NEWER_NODE {
        // Scripts of a package move the program for this platform to where they want it.
        command.arg("--ignore-scripts");
    }
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
