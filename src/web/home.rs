//! The first page: what this instance is, or what the visitor has here.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::names::PackageName;

use super::shell::{PageResult, Visitor, page};

#[derive(Template)]
#[template(path = "home/signed_out.html")]
struct SignedOut<'a> {
    visitor: &'a Visitor,
}

#[derive(Template)]
#[template(path = "home/signed_in.html")]
struct SignedIn<'a> {
    visitor: &'a Visitor,
    setup: String,
    own: Vec<PackageName>,
    shared: Vec<PackageName>,
}

/// `GET /`.
pub(super) async fn home_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let Some(account) = visitor.account() else {
        return page(&visitor, StatusCode::OK, &SignedOut { visitor: &visitor });
    };
    let listed = app.access.list_packages(account.id, visitor.actor()).await?;
    let names = listed.into_iter().map(|(name, _)| name);
    let (own, shared) = names.partition(|name| name.scope() == account.name);
    let (name, url) = (&account.name, &visitor.public_url);
    let setup = format!("npm config set @{name}:registry {url}/ && npm login --scope=@{name} --registry={url}/");
    let template = SignedIn { visitor: &visitor, setup, own, shared };
    page(&visitor, StatusCode::OK, &template)
}
