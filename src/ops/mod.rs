//! The face that operators' tools see: is the process alive, and may it be sent requests?

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::app::App;
use crate::http::Json;

/// The paths of this face; all take GET.
pub const PATHS: [&str; 2] = ["/-/livez", "/-/readyz"];

/// For how long a finding of readiness is repeated to whoever asks: the address takes no credential, and a finding costs
/// a query and a file.
const REPEATED: Duration = Duration::from_secs(1);

/// The router of this face.
pub fn router(app: Arc<App>) -> Router {
    let readiness = Arc::new(Readiness { app, last: Mutex::default() });
    Router::new().route(PATHS[0], get(alive)).route(PATHS[1], get(ready)).with_state(readiness)
}

/// `GET /-/livez`: the process runs.
async fn alive() -> Json<Value> {
    Json(json!({ "alive": true }))
}

/// `GET /-/readyz`: the database answers and has every migration, the storage takes files, and other nodes are heard.
/// `ailing` are chores that keep failing: worth a look, and no reason to send requests elsewhere.
async fn ready(State(readiness): State<Arc<Readiness>>) -> Response {
    let failed = readiness.failed().await;
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let ailing = readiness.app.board.ailing();
    (status, Json(json!({ "ready": failed.is_empty(), "failed": failed, "ailing": ailing }))).into_response()
}

struct Readiness {
    app: Arc<App>,
    last: Mutex<Option<(Instant, Vec<&'static str>)>>,
}

impl Readiness {
    async fn failed(&self) -> Vec<&'static str> {
        let mut last = self.last.lock().await;
        let mut failed = match &*last {
            Some((at, failed)) if at.elapsed() < REPEATED => failed.clone(),
            _ => {
                let failed = self.examine().await;
                *last = Some((Instant::now(), failed.clone()));
                failed
            }
        };
        if self.app.is_stopping() {
            failed.push("stopping");
        }
        failed
    }

    async fn examine(&self) -> Vec<&'static str> {
        let app = &self.app;
        let checks = [
            ("database", app.db.is_ready().await.unwrap_or(false)),
            ("storage", app.blobs.probe().await.is_ok()),
            ("changes", app.db.changes().hearing().is_some()),
        ];
        checks.into_iter().filter(|(_, passed)| !passed).map(|(name, _)| name).collect()
    }
}
