//! `/admin`: everything at a glance, and what wants a look.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::packages::Totals;
use crate::policy::{AccountKind, InstanceAction};
use crate::users::Wanted;
use crate::web::shell::{PageResult, Size, Visitor, page};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct OverviewPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    users: i64,
    organizations: i64,
    totals: Totals,
    bytes: Size,
    signup: &'static str,
    provider: &'static str,
    warnings: Vec<String>,
}

/// `GET /admin`.
pub(in crate::web) async fn overview(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    let count = |kind| Wanted { kind, sought: "", page: 1, size: 1 };
    let (_, users) = app.users.list_accounts(&permit, count(AccountKind::User)).await?;
    let (_, organizations) = app.users.list_accounts(&permit, count(AccountKind::Organization)).await?;
    let totals = app.packages.totals(&permit).await?;
    let template = OverviewPage {
        visitor: &visitor,
        tab: "",
        users,
        organizations,
        totals,
        bytes: Size(totals.bytes.unsigned_abs()),
        signup: signup_in_words(app.instance.signup().await?),
        provider: app.config.billing.provider.as_str(),
        warnings: warnings(&app, &visitor),
    };
    page(&visitor, StatusCode::OK, &template)
}

fn signup_in_words(signup: crate::config::Signup) -> &'static str {
    match signup {
        crate::config::Signup::Open => "anybody may create an account",
        crate::config::Signup::Invite => "who is invited may create an account",
        crate::config::Signup::Closed => "only administrators and the operator create accounts",
    }
}

/// What wants a look, in sentences.
fn warnings(app: &App, visitor: &Visitor) -> Vec<String> {
    let mut warnings = Vec::new();
    if !visitor.is_secure() {
        warnings.push(
            "The public URL is plain http: passwords, tokens and sessions can be read on the way. Put TLS before it."
                .to_owned(),
        );
    }
    let ailing = app.board.ailing();
    if !ailing.is_empty() {
        warnings.push(format!("Background work keeps failing: {}. The log says why.", ailing.join(", ")));
    }
    if app.db.changes().hearing().is_none() {
        warnings.push("This node does not hear of changes right now, and asks the database every time.".to_owned());
    }
    if visitor.account().is_some_and(|account| account.second_factor.is_none()) {
        warnings.push("You administer this instance without a second factor. Turn one on.".to_owned());
    }
    warnings
}
