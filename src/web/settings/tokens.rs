//! `/settings/tokens`: what may act as this account, and ending it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::http::Query;
use crate::policy::AccountAction;
use crate::tokens::{ListedToken, Page, TokenKind};

use super::super::shell::{Form, Notice, PageResult, Visitor, page, see_other_with};
use super::{permit, words};

const PER_PAGE: i64 = 100;

#[derive(Template)]
#[template(path = "settings/tokens.html")]
struct TokensPage<'a> {
    visitor: &'a Visitor,
    tokens: Vec<Line>,
    total: i64,
    before: Option<i64>,
    after: Option<i64>,
}

/// A line of the list.
struct Line {
    token: ListedToken,
    may: String,
    from_where: String,
    /// Whether another one like it can be made on a page; a login is renewed by logging in.
    can_renew: bool,
}

impl From<ListedToken> for Line {
    fn from(token: ListedToken) -> Self {
        Self {
            may: words::may(&token.narrowing),
            from_where: words::from_where(&token.narrowing),
            can_renew: token.kind == TokenKind::Granular,
            token,
        }
    }
}

/// `GET /settings/tokens`.
pub(in crate::web) async fn list(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::See).await?;
    let number = query.get("page").and_then(|text| text.parse::<u32>().ok()).map_or(0, i64::from);
    let wanted = Page { limit: PER_PAGE, offset: number * PER_PAGE };
    let (tokens, total) = app.tokens.list_own(&permit, wanted).await?;
    let template = TokensPage {
        visitor: &visitor,
        tokens: tokens.into_iter().map(Line::from).collect(),
        total,
        before: (number > 0).then(|| number - 1),
        after: ((number + 1) * PER_PAGE < total).then(|| number + 1),
    };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST /settings/tokens`: ends one.
pub(in crate::web) async fn revoke(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::EndToken).await?;
    let key = form.text("key");
    let token = app.tokens.find_own(&permit, key).await?;
    app.tokens.revoke_own(&permit, &token.key).await?;
    let notice = Notice::new(format!("{} is revoked: what still uses it is refused from now on.", token.name));
    Ok(see_other_with(&visitor, "/settings/tokens", &notice))
}
