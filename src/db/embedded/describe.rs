//! What `strongroom doctor` prints about the private Postgres.

use std::fmt;
use std::path::PathBuf;

use super::binaries::BinariesRule;

/// Where the private Postgres is and how it came to run. Holds no secret.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Description {
    /// The cluster directory.
    pub cluster: PathBuf,
    /// The directory of the socket.
    pub sockets: PathBuf,
    /// Whether connections need the secret of the data directory, because the user that Postgres runs as may
    /// have other processes.
    pub has_password: bool,
    /// How it was started; `None` when it was joined.
    pub started: Option<Started>,
}

/// How the private Postgres was started.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Started {
    /// Which rule of the search chose the programs.
    pub rule: BinariesRule,
    /// Their directory.
    pub directory: PathBuf,
    /// Their version, such as `18.4`.
    pub version: String,
    /// The user Postgres runs as, and how it became that user.
    pub identity: String,
    /// Whether the cluster was created by this start.
    pub is_new: bool,
    /// The file system of the cluster, if it is one that databases have been lost on.
    pub doubtful_file_system: Option<&'static str>,
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.started {
            Some(started) => writeln!(formatter, "{started}")?,
            None => writeln!(formatter, "joined the Postgres of a running server")?,
        }
        let password = if self.has_password { "with password" } else { "private directory" };
        writeln!(formatter, "cluster   {}", self.cluster.display())?;
        write!(formatter, "socket    {} ({password})", self.sockets.display())
    }
}

impl fmt::Display for Started {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        writeln!(formatter, "postgres  {} in {directory} ({})", self.version, self.rule)?;
        write!(formatter, "runs as   {}", self.identity)
    }
}
