//! The database cluster on disk: found, or created so that it is either whole or absent.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::access::{ADMINISTRATOR, Secret};
use super::binaries::Binaries;
use super::identity::Identity;
use super::launch::Launcher;
use super::search::ExistingMajor;
use super::{EmbeddedError, Profile, durable};

/// Start of the names of clusters that `initdb` has not finished.
const UNFINISHED_PREFIX: &str = "postgres.tmp-";

/// The directory of the cluster in `data_dir`, whether it exists or not.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}

/// The major version of the cluster, `None` when there is none.
///
/// # Errors
///
/// [`EmbeddedError::Io`] when there is a directory without a readable `PG_VERSION`: it is never replaced.
pub(super) fn existing_major(cluster: &Path) -> Result<Option<ExistingMajor>, EmbeddedError> {
    if !cluster.exists() {
        return Ok(None);
    }
    let file = cluster.join("PG_VERSION");
    let major = fs::read_to_string(&file).map_err(EmbeddedError::io("read", &file))?;
    Ok(Some(ExistingMajor { cluster: cluster.to_owned(), major: major.trim().to_owned() }))
}

/// Removes what interrupted creations left behind; call it under the lock of the data directory.
pub(super) fn sweep(data_dir: &Path) {
    for entry in fs::read_dir(data_dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED_PREFIX) {
            continue;
        }
        tracing::info!(path = %path.display(), "removing an unfinished database");
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }
}

/// Everything that decides how a new cluster is made.
pub(super) struct NewCluster<'a> {
    pub(super) data_dir: &'a Path,
    pub(super) launcher: &'a Launcher,
    pub(super) binaries: &'a Binaries,
    pub(super) identity: &'a Identity,
    pub(super) profile: Profile,
}

impl NewCluster<'_> {
    /// Creates the cluster under another name, and gives it its own when it is whole and on the disk.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError::Init`] when `initdb` refuses, [`EmbeddedError::Io`].
    pub(super) fn create(&self) -> Result<(), EmbeddedError> {
        let unfinished = self.unfinished("");
        fs::DirBuilder::new().mode(0o700).create(&unfinished).map_err(EmbeddedError::io("create", &unfinished))?;
        self.identity.own(&unfinished)?;
        let secret = self.needs_password().then(Secret::generate).transpose()?;
        self.initialise(&unfinished, secret.as_ref())?;
        if let Some(secret) = secret {
            secret.store(self.data_dir)?;
        }
        let cluster = path(self.data_dir);
        fs::rename(&unfinished, &cluster).map_err(EmbeddedError::io("create", &cluster))?;
        durable::sync_directory(self.data_dir).map_err(EmbeddedError::io("sync", self.data_dir))
    }

    /// Strangers under the same user could enter the private socket directory. Test data is not worth the time
    /// that a password costs at each connection.
    fn needs_password(&self) -> bool {
        self.identity.is_shared() && self.profile == Profile::Durable
    }

    fn unfinished(&self, suffix: &str) -> PathBuf {
        let process = std::process::id();
        self.data_dir.join(format!("{UNFINISHED_PREFIX}{process}{suffix}"))
    }

    fn initialise(&self, directory: &Path, secret: Option<&Secret>) -> Result<(), EmbeddedError> {
        let initdb = self.binaries.program("initdb");
        let mut command = self.launcher.command(self.identity, &initdb, self.data_dir);
        command.arg("-D").arg(directory).args(self.arguments());
        match secret {
            Some(secret) => self.run_with_password(command, secret),
            None => run(command.arg("--auth-local=trust"), &initdb),
        }
    }

    /// `initdb` takes a password only from a file, which its user must be able to read.
    fn run_with_password(&self, mut command: Command, secret: &Secret) -> Result<(), EmbeddedError> {
        let file = self.unfinished(".password");
        write_private(&file, secret.expose())?;
        self.identity.own(&file)?;
        command.arg("--auth-local=scram-sha-256").arg("--pwfile").arg(&file);
        let result = run(&mut command, &self.binaries.program("initdb"));
        let _ = fs::remove_file(&file);
        result
    }

    /// With the collation `C` the order of names cannot change with an upgrade of the C library; the character
    /// type must know letters beyond ASCII all the same, for lower case and for trigrams.
    fn arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec![
            "--encoding=UTF8",
            "--lc-collate=C",
            "--lc-ctype=C.UTF-8",
            "--lc-messages=C",
            "--auth-host=reject",
            "--data-checksums",
            "--no-instructions",
            "--username",
            ADMINISTRATOR,
        ];
        if self.binaries.major >= 17 {
            arguments.extend(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
        }
        if self.profile == Profile::Disposable {
            arguments.push("--no-sync");
        }
        arguments
    }
}

/// Writes a file that only its owner may read, and makes it durable.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), EmbeddedError> {
    let _ = fs::remove_file(path);
    fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(EmbeddedError::io("write", path))
}

fn run(command: &mut Command, program: &Path) -> Result<(), EmbeddedError> {
    let output = command.output().map_err(EmbeddedError::io("run", program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(EmbeddedError::Init { output: complaint(&output) })
}

fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.join(" ")
}
