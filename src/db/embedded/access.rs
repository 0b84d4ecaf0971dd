//! Who connects to the private Postgres, and with what: socket, roles, secret, address.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::EmbeddedError;
use super::cluster::write_private;
use super::describe::Description;
use super::sockets::PORT;

/// The role that owns the cluster; only bootstrap and tests use it.
pub(super) const ADMINISTRATOR: &str = "postgres";
/// The role and the database that strongroom works with.
const STRONGROOM: &str = "strongroom";

/// A password for the private socket. It has no `Debug`, so it cannot be logged by accident.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    /// Draws 256 random bits, written as hexadecimal so that they need no quoting anywhere.
    pub(super) fn generate() -> Result<Self, EmbeddedError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| EmbeddedError::io("read", Path::new("the random source"))(error.into()))?;
        Ok(Self(hex::encode(bytes)))
    }

    /// Reads the secret of the cluster; `None` when its private socket directory is protection enough.
    pub(super) fn load(data_dir: &Path) -> Result<Option<Self>, EmbeddedError> {
        let path = secret_path(data_dir);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Self(text.trim().to_owned()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("read", &path)(error)),
        }
    }

    pub(super) fn store(&self, data_dir: &Path) -> Result<(), EmbeddedError> {
        write_private(&secret_path(data_dir), &self.0)
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

fn secret_path(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.secret")
}

/// All that is needed to connect.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) sockets: PathBuf,
    pub(super) secret: Option<Secret>,
}

impl Access {
    /// Tells what may be told about it.
    pub(super) fn describe(&self, cluster: &Path) -> Description {
        Description {
            cluster: cluster.to_owned(),
            sockets: self.sockets.clone(),
            has_password: self.secret.is_some(),
            started: None,
        }
    }

    /// Options for strongroom's own role and database.
    pub(super) fn options(&self) -> PgConnectOptions {
        self.options_for(STRONGROOM, STRONGROOM)
    }

    fn options_for(&self, role: &str, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.sockets)
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(role)
            .database(database)
            .application_name(STRONGROOM);
        match &self.secret {
            Some(secret) => options.password(secret.expose()),
            None => options,
        }
    }

    /// The address of strongroom's own database.
    pub(super) fn url(&self) -> String {
        self.url_for(STRONGROOM, STRONGROOM)
    }

    /// The address of the administrator's database.
    pub(super) fn administrator_url(&self) -> String {
        self.url_for(ADMINISTRATOR, ADMINISTRATOR)
    }

    fn url_for(&self, role: &str, database: &str) -> String {
        let sockets = self.sockets.to_string_lossy();
        let host = utf8_percent_encode(&sockets, NON_ALPHANUMERIC);
        let mut url = format!("postgres:///{database}?host={host}&port={PORT}&user={role}&sslmode=disable");
        if let Some(secret) = &self.secret {
            let _ = write!(url, "&password={}", secret.expose());
        }
        url
    }

    /// Creates strongroom's role and database if they are absent. Neither can be made inside a transaction
    /// with the other, so each is looked for: a start that was cut short is completed by the next.
    ///
    /// # Errors
    ///
    /// [`sqlx::Error`] when the administrator cannot connect or create.
    pub(super) async fn bootstrap(&self) -> Result<(), sqlx::Error> {
        // A statement below may hold the secret.
        let options = self.options_for(ADMINISTRATOR, ADMINISTRATOR);
        let mut connection = options.disable_statement_logging().connect().await?;
        if !exists(&mut connection, "select from pg_roles where rolname = $1").await? {
            connection.execute(AssertSqlSafe(self.create_role())).await?;
        }
        if !exists(&mut connection, "select from pg_database where datname = $1").await? {
            connection.execute("create database strongroom owner strongroom").await?;
        }
        connection.close().await
    }

    /// The secret is hexadecimal, so it can stand between quotes.
    fn create_role(&self) -> String {
        match &self.secret {
            Some(secret) => format!("create role strongroom login password '{}'", secret.expose()),
            None => "create role strongroom login".to_owned(),
        }
    }
}

async fn exists(connection: &mut PgConnection, query: &'static str) -> Result<bool, sqlx::Error> {
    let row = sqlx::query(query).bind(STRONGROOM).fetch_optional(connection).await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_carries_a_path_with_odd_characters() {
        let access = Access { sockets: "/srv/strong room/söcket&x".into(), secret: Some(Secret("abc".into())) };
        let options: PgConnectOptions = access.url().parse().expect("a url");
        assert_eq!(options.get_socket(), Some(&access.sockets));
        assert_eq!(options.get_username(), "strongroom");
        assert_eq!(options.get_database(), Some("strongroom"));
    }

    #[test]
    fn secrets_differ_and_are_long() {
        let [one, other] = [(); 2].map(|()| Secret::generate().expect("random bits"));
        assert_eq!(one.expose().len(), 64);
        assert_ne!(one.expose(), other.expose());
    }
}
