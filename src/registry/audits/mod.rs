//! `npm audit` (`protocol.md` 7.1 and 7.2): the present way, and the one of npm 6, yarn 1 and pnpm up to 10.

mod report;
mod tree;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::advisories::{Advisory, Installed};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{CurrentActor, Json};
use crate::policy::Actor;

use super::notice_dead_token;
use tree::Tree;

/// The most packages that one request may ask about.
const MOST_PACKAGES: usize = 20_000;

/// `POST /-/npm/v1/security/advisories/bulk`: what there is about each package, nothing about the others.
pub(super) async fn bulk(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Response> {
    let actor = actor.known()?;
    let installed: Installed = app.large_bodies.read(request).await?;
    let mut answer: Map<String, Value> = Map::new();
    for advisory in find(&app, &actor, &installed).await? {
        let about = answer.entry(advisory.package.clone()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = about {
            list.push(entry(&advisory));
        }
    }
    Ok(answered(Value::Object(answer), &actor))
}

/// `POST /-/npm/v1/security/audits` and `…/quick`: the whole dependency tree, and a report about it.
pub(super) async fn report(State(app): State<Arc<App>>, actor: CurrentActor, request: Request) -> Result<Response> {
    let actor = actor.known()?;
    let tree: Tree = app.large_bodies.read(request).await?;
    let found = find(&app, &actor, &tree.installed()).await?;
    Ok(answered(report::report(&tree, &found), &actor))
}

async fn find(app: &App, actor: &Actor, installed: &Installed) -> Result<Vec<Arc<Advisory>>> {
    if installed.len() > MOST_PACKAGES {
        return Err(Error::TooLarge("The request asks about more than 20000 packages. Send less at once.".into()));
    }
    app.advisories.find(actor, installed).await
}

fn answered(body: Value, actor: &Actor) -> Response {
    let mut response = Json(body).into_response();
    notice_dead_token(actor, response.headers_mut());
    response
}

fn entry(advisory: &Advisory) -> Value {
    json!({
        "id": advisory.id,
        "url": advisory.url,
        "title": advisory.title,
        "severity": advisory.severity.as_str(),
        "vulnerable_versions": advisory.affected.to_string(),
        "cwe": advisory.cwes,
        "cvss": { "score": advisory.cvss_score, "vectorString": advisory.cvss_vector },
    })
}
