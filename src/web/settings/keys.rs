//! Passkeys and security keys: added with the browser's help, named and removed without.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::Result;
use crate::http::PathParameters;
use crate::policy::AccountPermit;
use crate::second_factor::{Registered, Registration};

use super::super::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other, see_other_with};
use super::security::PLACE;
use super::{confirmed_permit, recovery};

#[derive(Template)]
#[template(path = "settings/new_key.html")]
struct NewKeyPage<'a> {
    visitor: &'a Visitor,
    /// What the browser is told in order to make a key.
    options: String,
    name: &'a str,
    turns_on: bool,
    errors: FormErrors,
}

/// `GET /settings/security/keys/new`.
pub(in crate::web) async fn new(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    show(&app, &visitor, &permit, "", FormErrors::default()).await
}

/// `POST /settings/security/keys`: what the browser made.
pub(in crate::web) async fn add(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let registered = register(&app, &permit, &form).await;
    if registered.is_ok() {
        // Whoever turns the second factor on by it has just shown it.
        app.tokens.confirm_session(permit.principal(), true).await?;
    }
    let refused = match registered {
        Ok(Registered { recovery_codes: Some(codes), .. }) => return recovery::lead_to(&app, &visitor, codes),
        Ok(_) => {
            let notice = Notice::new(format!("{} is added.", form.text("name")));
            return Ok(see_other_with(&visitor, PLACE, &notice));
        }
        Err(refused) => refused,
    };
    show(&app, &visitor, &permit, form.text("name"), FormErrors::from_refusal("name", refused)?).await
}

async fn register(app: &App, permit: &AccountPermit, form: &Form) -> Result<Registered> {
    let brought = Registration::parse(form.raw("credential"))?;
    app.second_factor.adopt_key(permit, form.text("name"), &brought).await
}

async fn show(app: &App, visitor: &Visitor, permit: &AccountPermit, name: &str, errors: FormErrors) -> PageResult {
    let options = app.second_factor.draft_key(permit).await?.to_string();
    let status = errors.status();
    let turns_on = permit.account().second_factor.is_none();
    page(visitor, status, &NewKeyPage { visitor, options, name, turns_on, errors })
}

#[derive(Template)]
#[template(path = "settings/key.html")]
struct KeyPage<'a> {
    visitor: &'a Visitor,
    key: &'a str,
    name: &'a str,
    /// Whether nothing is left that could be shown once it is gone.
    is_last: bool,
    errors: FormErrors,
}

/// `GET /settings/security/keys/{key}`.
pub(in crate::web) async fn edit(State(app): State<Arc<App>>, visitor: Visitor, path: PathParameters) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    show_key(&app, &visitor, &permit, path.get("key"), None, FormErrors::default()).await
}

/// `POST /settings/security/keys/{key}`: another name, or away with it.
pub(in crate::web) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = confirmed_permit(&app, &visitor).await?;
    let key = path.get("key");
    if form.has("remove") {
        app.second_factor.remove_key(&permit, key).await?;
        return Ok(see_other_with(&visitor, PLACE, &Notice::new("The key is removed.")));
    }
    match app.second_factor.rename_key(&permit, key, form.raw("name")).await {
        Ok(()) => Ok(see_other_with(&visitor, PLACE, &Notice::new("The key has a new name."))),
        Err(refused) => {
            let errors = FormErrors::from_refusal("name", refused)?;
            show_key(&app, &visitor, &permit, key, Some(form.raw("name")), errors).await
        }
    }
}

async fn show_key(
    app: &App,
    visitor: &Visitor,
    permit: &AccountPermit,
    key: &str,
    typed: Option<&str>,
    errors: FormErrors,
) -> PageResult {
    let factor = app.second_factor.overview(permit).await?;
    let Some(found) = factor.keys.iter().find(|one| one.key == key) else { return Ok(see_other(visitor, PLACE)) };
    let status = errors.status();
    let is_last = factor.keys.len() == 1 && !factor.has_totp;
    let template = KeyPage { visitor, key, name: typed.unwrap_or(&found.name), is_last, errors };
    page(visitor, status, &template)
}
