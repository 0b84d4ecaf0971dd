//! `/invite/CODE`, and the invitations of who is logged in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::config::Signup;
use crate::error::Error;
use crate::http::PathParameters;
use crate::invitations::{Door, Invitation, Invitee, Offered};
use crate::policy::{AccountAction, AccountPermit};

use super::super::over::show_over;
use super::super::shell::{Form, Notice, PageResult, Problem, Target, Visitor, page, see_other, see_other_with};

#[derive(Template)]
#[template(path = "arrival/invite.html")]
struct InvitationPage<'a> {
    visitor: &'a Visitor,
    registry: String,
    invitation: Invitation,
    code: &'a str,
    /// Whether the visitor is who is meant, as far as anybody can tell.
    is_meant: bool,
    can_sign_up: bool,
}

#[derive(Template)]
#[template(path = "arrival/invitations.html")]
struct InvitationsPage<'a> {
    visitor: &'a Visitor,
    invitations: Vec<Invitation>,
    /// The address that invitations by mail come to, once it is proven.
    email: Option<String>,
}

#[derive(Template)]
#[template(path = "arrival/declined.html")]
struct DeclinedPage<'a> {
    visitor: &'a Visitor,
}

/// `GET /invite/{code}`.
pub(in crate::web) async fn invitation_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    let code = path.get("code");
    if code == "declined" {
        return page(&visitor, StatusCode::OK, &DeclinedPage { visitor: &visitor });
    }
    let invitation = match app.invitations.find(code).await {
        Ok(invitation) => invitation,
        Err(error) => return show_over(&visitor, error),
    };
    if invitation.offered == Offered::Account && visitor.account().is_none() {
        return Ok(see_other(&visitor, &format!("/signup?invite={code}")));
    }
    let settings = app.instance.settings().await?;
    let is_meant = match (&invitation.invitee, visitor.name()) {
        (Invitee::User(user), Some(name)) => user.as_str() == name,
        _ => true,
    };
    let can_sign_up = settings.signup != Signup::Closed && invitation.invitee.email().is_some();
    let template =
        InvitationPage { visitor: &visitor, registry: settings.name, invitation, code, is_meant, can_sign_up };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST /invite/{code}`: accept, or decline, for which nobody needs an account.
pub(in crate::web) async fn answer(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let door = Door::Code(path.get("code"));
    if form.text("decision") == "accept" {
        let permit = permit(&app, &visitor).await?;
        return accept(&app, &visitor, &permit, door).await;
    }
    let permit = match visitor.account() {
        Some(_) => Some(permit(&app, &visitor).await?),
        None => None,
    };
    app.invitations.decline(permit.as_ref(), door).await?;
    Ok(see_other(&visitor, "/invite/declined"))
}

/// `GET /invitations`: those of who is logged in.
pub(in crate::web) async fn own_invitations(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    visitor.principal()?;
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
    let details = app.users.details(permit.account().id).await?;
    let email = Some(details.email).filter(|_| details.email_verified);
    let invitations = app.invitations.list_own(&permit).await?;
    page(&visitor, StatusCode::OK, &InvitationsPage { visitor: &visitor, invitations, email })
}

/// `POST /invitations/{key}`: an answer to one of one's own.
pub(in crate::web) async fn answer_own(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor).await?;
    let door = Door::Own(path.get("key"));
    if form.text("decision") == "accept" {
        return accept(&app, &visitor, &permit, door).await;
    }
    app.invitations.decline(Some(&permit), door).await?;
    let back = Target::read(form.text("then"));
    Ok(see_other_with(&visitor, back.as_str(), &Notice::new("The invitation is declined.")))
}

async fn permit(app: &App, visitor: &Visitor) -> Result<AccountPermit, Problem> {
    visitor.principal()?;
    Ok(app.second_factor.permit(visitor.actor(), AccountAction::Follow).await?)
}

async fn accept(app: &App, visitor: &Visitor, permit: &AccountPermit, door: Door<'_>) -> PageResult {
    let (path, sentence) = match app.invitations.accept(permit, door).await? {
        Offered::Package { name, .. } => (format!("/package/{name}"), format!("{name} is shared with you now.")),
        Offered::Organization { name, .. } => (format!("/org/{name}"), format!("You are a member of @{name} now.")),
        Offered::Account => return Err(Error::internal("an invitation to an account was accepted by one").into()),
    };
    Ok(see_other_with(visitor, &path, &Notice::new(sentence)))
}
