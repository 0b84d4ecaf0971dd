//! `/settings/tokens/new`: first what for, then the form, then what it will be able to do, then the token, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Time;
use crate::error::Error;
use crate::http::Query;
use crate::names::PackageName;
use crate::policy::{AccountAction, AccountPermit};
use crate::tokens::NewToken;

use super::super::shell::{
    Form, FormErrors, PageResult, Problem, Visitor, forget_shown, page, see_other, show_next, shown_next,
};
use super::wish::Wish;
use super::{confirmed_permit, permit, words};

const SHOWN_AT: &str = "/settings/tokens/made";

#[derive(Template)]
#[template(path = "settings/token_purpose.html")]
struct PurposePage<'a> {
    visitor: &'a Visitor,
}

#[derive(Template)]
#[template(path = "settings/token_here.html")]
struct HerePage<'a> {
    visitor: &'a Visitor,
    login: String,
}

#[derive(Template)]
#[template(path = "settings/token_trusted.html")]
struct TrustedPage<'a> {
    visitor: &'a Visitor,
    packages: Vec<PackageName>,
    typed: &'a str,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "settings/token_form.html")]
struct FormPage<'a> {
    visitor: &'a Visitor,
    wish: Wish,
    /// The token that this one takes the place of.
    replaced: Option<String>,
    errors: FormErrors,
}

#[derive(Template)]
#[template(path = "settings/token_check.html")]
struct CheckPage<'a> {
    visitor: &'a Visitor,
    wish: &'a Wish,
    may: String,
    from_where: String,
    ends: Time,
    replaced: Option<String>,
    back: String,
    errors: FormErrors,
}

/// `GET /settings/tokens/new`: each step is an address, and nothing in it is a secret.
pub(in crate::web) async fn steps(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::See).await?;
    let account = permit.account();
    if let Some(key) = query.get("like") {
        let token = app.tokens.find_own(&permit, key).await?;
        return show_form(&app, &visitor, &permit, Wish::like(&token), FormErrors::default()).await;
    }
    match query.get("for") {
        None => page(&visitor, StatusCode::OK, &PurposePage { visitor: &visitor }),
        Some("computer") => {
            let (name, url) = (&account.name, &visitor.public_url);
            let login = format!("npm login --scope=@{name} --registry={url}/");
            page(&visitor, StatusCode::OK, &HerePage { visitor: &visitor, login })
        }
        Some("publish") => match query.get("package").filter(|typed| !typed.trim().is_empty()) {
            Some(typed) => lead_to_trust(&app, &visitor, &permit, typed.trim()).await,
            None => show_trusted(&app, &visitor, &permit, "", FormErrors::default()).await,
        },
        Some("install") => {
            show_form(&app, &visitor, &permit, Wish::to_install(&account.name), FormErrors::default()).await
        }
        Some("check") => {
            let wish = Wish::read(|field| query.get(field).unwrap_or_default());
            check(&app, &visitor, &permit, wish, &query).await
        }
        Some("change") => {
            let wish = Wish::read(|field| query.get(field).unwrap_or_default());
            show_form(&app, &visitor, &permit, wish, FormErrors::default()).await
        }
        Some(_) => show_form(&app, &visitor, &permit, Wish::plain(), FormErrors::default()).await,
    }
}

async fn show_trusted(
    app: &App,
    visitor: &Visitor,
    permit: &AccountPermit,
    typed: &str,
    errors: FormErrors,
) -> PageResult {
    let listed = app.access.list_packages(permit.account().id, visitor.actor()).await?;
    let names = listed.into_iter().map(|(name, _)| name);
    let packages = names.filter(|name| name.scope() == permit.account().name).take(50).collect();
    page(visitor, errors.status(), &TrustedPage { visitor, packages, typed, errors })
}

/// On to the page of a package that need not exist yet; a name without a scope is meant in the visitor's own.
async fn lead_to_trust(app: &App, visitor: &Visitor, permit: &AccountPermit, typed: &str) -> PageResult {
    let whole = if typed.starts_with('@') { typed.to_owned() } else { format!("@{}/{typed}", permit.account().name) };
    match whole.parse::<PackageName>() {
        Ok(name) => Ok(see_other(visitor, &format!("/package/{name}/settings/trust"))),
        Err(cause) => {
            let errors = FormErrors::from_refusal("package", cause.into())?;
            show_trusted(app, visitor, permit, typed, errors).await
        }
    }
}

async fn show_form(app: &App, visitor: &Visitor, permit: &AccountPermit, wish: Wish, errors: FormErrors) -> PageResult {
    let replaced = replaced_name(app, permit, &wish).await?;
    let status = errors.status();
    page(visitor, status, &FormPage { visitor, wish, replaced, errors })
}

