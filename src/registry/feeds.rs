//! Replication (`protocol.md` 8.6), and the root in the tradition of `CouchDB` (8.4).

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::{Error, Result};
use crate::feeds::Entry;
use crate::http::{Json, Query};
use crate::packages::rev_text;

/// How many lines are given where none are asked for, and the most.
const USUAL_LINES: u32 = 1_000;
const MOST_LINES: u32 = 10_000;

/// `GET /`: how much there is, as far as it is public. Also asked by health checks, which want an answer in any case.
pub(super) async fn root(State(app): State<Arc<App>>) -> Json<Value> {
    match app.feeds.summary().await {
        Ok(summary) => Json(json!({
            "db_name": "registry",
            "doc_count": summary.packages,
            "update_seq": summary.sequence,
        })),
        Err(_) => Json(json!({ "db_name": "registry" })),
    }
}

/// `GET /_changes`: one page after a number, to be asked again from `last_seq`.
pub(super) async fn changes(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>> {
    if query.get("feed").is_some_and(|feed| feed != "normal") {
        return Err(Error::Malformed("This feed is read page by page: leave feed out, and go on at last_seq.".into()));
    }
    let limit = limit(&query)?;
    let since = match query.get("since") {
        Some("now") => app.feeds.summary().await?.sequence,
        Some(text) => text.parse().map_err(|_| Error::Malformed("since is the last_seq of a page before.".into()))?,
        None => 0,
    };
    let entries = app.feeds.changes(since, limit).await?;
    let last = entries.last().map_or(since, |entry| entry.sequence);
    let results: Vec<Value> = entries.iter().map(line).collect();
    Ok(Json(json!({ "results": results, "last_seq": last })))
}

/// `GET /_all_docs`.
pub(super) async fn all_docs(State(app): State<Arc<App>>, query: Query) -> Result<Json<Value>> {
    let limit = limit(&query)?;
    let start = query.get("startkey").or_else(|| query.get("start_key")).unwrap_or_default();
    let (offset, listed) = app.feeds.packages(start.trim_matches('"'), limit).await?;
    let total = app.feeds.summary().await?.packages;
    let rows = listed
        .iter()
        .map(|one| json!({ "id": one.name, "key": one.name, "value": { "rev": rev_text(&one.name, one.revision) } }));
    Ok(Json(json!({ "total_rows": total, "offset": offset, "rows": rows.collect::<Vec<_>>() })))
}

fn line(entry: &Entry) -> Value {
    let rev = rev_text(&entry.name, entry.revision);
    let mut line = json!({ "seq": entry.sequence, "id": entry.name, "changes": [{ "rev": rev }] });
    if entry.deleted {
        line["deleted"] = true.into();
    }
    line
}

fn limit(query: &Query) -> Result<u32> {
    Ok(super::number(query, "limit", USUAL_LINES)?.clamp(1, MOST_LINES))
}
