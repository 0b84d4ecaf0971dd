//! Invitations by mail address on the access page: who waits, sending again, taking back.

use crate::app::App;
use crate::error::{Error, Result};
use crate::invitations::{Invitation, Invitee, Place, Sent};
use crate::names::PackageName;
use crate::policy::Intent;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Problem, Visitor, see_other_with};

use super::address;
use super::change::again;

/// What the page shows of invitations: those that wait for an answer, or that the visitor has to confirm who they are first.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) invitations: Vec<Invitation>,
    pub(super) asks_confirmation: bool,
}

/// Loads them for who may take them back; for everybody else there are none.
pub(super) async fn load(app: &App, visitor: &Visitor, name: &PackageName) -> Result<Waiting, Problem> {
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let asked = match app.access.permit_on(visitor.actor(), &facts, Intent::REVOKE) {
        Err(Error::SecondFactorRequired { .. }) => match visitor.require_confirmed(app).await {
            Ok(confirmed) => app.access.permit_on(confirmed.actor(), &facts, Intent::REVOKE),
            Err(Problem::Confirm(_)) => return Ok(Waiting { asks_confirmation: true, ..Waiting::default() }),
            Err(other) => return Err(other),
        },
        asked => asked,
    };
    match asked {
        Ok(permit) => {
            let invitations = app.invitations.list(Place::Package(&permit)).await?;
            Ok(Waiting { invitations, asks_confirmation: false })
        }
        Err(outage) if outage.status() >= 500 => Err(outage.into()),
        Err(_) => Ok(Waiting::default()),
    }
}

/// Whom the text of the form names, where that is a mail address.
pub(super) fn read_email(text: &str) -> Option<Result<Invitee>> {
    let is_address = text.trim().find('@').is_some_and(|at| at > 0);
    is_address.then(|| Invitee::read(text))
}

/// Invites somebody: they have access once they accept.
pub(super) async fn invite(
    app: &App,
    visitor: &Visitor,
    name: &PackageName,
    form: &Form,
    invitee: Result<Invitee>,
) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::GRANT).await?;
    let sent = match invitee {
        Ok(invitee) => app.invitations.invite_to_package(&permit, &invitee).await.map(|sent| (sent, invitee)),
        Err(problem) => Err(problem),
    };
    match sent {
        Ok((sent, invitee)) => Ok(see_other_with(visitor, &address(name), &told(&sent, &invitee.to_string()))),
        Err(problem) => again(app, visitor, name, form, FormErrors::from_refusal("who", problem)?).await,
    }
}

/// Sends an invitation again, or takes it back: the button says which.
pub(super) async fn manage(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::REVOKE).await?;
    let (place, key) = (Place::Package(&permit), form.text("invitation"));
    let done = match form.text("do") {
        "resend" => app.invitations.resend(place, key).await.map(|sent| told(&sent, "them")),
        _ => app.invitations.revoke(place, key).await.map(|()| Notice::new("The invitation is taken back.")),
    };
    match done {
        Ok(notice) => Ok(see_other_with(visitor, &address(name), &notice)),
        Err(problem) => again(app, visitor, name, form, FormErrors::from_refusal("people", problem)?).await,
    }
}

/// Where no mail is sent, the link is for the inviter to hand over.
fn told(sent: &Sent, whom: &str) -> Notice {
    match &sent.url {
        None => Notice::new(format!("An invitation is on its way to {whom}.")),
        Some(url) => {
            Notice::new(format!("This registry sends no mail. Give this link to {whom}, it works once: {url}"))
        }
    }
}
