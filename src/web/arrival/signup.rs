//! `/signup`: making one's own account.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::config::Signup;
use crate::error::Error;
use crate::http::Query;
use crate::invitations::{Invitation, Offered};
use crate::names::{AccountName, Email};
use crate::users::NewUser;

use super::super::entrance::open_session;
use super::super::shell::{Form, FormErrors, PageResult, Problem, Target, Visitor, page, see_other};
use super::{chosen_password, nobody, read, refusal};

#[derive(Template)]
#[template(path = "arrival/signup.html")]
struct SignupPage<'a> {
    visitor: &'a Visitor,
    registry: String,
    state: Entry,
    /// The secret of the invitation, where there is one.
    code: &'a str,
    invitation: Option<Invitation>,
    then: &'a str,
    name: &'a str,
    email: &'a str,
    /// The same thing in a terminal.
    command: String,
    errors: FormErrors,
}

impl SignupPage<'_> {
    /// The address that somebody was invited at, and signs up with.
    fn invited_address(&self) -> Option<&Email> {
        self.invitation.as_ref()?.invitee.email()
    }
}

/// What the page has for who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// A form.
    Form,
    /// Nobody signs up without an invitation.
    ByInvitation,
    /// Nobody signs up.
    Closed,
}

/// `GET /signup?invite=CODE&then=PATH`.
pub(in crate::web) async fn signup_page(State(app): State<Arc<App>>, visitor: Visitor, query: Query) -> PageResult {
    let then = Target::read(query.get("then").unwrap_or("/"));
    if visitor.account().is_some() {
        return Ok(see_other(&visitor, then.as_str()));
    }
    let wish = Wish { code: query.get("invite").unwrap_or_default(), then: then.as_str(), name: "", email: "" };
    show(&app, &visitor, &wish, FormErrors::default()).await
}

/// What somebody wants who signs up.
struct Wish<'a> {
    code: &'a str,
    then: &'a str,
    name: &'a str,
    email: &'a str,
}

/// `POST /signup`.
pub(in crate::web) async fn sign_up(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    app.throttle.attempt_from(visitor.address)?;
    let then = Target::read(form.text("then"));
    let code = Some(form.text("invite")).filter(|code| !code.is_empty());
    let wish = Wish {
        code: code.unwrap_or_default(),
        then: then.as_str(),
        name: form.text("name"),
        email: form.text("email"),
    };
    let invitation = find(&app, code.unwrap_or_default()).await?;
    let mut errors = FormErrors::default();
    let name = read("name", AccountName::for_registration(wish.name), &mut errors);
    // Who was invited by mail has that address; it is theirs, since they have the link.
    let email = match invitation.as_ref().and_then(|invitation| invitation.invitee.email()) {
        Some(email) => Some(email.clone()),
        None => read("email", wish.email.parse::<Email>(), &mut errors),
    };
    let password = chosen_password(&form, &mut errors);
    let (Some(name), Some(email), Some(password)) = (name, email, password) else {
        return show(&app, &visitor, &wish, errors).await;
    };
    let by = nobody(&visitor, name.as_str());
    let user = NewUser { name, email, password, administrator: false };
    let profile = match app.invitations.sign_up(code, user, &by).await {
        Ok(profile) => profile,
        Err(Error::Forbidden(_) | Error::NotFound(_)) => return show(&app, &visitor, &wish, errors).await,
        Err(error) => return show(&app, &visitor, &wish, refusal(error)?).await,
    };
    app.recovery.ask_for_proof(profile.id).await?;
    let waits = invitation.filter(|invitation| invitation.offered != Offered::Account);
    let next = match (waits, code) {
        (Some(_), Some(code)) => format!("/invite/{code}"),
        _ => then.as_str().to_owned(),
    };
    open_session(&app, &visitor, (profile.id, &profile.name), None, &next).await
}

/// The invitation behind a code; one that is over is none.
async fn find(app: &App, code: &str) -> Result<Option<Invitation>, Problem> {
    if code.is_empty() {
        return Ok(None);
    }
    match app.invitations.find(code).await {
        Ok(invitation) => Ok(Some(invitation)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

async fn show(app: &App, visitor: &Visitor, wish: &Wish<'_>, errors: FormErrors) -> PageResult {
    let settings = app.instance.settings().await?;
    let invitation = find(app, wish.code).await?;
    let state = match settings.signup {
        Signup::Open => Entry::Form,
        Signup::Invite if invitation.is_some() => Entry::Form,
        Signup::Invite => Entry::ByInvitation,
        Signup::Closed => Entry::Closed,
    };
    let code = if invitation.is_some() { wish.code } else { "" };
    let status = errors.status();
    let template = SignupPage {
        visitor,
        registry: settings.name,
        state,
        code,
        invitation,
        then: wish.then,
        name: wish.name,
        email: wish.email,
        command: format!("npm adduser --registry={}/", visitor.public_url),
        errors,
    };
    page(visitor, status, &template)
}
