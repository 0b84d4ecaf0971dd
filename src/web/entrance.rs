//! Logging in and out, and showing again who one is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::Query;
use crate::names::AccountName;
use crate::policy::Offer;
use crate::tokens::Opening;
use crate::users::{Password, Proven};

use super::shell::{
    Form, FormErrors, PageResult, Target, Visitor, page, see_other, session_cookie, session_cookie_over,
    show_confirmation,
};

/// How long somebody whose password was right may look for their authenticator.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

const TICKET: &str = "login ticket";

#[derive(Template)]
#[template(path = "entrance/login.html")]
struct LoginPage<'a> {
    visitor: &'a Visitor,
    then: &'a str,
    name: &'a str,
    /// What the password before was exchanged for; with it a code is asked for.
    ticket: Option<&'a str>,
    errors: FormErrors,
}

/// That a password was right, sealed, for the form that asks for the code.
#[derive(Serialize, Deserialize)]
struct Ticket {
    name: AccountName,
    fingerprint: [u8; 32],
    until: Time,
}

/// `GET /login?then=PATH`.
pub(super) async fn page_for_login(visitor: Visitor, query: Query) -> PageResult {
    let then = Target::read(query.get("then").unwrap_or("/"));
    if visitor.account().is_some() {
        return Ok(see_other(&visitor, then.as_str()));
    }
    let template =
        LoginPage { visitor: &visitor, then: then.as_str(), name: "", ticket: None, errors: FormErrors::default() };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST /login`: the password, and for who has a second factor then the code.
pub(super) async fn log_in(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let then = Target::read(form.text("then"));
    let asks_code = form.has("ticket");
    let proven = if asks_code { by_ticket(&app, &form).await } else { by_password(&app, &visitor, &form).await };
    let again = |ticket: Option<&str>, errors: FormErrors| {
        let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        page(
            &visitor,
            status,
            &LoginPage { visitor: &visitor, then: then.as_str(), name: form.text("name"), ticket, errors },
        )
    };
    let proven = match proven {
        Ok(proven) => proven,
        Err(error) => return again(None, FormErrors::from_refusal("password", error)?),
    };
    let offer = Offer { code: asks_code.then(|| form.text("code").into()), web: false };
    match confirm(&app, &visitor, &proven, &offer).await {
        Ok(()) => open_session(&app, &visitor, &proven, &then).await,
        Err(Error::SecondFactorRequired { .. }) => again(Some(&seal(&app, &proven)?), FormErrors::default()),
        Err(error) => again(Some(form.raw("ticket")), FormErrors::from_refusal("code", error)?),
    }
}

async fn by_password(app: &App, visitor: &Visitor, form: &Form) -> Result<Proven> {
    // What cannot be a name is nobody's: the same answer as for a wrong password.
    let name: AccountName = form.text("name").to_lowercase().parse().map_err(|_| Error::WrongPassword)?;
    app.throttle.attempt(&name, visitor.address)?;
    app.users.log_in(&name, Password::offered(form.raw("password"))?, Some(visitor.address)).await
}

async fn by_ticket(app: &App, form: &Form) -> Result<Proven> {
    let over = || Error::Unprocessable("This took too long. Give name and password once more.".into());
    let sealed = URL_SAFE_NO_PAD.decode(form.raw("ticket")).map_err(|_| over())?;
    let bytes = app.vault.open(TICKET, &sealed).map_err(|_| over())?;
    let ticket: Ticket = serde_json::from_slice(&bytes).map_err(|_| over())?;
    if ticket.until <= app.clock.now() {
        return Err(over());
    }
    app.users.prove_again(&ticket.name, &ticket.fingerprint).await
}

fn seal(app: &App, proven: &Proven) -> Result<String> {
    let until = app.clock.now() + PATIENCE;
    let ticket = Ticket { name: proven.profile.name.clone(), fingerprint: proven.fingerprint(), until };
    let bytes = serde_json::to_vec(&ticket).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(app.vault.seal(TICKET, &bytes)?))
}

async fn confirm(app: &App, visitor: &Visitor, proven: &Proven, offer: &Offer) -> Result<()> {
    match app.users.facts(proven.profile.id).await? {
        Some(account) => app.second_factor.confirm_login(&account, offer, visitor.address).await,
        None => Err(Error::WrongPassword),
    }
}

/// A new session takes the place of the one there was, if any: nobody goes on in a session that somebody else began.
async fn open_session(app: &App, visitor: &Visitor, proven: &Proven, then: &Target) -> PageResult {
    visitor.end(app).await?;
    let days = app.config.auth.session_days;
    let opening = Opening {
        account: proven.profile.id,
        name: &proven.profile.name,
        proven: Some(proven),
        client: &visitor.client,
        address: visitor.address,
        days,
    };
    let secret = app.tokens.open_session(opening).await?;
    let mut response = see_other(visitor, then.as_str());
    response.headers_mut().append(SET_COOKIE, session_cookie(&app.public_url, &secret, days));
    Ok(response)
}

/// `POST /logout`.
pub(super) async fn log_out(State(app): State<Arc<App>>, visitor: Visitor, _form: Form) -> PageResult {
    visitor.end(&app).await?;
    let mut response = see_other(&visitor, "/");
    response.headers_mut().append(SET_COOKIE, session_cookie_over(&app.public_url));
    Ok(response)
}

/// `GET /confirm`: for who wants to show beforehand who they are.
pub(super) async fn confirm_page(visitor: Visitor) -> PageResult {
    show_confirmation(&visitor, None, None)
}

/// `POST /confirm`: the frame has looked at what was shown; on to where it was needed.
pub(super) async fn confirmed(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, super::Problem> {
    visitor.require_confirmed(&app).await?;
    Ok(see_other(&visitor, Target::read(form.text("then")).as_str()))
}
