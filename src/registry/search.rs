//! `npm search` (`protocol.md` 8.1 and 8.2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::clock::to_npm_time;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json, Query};
use crate::search::{self, Hit, Page};

use super::notice_dead_token;

/// The most results of one answer, and how far a page may lie behind the first.
const LARGEST_PAGE: u32 = 250;
const FARTHEST: u32 = 10_000;

/// `GET /-/v1/search`. Without a word it lists everything; without `text` it is no search.
pub(super) async fn search(State(app): State<Arc<App>>, actor: CurrentActor, query: Query) -> Result<Response> {
    let text = query.get("text").ok_or_else(|| Error::Malformed("Say what to search for: ?text=words.".into()))?;
    let wanted = search::Query::parse(text).map_err(|cause| Error::Malformed(cause.to_string().into()))?;
    let from = super::number(&query, "from", 0)?;
    if from > FARTHEST {
        return Err(Error::Malformed(format!("from goes up to {FARTHEST}. Search for more words instead.").into()));
    }
    let size = super::number(&query, "size", 20)?.min(LARGEST_PAGE);
    let page = Page { from, size, sort: search::Sort::Relevance };
    let actor = actor.known()?;
    let found = app.search.find(&actor, &wanted, page).await?;
    let objects: Vec<Value> = found.hits.iter().map(|hit| object(hit, &app.public_url)).collect();
    let time = to_npm_time(app.clock.now());
    let mut response = Json(json!({ "objects": objects, "total": found.total, "time": time })).into_response();
    notice_dead_token(&actor, response.headers_mut());
    Ok(response)
}

/// `GET /-/all`, which npm 6 asks where it cannot search: it can.
pub(super) async fn all() -> Json<Value> {
    Json(json!({}))
}

/// npm 8 and 11 print members without looking whether they are there, so all are.
fn object(hit: &Hit, public_url: &str) -> Value {
    let person = |name: &String| json!({ "username": name, "email": "" });
    let date = to_npm_time(hit.published_at);
    let scope = hit.name.split_once('/').map_or("", |(scope, _)| scope.trim_start_matches('@'));
    json!({
        "package": {
            "name": hit.name,
            "scope": scope,
            "version": hit.version,
            "description": hit.description.as_deref().unwrap_or_default(),
            "keywords": hit.keywords,
            "date": date,
            "license": hit.license,
            "links": links(hit, public_url),
            "publisher": person(&hit.publisher),
            "maintainers": hit.maintainers.iter().map(person).collect::<Vec<_>>(),
            "access": if hit.is_public { "public" } else { "restricted" },
        },
        "downloads": { "weekly": hit.weekly, "monthly": hit.monthly },
        "dependents": 0,
        "updated": date,
        "searchScore": hit.score,
        "score": { "final": hit.score, "detail": { "quality": 1, "popularity": 1, "maintenance": 1 } },
        "flags": { "insecure": 0 },
    })
}

/// Links that a page may point at; what a publisher wrote beside http and https leads nowhere (`security.md` 1.8).
fn links(hit: &Hit, public_url: &str) -> Value {
    let mut links = Map::new();
    links.insert("npm".into(), format!("{public_url}/package/{}", hit.name).into());
    for (key, written) in [("homepage", &hit.homepage), ("repository", &hit.repository), ("bugs", &hit.bugs)] {
        if let Some(link) = written.as_deref().and_then(web_address) {
            links.insert(key.into(), link.into());
        }
    }
    links.into()
}

fn web_address(written: &str) -> Option<String> {
    let plain = written.strip_prefix("git+").unwrap_or(written);
    let is_web = plain.starts_with("https://") || plain.starts_with("http://");
    is_web.then(|| plain.strip_suffix(".git").unwrap_or(plain).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(web_address("git+https://x.test/a.git").as_deref(), Some("https://x.test/a"));
        assert_eq!(web_address("http://x.test").as_deref(), Some("http://x.test"));
        for written in ["javascript:alert(1)", "git://x.test/a", "x", "git+javascript:https://"] {
            assert_eq!(web_address(written), None, "{written}");
        }
    }
}
