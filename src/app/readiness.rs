//! Whether what a node stands on is there.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::App;

/// For how long a finding is repeated to whoever asks: nobody needs a credential for it, and a finding costs a query and
/// a file.
const REPEATED: Duration = Duration::from_secs(1);

/// What was found last, and when.
#[derive(Debug, Default)]
pub(super) struct Finding(Mutex<Option<(Instant, Vec<&'static str>)>>);

impl App {
    /// What is not there of `database` (with every migration), `storage` and `changes`, the news of other nodes;
    /// `stopping` where the node is.
    pub async fn failing(&self) -> Vec<&'static str> {
        let mut last = self.finding.0.lock().await;
        let mut failing = match &*last {
            Some((at, failing)) if at.elapsed() < REPEATED => failing.clone(),
            _ => {
                let failing = self.examine().await;
                *last = Some((Instant::now(), failing.clone()));
                failing
            }
        };
        if self.is_stopping() {
            failing.push("stopping");
        }
        failing
    }

    async fn examine(&self) -> Vec<&'static str> {
        let checks = [
            ("database", self.db.is_ready().await.unwrap_or(false)),
            ("storage", self.blobs.probe().await.is_ok()),
            ("changes", self.db.changes().hearing().is_some()),
        ];
        checks.into_iter().filter(|(_, passed)| !passed).map(|(name, _)| name).collect()
    }
}
