//! `/admin/invitations`: inviting people to make an account, and who was invited and has not come.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::config::Signup;
use crate::error::{Error, Result};
use crate::invitations::{Invitation, Place, read_addresses};
use crate::names::Email;
use crate::policy::{InstanceAction, InstancePermit};
use crate::web::invited::Invited;
use crate::web::organizations::count;
use crate::web::shell::{Form, FormErrors, Moment, Notice, PageResult, Visitor, page, see_other_with};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/invitations.html")]
struct InvitationsPage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    signup: Signup,
    open: Vec<Row>,
    people: &'a str,
    outcome: Invited,
    errors: FormErrors,
}

/// An invitation that nobody has answered.
struct Row {
    key: String,
    invitee: String,
    inviter: String,
    sent: Moment,
    ends: Moment,
    is_over: bool,
}

impl Row {
    fn of(visitor: &Visitor, invitation: Invitation) -> Self {
        Self {
            invitee: invitation.invitee.to_string(),
            inviter: invitation.inviter.map_or_else(|| "the operator".to_owned(), |name| name.to_string()),
            sent: visitor.moment(invitation.sent_at),
            ends: visitor.moment(invitation.expires_at),
            is_over: invitation.expires_at <= visitor.now,
            key: invitation.key,
        }
    }
}

fn in_words(sent: i64) -> String {
    format!("{} made.", count(sent, "invitation"))
}

/// `GET /admin/invitations`.
pub(in crate::web) async fn invitations(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::See).await?;
    show(&app, &visitor, &permit, "", (Invited::default(), FormErrors::default())).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    permit: &InstancePermit,
    people: &str,
    (outcome, errors): (Invited, FormErrors),
) -> PageResult {
    let open = app.invitations.list(Place::Instance(permit)).await?;
    let template = InvitationsPage {
        visitor,
        tab: "/invitations",
        signup: app.instance.signup().await?,
        open: open.into_iter().map(|invitation| Row::of(visitor, invitation)).collect(),
        people,
        outcome,
        errors,
    };
    page(visitor, template.errors.status(), &template)
}

/// `POST /admin/invitations`: invites everybody on the list, or nobody where one of the addresses is none.
pub(in crate::web) async fn invite(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::ChangeAccounts).await?;
    let people = form.raw("people");
    let addresses = match read_addresses(people) {
        Ok(addresses) => addresses,
        Err(error) => {
            let errors = FormErrors::from_refusal("people", error)?;
            return show(&app, &visitor, &permit, people, (Invited::default(), errors)).await;
        }
    };
    let outcome = invite_all(&app, &permit, &addresses).await?;
    if outcome.sent == 0 {
        let reasons: Vec<_> = outcome.refused.iter().map(|(who, reason)| format!("{who}: {reason}")).collect();
        let errors = FormErrors::one("people", reasons.join(" "));
        return show(&app, &visitor, &permit, people, (Invited::default(), errors)).await;
    }
    if outcome.is_told() {
        return Ok(see_other_with(&visitor, "/admin/invitations", &Notice::new(in_words(outcome.sent))));
    }
    show(&app, &visitor, &permit, "", (outcome, FormErrors::default())).await
}

/// One after the other; what is wrong with one does not concern the others, an outage does.
async fn invite_all(app: &App, permit: &InstancePermit, addresses: &[Email]) -> Result<Invited> {
    let mut invited = Invited::default();
    for email in addresses {
        match app.invitations.invite_to_instance(permit, email).await {
            Err(outage) if outage.status() >= 500 => return Err(outage),
            outcome => invited.note(email.to_string(), outcome),
        }
    }
    Ok(invited)
}

/// `POST /admin/invitations/change`: sends one again, or takes it back; the button says which.
pub(in crate::web) async fn change(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::ChangeAccounts).await?;
    let (place, key) = (Place::Instance(&permit), form.text("key"));
    let done = match form.text("do") {
        "resend" => app.invitations.resend(place, key).await.map(Some),
        "revoke" => app.invitations.revoke(place, key).await.map(|()| None),
        _ => Err(Error::Unprocessable("There is no such deed. Load the page again.".into())),
    };
    let sentence = match done {
        Ok(Some(sent)) => {
            let mut invited = Invited::default();
            invited.note("The new link", Ok(sent));
            if !invited.is_told() {
                return show(&app, &visitor, &permit, "", (invited, FormErrors::default())).await;
            }
            "The invitation is sent again, with a new link."
        }
        Ok(None) => "The invitation is taken back: its link is good for nothing.",
        Err(error) => {
            let errors = FormErrors::from_refusal("open", error)?;
            return show(&app, &visitor, &permit, "", (Invited::default(), errors)).await;
        }
    };
    Ok(see_other_with(&visitor, "/admin/invitations", &Notice::new(sentence)))
}
