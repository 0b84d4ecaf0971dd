//! Joining the Postgres that a running server supervises.

use std::path::Path;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep};

use super::access::{Access, Secret};
use super::{EmbeddedError, lock, sockets};

/// How long a server may take from its lock to a Postgres that answers.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often we knock.
const RETRY: Duration = Duration::from_millis(100);

/// Waits until the server's Postgres answers for strongroom's role; `None` when the server ends before.
///
/// # Errors
///
/// [`EmbeddedError::NoAnswer`] when it does not answer within 60 s, [`EmbeddedError::Io`] when its secret
/// cannot be read.
pub(super) async fn wait_for_server(data_dir: &Path) -> Result<Option<Access>, EmbeddedError> {
    let deadline = Instant::now() + PATIENCE;
    while lock::is_served(data_dir) {
        // Read anew each time: a server that is just starting may write them meanwhile.
        let access = Access { sockets: sockets::locate(data_dir), secret: Secret::load(data_dir)? };
        match knock(&access).await {
            Ok(()) => return Ok(Some(access)),
            Err(error) if Instant::now() >= deadline => {
                return Err(EmbeddedError::NoAnswer { secs: PATIENCE.as_secs(), reason: error.to_string() });
            }
            Err(_) => sleep(RETRY).await,
        }
    }
    Ok(None)
}

async fn knock(access: &Access) -> Result<(), sqlx::Error> {
    access.options().connect().await?.close().await
}
