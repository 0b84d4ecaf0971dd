//! Fetching what these tests stand on: once, kept under the target folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is fetched, in the versions that were looked at.
const LOCALSTRIPE: &str = "localstripe==1.15.10";
const STRIPE: &str = "stripe@23.1.0";

/// The Python that has localstripe.
pub(crate) fn localstripe() -> PathBuf {
    let fetched = kept(LOCALSTRIPE, |folder| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LOCALSTRIPE];
        run(Command::new(folder.join("bin/python")).args(install));
    });
    fetched.join("bin/python")
}

/// The folder of the official client.
pub(crate) fn stripe() -> PathBuf {
    let fetched = kept(STRIPE, |folder| {
        fs::create_dir_all(folder).expect("a folder");
        let install =
            ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", STRIPE, "--prefix"];
        run(Command::new("npm").args(install).arg(folder));
    });
    fetched.join("node_modules/stripe")
}

/// A folder that is whole once its mark is there: a virtual environment cannot be made elsewhere and moved.
fn kept(what: &str, fetch: impl FnOnce(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("billing").join(what.replace('=', "-"));
    fs::create_dir_all(folder.parent().expect("a parent")).expect("a folder");
    let lock = File::create(folder.with_added_extension("lock")).expect("a lock file");
    lock.lock().expect("a lock file can be locked");
    let mark = folder.join("whole");
    if !mark.exists() {
        let _ = fs::remove_dir_all(&folder);
        fetch(&folder);
        fs::write(mark, what).expect("a mark");
    }
    folder
}

fn run(command: &mut Command) {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output = output.unwrap_or_else(|cause| panic!("{program} is needed for these tests, and is not here: {cause}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "what these tests stand on cannot be fetched with {command:?}: {complaint}");
}
