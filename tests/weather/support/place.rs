//! Where an installation is, and the commands that work on it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The executable under test.
pub(crate) const EXECUTABLE: &str = env!("CARGO_BIN_EXE_strongroom");

/// A directory that the system user Postgres runs as can pass, as `/var/lib` would be.
pub(crate) fn data_dir() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    set_mode(directory.path(), 0o711);
    directory
}

/// Sets the permissions of a file or directory.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// A data directory and perhaps a database of its own: what every command has to be told.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The data directory.
    pub(crate) data_dir: PathBuf,
    database_url: Option<String>,
    environment: Vec<(&'static str, String)>,
}

impl Place {
    /// An installation with the embedded Postgres.
    pub(crate) fn embedded(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), database_url: None, environment: Vec::new() }
    }

    /// An installation on another Postgres.
    pub(crate) fn external(url: &str, data_dir: &Path) -> Self {
        Self { database_url: Some(url.to_owned()), ..Self::embedded(data_dir) }
    }

    /// The same installation with a configured value.
    pub(crate) fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    /// The folder with the package files.
    pub(crate) fn blob_dir(&self) -> PathBuf {
        self.data_dir.join("blobs")
    }

    /// Uploads on their way, or left behind.
    pub(crate) fn staged_files(&self) -> usize {
        fs::read_dir(self.blob_dir().join("staging")).map_or(0, Iterator::count)
    }

    /// A command on this installation, not yet started.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(EXECUTABLE);
        command.args(words).arg("--data-dir").arg(&self.data_dir);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        command.envs([("NO_COLOR", "1"), ("STRONGROOM__LOG__FORMAT", "text"), ("STRONGROOM__AUTH__SIGNUP", "open")]);
        command.env("STRONGROOM__LIMITS__LOGIN_PER_MINUTE", "10000");
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a command that is over soon.
    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        self.command(words).spawn().expect("the command starts")
    }

    /// Runs a command to its end, which must be a good one, and returns what it printed.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        finish(self.spawn(words))
    }

    /// Runs a command without standing in the way of what else the test does.
    pub(crate) async fn run_aside(&self, words: &[&'static str]) -> String {
        let (place, words) = (self.clone(), words.to_vec());
        tokio::task::spawn_blocking(move || place.run(&words)).await.expect("the command ends well")
    }

    /// Runs a command that must fail.
    pub(crate) fn fail(&self, words: &[&str]) -> Failure {
        Failure::of(self.spawn(words))
    }
}

/// Waits for a command and returns what it printed.
pub(crate) fn finish(child: Child) -> String {
    let output = child.wait_with_output().expect("the command ends");
    assert!(output.status.success(), "{}", said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// How a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// All that it said.
    pub(crate) said: String,
}

impl Failure {
    /// Waits for a command that must fail.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().expect("the command ends");
        assert!(!output.status.success(), "no failure: {}", said(&output));
        Self { code: output.status.code(), said: said(&output) }
    }
}
