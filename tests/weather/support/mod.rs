//! What these tests stand on: processes, a client that speaks plain HTTP, packages made by code, and a cable to cut.

pub(crate) mod client;
#[path = "../../support/database/mod.rs"]
pub(crate) mod database;
pub(crate) mod dice;
pub(crate) mod package;
pub(crate) mod place;
pub(crate) mod proxy;
pub(crate) mod server;

use std::time::{Duration, Instant};

/// How long anything may take that has no limit of its own; long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How soon one node must obey what another acknowledged.
pub(crate) const ONE_SECOND: Duration = Duration::from_secs(1);

/// Asks again and again until the answer is yes; fails the test where it is still no after `limit`.
pub(crate) async fn within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
