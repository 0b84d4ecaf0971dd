//! Opening the rooms for a command: find the database, or start or join the embedded one, and bring it up to date.

use std::time::Duration;

use anyhow::Context;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::embedded::{EmbeddedOptions, EmbeddedPostgres, Role};

use super::BadConfiguration;

/// How long an external database may take to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Marks a failure as one of the database or the storage.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreachable(pub(super) String);

/// The database behind a command.
pub(super) struct Database {
    pub(super) options: PgConnectOptions,
    pub(super) embedded: Option<EmbeddedPostgres>,
}

impl Database {
    /// The configured one, else the embedded one. Never falls back from the first to the second: that would split data.
    pub(super) async fn find(config: &Config, role: Role) -> anyhow::Result<Self> {
        match &config.database.url {
            Some(url) => {
                let options: PgConnectOptions = url.expose().parse().map_err(|_| {
                    BadConfiguration(
                        "database.url is not a Postgres URL such as postgres://user:password@host/name".into(),
                    )
                })?;
                if config.data_dir().join("postgres").exists() {
                    tracing::warn!(
                        folder = %config.data_dir().display(),
                        "the data folder holds an embedded Postgres, which is not used: database.url is set"
                    );
                }
                wait_for(&options).await?;
                Ok(Self { options, embedded: None })
            }
            None => Self::embedded(config, role).await,
        }
    }

    async fn embedded(config: &Config, role: Role) -> anyhow::Result<Self> {
        let options = EmbeddedOptions {
            postgres_bin: config.database.postgres_bin.clone(),
            offline: config.database.offline,
            ..EmbeddedOptions::new(config.data_dir(), role)
        };
        let embedded = EmbeddedPostgres::open(options, |line| tracing::info!("{line}"))
            .await
            .map_err(|cause| Unreachable(cause.to_string()))?;
        Ok(Self { options: embedded.connect_options(), embedded: Some(embedded) })
    }

    pub(super) async fn stop(self) {
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}

async fn wait_for(options: &PgConnectOptions) -> anyhow::Result<()> {
    let began = tokio::time::Instant::now();
    let mut pause = Duration::from_millis(100);
    loop {
        let cause = match options.connect().await {
            Ok(connection) => return Ok(sqlx::Connection::close(connection).await?),
            Err(cause) => cause,
        };
        if began.elapsed() + pause > PATIENCE {
            let sentence = format!("the database does not answer ({cause}). Check database.url and that it runs");
            return Err(Unreachable(sentence).into());
        }
        tracing::info!(%cause, "waiting for the database");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(3));
    }
}

/// What to do about a node that has another key of secrets than the others.
pub(super) const OTHER_KEY: &str =
    "secrets in this database are sealed with another key. Give every node the same secrets.key or secrets.key_file";

/// The rooms, open for one command.
pub(super) struct Session {
    /// On the heap, so that it does not weigh on every future that holds a session.
    pub(super) app: Box<App>,
    database: Database,
}

/// Opens the rooms on an up-to-date database; beside a running server on the same data folder too.
pub(super) async fn open(config: Config) -> anyhow::Result<Session> {
    let database = Database::find(&config, Role::Command).await?;
    let app = App::new(config, database.options.clone(), Clock::system())
        .map_err(|cause| Unreachable(format!("the folder for package files cannot be used: {cause}")))?;
    let app = Box::new(app);
    app.db.migrate().await.context("the database could not be brought up to date")?;
    app.vault.check(&app.db).await.context(OTHER_KEY)?;
    Ok(Session { app, database })
}

impl Session {
    pub(super) async fn close(self) {
        self.app.db.close().await;
        self.database.stop().await;
    }
}

/// Runs one verb with the rooms open, and closes them whatever comes of it.
pub(super) async fn with_app<T>(
    config: Config,
    verb: impl AsyncFnOnce(&App) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let session = Box::pin(open(config)).await?;
    let outcome = verb(&session.app).await;
    session.close().await;
    outcome
}