async fn replaced_name(app: &App, permit: &AccountPermit, wish: &Wish) -> Result<Option<String>, Problem> {
    if wish.replaces.is_empty() {
        return Ok(None);
    }
    match app.tokens.find_own(permit, &wish.replaces).await {
        Ok(token) => Ok(Some(token.name)),
        // It has ended meanwhile: there is nothing left to replace.
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn check(app: &App, visitor: &Visitor, permit: &AccountPermit, wish: Wish, query: &Query) -> PageResult {
    let token = match wish.to_token(permit.account().id, visitor.now) {
        Ok(token) => token,
        Err(errors) => return show_form(app, visitor, permit, wish, errors).await,
    };
    let replaced = replaced_name(app, permit, &wish).await?.filter(|_| wish.ends_replaced);
    let back = back_to_form(query);
    show_check(visitor, &wish, &token, replaced, back, FormErrors::default())
}

fn show_check(
    visitor: &Visitor,
    wish: &Wish,
    token: &NewToken,
    replaced: Option<String>,
    back: String,
    errors: FormErrors,
) -> PageResult {
    let status = errors.status();
    let template = CheckPage {
        visitor,
        may: words::may(&token.narrowing),
        from_where: words::from_where(&token.narrowing),
        ends: token.expires_at.unwrap_or(visitor.now),
        wish,
        replaced,
        back,
        errors,
    };
    page(visitor, status, &template)
}

/// The same fields in the form again.
fn back_to_form(query: &Query) -> String {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let fields = query.pairs().filter(|(name, _)| *name != "for");
    fields.fold("/settings/tokens/new?for=change".to_owned(), |place, (name, value)| {
        place + "&" + &encode(name) + "=" + &encode(value)
    })
}

/// What is shown once.
#[derive(Serialize, Deserialize)]
struct Made {
    name: String,
    secret: String,
    may: String,
    from_where: String,
    ends: Option<Time>,
}

/// `POST /settings/tokens/new`: makes it.
pub(in crate::web) async fn make(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let wish = Wish::read(|field| form.raw(field));
    let token = match wish.to_token(permit.account().id, app.clock.now()) {
        Ok(token) => token,
        Err(errors) => return show_form(&app, &visitor, &permit, wish, errors).await,
    };
    let (name, narrowing, ends) = (token.name.clone(), token.narrowing.clone(), token.expires_at);
    let issued = match app.tokens.create(&permit, token).await {
        Ok(issued) => issued,
        Err(refused) => {
            let errors = FormErrors::from_refusal("name", refused)?;
            return show_form(&app, &visitor, &permit, wish, errors).await;
        }
    };
    if wish.ends_replaced && !wish.replaces.is_empty() {
        end_replaced(&app, &permit, &wish.replaces).await?;
    }
    let secret = issued.secret.expose().to_owned();
    let (may, from_where) = (words::may(&narrowing), words::from_where(&narrowing));
    let mut response = see_other(&visitor, SHOWN_AT);
    show_next(&app, &visitor, &mut response, &Made { name, secret, may, from_where, ends })?;
    Ok(response)
}

async fn end_replaced(app: &App, permit: &AccountPermit, key: &str) -> Result<(), Problem> {
    match app.tokens.revoke_own(permit, key).await {
        Ok(()) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "settings/token_made.html")]
struct MadePage<'a> {
    visitor: &'a Visitor,
    made: Made,
    npmrc: String,
    github: String,
    gitlab: String,
}

/// `GET /settings/tokens/made`: the one time that anyone sees it.
pub(in crate::web) async fn made(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    let permit = permit(&app, &visitor, AccountAction::See).await?;
    let Some(made) = shown_next::<Made>(&app, &visitor)? else {
        return Ok(see_other(&visitor, "/settings/tokens"));
    };
    let (scope, url, host) = (&permit.account().name, &visitor.public_url, visitor.host());
    let npmrc = format!("@{scope}:registry={url}/\n//{host}/:_authToken=${{NPM_TOKEN}}");
    let github = format!(
        "- uses: actions/setup-node@v4\n  with:\n    registry-url: {url}/\n    scope: \"@{scope}\"\n- run: npm ci\n  env:\n    \
         NODE_AUTH_TOKEN: ${{{{ secrets.NPM_TOKEN }}}}"
    );
    let gitlab = format!(
        "install:\n  script:\n    - npm config set @{scope}:registry {url}/\n    - npm config set //{host}/:_authToken \
         \"$NPM_TOKEN\"\n    - npm ci"
    );
    let template = MadePage { visitor: &visitor, made, npmrc, github, gitlab };
    let mut response = page(&visitor, StatusCode::OK, &template)?;
    forget_shown(&visitor, &mut response);
    Ok(response)
}
