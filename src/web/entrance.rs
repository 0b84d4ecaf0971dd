//! Logging in and out, and showing again who one is.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::Query;
use crate::names::{AccountId, AccountName};
use crate::policy::{AccountFacts, Offer};
use crate::second_factor::{Assertion, Purpose};
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
    /// What the browser is asked in order to show a key.
    key: Option<String>,
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
pub(super) async fn page_for_login(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let then = Target::read(query.get("then").unwrap_or("/"));
    if visitor.account().is_some() {
        return Ok(see_other(&visitor, then.as_str()));
    }
    first_step(&app, &visitor, &then, "", FormErrors::default())
}

/// `POST /login`: a passkey alone; or the password, and for who has a second factor then the code or a key.
pub(super) async fn log_in(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let then = Target::read(form.text("then"));
    let by_key = !form.raw("credential").is_empty();
    if by_key && !form.has("ticket") {
        return log_in_with_passkey(&app, &visitor, &then, form.raw("credential")).await;
    }
    let asks_code = form.has("ticket");
    let proven = if asks_code { by_ticket(&app, &form).await } else { by_password(&app, &visitor, &form).await };
    let proven = match proven {
        Ok(proven) => proven,
        Err(error) => {
            let errors = FormErrors::from_refusal("password", error)?;
            return first_step(&app, &visitor, &then, form.text("name"), errors);
        }
    };
    let account = app.users.facts(proven.profile.id).await?.ok_or(Error::WrongPassword)?;
    let confirmed = if by_key {
        let purpose = Purpose::Step(&account, proven.fingerprint());
        show_key(&app, &purpose, form.raw("credential"), &visitor).await
    } else {
        let offer = Offer { code: asks_code.then(|| form.text("code").into()), web: false };
        app.second_factor.confirm_login(&account, &offer, visitor.address).await
    };
    match confirmed {
        Ok(()) => open_session(&app, &visitor, (account.id, &account.name), Some(&proven), then.as_str()).await,
        Err(Error::SecondFactorRequired { .. }) => {
            let ticket = seal(&app, &proven)?;
            second_step(&app, &visitor, &then, (&account, &proven), &ticket, FormErrors::default()).await
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("code", error)?;
            second_step(&app, &visitor, &then, (&account, &proven), form.raw("ticket"), errors).await
        }
    }
}

fn first_step(app: &App, visitor: &Visitor, then: &Target, name: &str, errors: FormErrors) -> PageResult {
    let key = Some(app.second_factor.ask_anybody()?.to_string());
    show_login(visitor, &LoginPage { visitor, then: then.as_str(), name, ticket: None, key, errors })
}

async fn second_step(
    app: &App,
    visitor: &Visitor,
    then: &Target,
    (account, proven): (&AccountFacts, &Proven),
    ticket: &str,
    errors: FormErrors,
) -> PageResult {
    let key = app.second_factor.ask(&Purpose::Step(account, proven.fingerprint())).await?;
    let key = key.map(|options| options.to_string());
    let name = account.name.as_str();
    show_login(visitor, &LoginPage { visitor, then: then.as_str(), name, ticket: Some(ticket), key, errors })
}

fn show_login(visitor: &Visitor, template: &LoginPage<'_>) -> PageResult {
    let status = template.errors.status();
    page(visitor, status, template)
}

async fn show_key(app: &App, purpose: &Purpose<'_>, credential: &str, visitor: &Visitor) -> Result<()> {
    app.second_factor.show_key(purpose, &Assertion::parse(credential)?, visitor.address).await
}

/// A passkey that has known its user is both factors at once.
async fn log_in_with_passkey(app: &App, visitor: &Visitor, then: &Target, credential: &str) -> PageResult {
    let shown = async {
        app.throttle.attempt_from(visitor.address)?;
        app.second_factor.log_in_with_key(&Assertion::parse(credential)?, visitor.address).await
    };
    match shown.await {
        Ok(account) => open_session(app, visitor, (account.id, &account.name), None, then.as_str()).await,
        Err(error) => first_step(app, visitor, then, "", FormErrors::from_refusal("name", error)?),
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

/// A new session takes the place of the one there was, if any: nobody goes on in a session that somebody else began.
pub(super) async fn open_session(
    app: &App,
    visitor: &Visitor,
    (account, name): (AccountId, &AccountName),
    proven: Option<&Proven>,
    then: &str,
) -> PageResult {
    visitor.end(app).await?;
    let days = app.config.auth.session_days;
    let opening = Opening { account, name, proven, client: &visitor.client, address: visitor.address, days };
    let secret = app.tokens.open_session(opening).await?;
    let mut response = see_other(visitor, then);
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
pub(super) async fn confirm_page(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    show_confirmation(&app, &visitor, None, None).await
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
