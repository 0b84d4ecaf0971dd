//! The blocking half of opening: from a locked data directory to a cluster that can be started.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

use super::access::{Access, Secret};
use super::binaries::Binaries;
use super::cluster::{self, NewCluster};
use super::describe::{Description, Started};
use super::identity::Identity;
use super::launch::Launcher;
use super::search::find_binaries;
use super::{EmbeddedError, EmbeddedOptions, durable, npm, settings, sockets};

/// A cluster that is whole, and all that is needed to start it and to connect.
pub(super) struct Prepared {
    pub(super) access: Access,
    pub(super) description: Description,
    pub(super) postmaster: Postmaster,
}

/// Builds the command of the postmaster, again for each restart.
pub(super) struct Postmaster {
    launcher: Launcher,
    identity: Identity,
    program: PathBuf,
    cluster: PathBuf,
    arguments: Vec<String>,
}

impl Postmaster {
    pub(super) fn command(&self) -> Command {
        let mut command = self.launcher.command(&self.identity, &self.program, &self.cluster);
        command.arg("-D").arg(&self.cluster).args(&self.arguments);
        command
    }
}

/// Creates the data directory if it is absent and returns its absolute path. Root leaves it passable, so that
/// the system user Postgres runs as reaches the cluster inside; what is private inside has its own mode.
///
/// # Errors
///
/// [`EmbeddedError::Io`].
pub(super) fn make_data_dir(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    if !data_dir.exists() {
        let mode = if geteuid().is_root() { 0o711 } else { 0o700 };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(data_dir)
            .map_err(EmbeddedError::io("create", data_dir))?;
    }
    data_dir.canonicalize().map_err(EmbeddedError::io("open", data_dir))
}

/// Sweeps, finds programs and user, creates the cluster if there is none, and makes the socket directory. The
/// caller holds the data directory, and gives a thread that may block.
///
/// # Errors
///
/// Nearly every one of [`EmbeddedError`].
pub(super) fn prepare(options: &EmbeddedOptions, progress: &dyn Fn(&str)) -> Result<Prepared, EmbeddedError> {
    let data_dir = &options.data_dir;
    cluster::sweep(data_dir);
    npm::sweep(&options.runtime_dir());
    let cluster = cluster::path(data_dir);
    let existing = cluster::existing_major(&cluster)?;
    let binaries = find_binaries(options, existing.as_ref(), progress)?;
    let launcher = Launcher::new(options.shim.clone());
    let identity = Identity::choose(&launcher, &binaries, data_dir, &cluster)?;
    if existing.is_none() {
        progress(&format!("Creating a private Postgres {} database", binaries.version));
        let new = NewCluster {
            data_dir,
            launcher: &launcher,
            binaries: &binaries,
            identity: &identity,
            profile: options.profile,
        };
        new.create()?;
    }
    let access = Access { sockets: sockets::prepare(data_dir, &identity)?, secret: Secret::load(data_dir)? };
    Ok(Prepared {
        description: Description {
            started: Some(started(data_dir, &binaries, &identity, existing.is_none())),
            ..access.describe(&cluster)
        },
        postmaster: Postmaster {
            arguments: settings::arguments(&access.sockets, options.profile),
            program: binaries.program("postgres"),
            launcher,
            identity,
            cluster,
        },
        access,
    })
}

fn started(data_dir: &Path, binaries: &Binaries, identity: &Identity, is_new: bool) -> Started {
    Started {
        rule: binaries.rule,
        directory: binaries.directory.clone(),
        version: binaries.version.clone(),
        identity: identity.to_string(),
        is_new,
        doubtful_file_system: warn_about_file_system(data_dir),
    }
}

fn warn_about_file_system(data_dir: &Path) -> Option<&'static str> {
    let kind = durable::doubtful_file_system(data_dir)?;
    tracing::warn!(
        path = %data_dir.display(),
        "the data directory is on {kind} file system, where databases have been lost; use a local disk"
    );
    Some(kind)
}
