//! A user as others see them: their packages, as far as the visitor may read them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Error;
use crate::http::{PathParameters, Query as Parameters};
use crate::names::AccountName;
use crate::policy::AccountKind;
use crate::search::{Query, Sort};
use crate::users::Profile;

use super::search::{Paging, Results, find};
use super::shell::{PageResult, Visitor, page, see_other};

#[derive(Template)]
#[template(path = "search/profile.html")]
struct ProfilePage<'a> {
    visitor: &'a Visitor,
    profile: Profile,
    results: Results,
    paging: Paging,
}

/// `GET /~user`; an organization has a page of its own.
pub(super) async fn profile_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    parameters: Parameters,
) -> PageResult {
    let missing = || Error::NotFound("There is no such account.".into());
    let name: AccountName = path.get("user").parse().map_err(|_| missing())?;
    if let Some((_, AccountKind::Organization)) = app.users.find_account(&name).await? {
        return Ok(see_other(&visitor, &format!("/org/{name}")));
    }
    let profile = app.users.find(&name).await?.ok_or_else(missing)?;
    let at = parameters.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 500);
    let query = Query::default().with("maintainer", name.as_str());
    let results = find(&app, &visitor, query, Sort::Newest, at).await?;
    let paging = Paging::over(results.total, at, |page| format!("/~{name}?page={page}"));
    page(&visitor, StatusCode::OK, &ProfilePage { visitor: &visitor, profile, results, paging })
}
