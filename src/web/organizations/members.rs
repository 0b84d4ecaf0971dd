//! `/org/NAME/members`: who is in, in which role, and out again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::{PathParameters, Query};
use crate::invitations::{Invitation, Offered, Place};
use crate::names::AccountName;
use crate::organizations::{MemberDetails, ROLES};
use crate::policy::{OrganizationAction, OrganizationRole};
use crate::web::shell::{Form, FormErrors, Moment, Notice, PageResult, Problem, Visitor, page, see_other_with};

use super::{Frame, count, permit};

const ON_A_PAGE: u32 = 100;

#[derive(Template)]
#[template(path = "organizations/members.html")]
struct MembersPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    members: Vec<Row>,
    /// Who can change who is a member, for those who cannot.
    owners: Vec<String>,
    sought: &'a str,
    number: u32,
    pages: u32,
    user: &'a str,
    /// Invitations that nobody has answered yet, for owners.
    pending: Vec<Pending>,
    errors: FormErrors,
}

/// An invitation that nobody has answered yet.
struct Pending {
    key: String,
    invitee: String,
    role: &'static str,
    sent: Moment,
    ends: Moment,
}

impl Pending {
    fn of(visitor: &Visitor, invitation: Invitation) -> Self {
        let role = match invitation.offered {
            Offered::Organization { role, .. } => role.as_str(),
            Offered::Account | Offered::Package { .. } => "",
        };
        Self {
            role,
            sent: visitor.moment(invitation.sent_at),
            ends: visitor.moment(invitation.expires_at),
            invitee: invitation.invitee.to_string(),
            key: invitation.key,
        }
    }
}

/// A line of the list.
struct Row {
    name: AccountName,
    role: OrganizationRole,
    since: Moment,
    has_second_factor: bool,
    last_seen: Option<Moment>,
    /// What they would keep, in words.
    keeps: String,
}

impl Row {
    fn of(visitor: &Visitor, member: MemberDetails) -> Self {
        let keeps = match member.own_grants {
            0 => String::new(),
            grants => format!("keeps {} given by name", count(grants, "package")),
        };
        Self {
            since: visitor.moment(member.since),
            last_seen: member.last_seen.map(|seen| visitor.moment(seen)),
            name: member.name,
            role: member.role,
            has_second_factor: member.has_second_factor,
            keeps,
        }
    }
}

impl MembersPage<'_> {
    fn roles() -> [OrganizationRole; 3] {
        ROLES
    }
}

/// `GET /org/{organization}/members`.
pub(in crate::web) async fn members_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    query: Query,
) -> PageResult {
    let number = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let sought = query.get("q").unwrap_or_default().trim();
    show(&app, &visitor, &path, (sought, number), ("", FormErrors::default())).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    (sought, number): (&str, u32),
    (user, errors): (&str, FormErrors),
) -> PageResult {
    let see = permit(app, visitor, path, OrganizationAction::See).await?;
    let frame = Frame::of(app, visitor, path, "members").await?;
    let (members, total) = app.organizations.list_member_details(&see, sought, number.max(1), ON_A_PAGE).await?;
    let members = members.into_iter().map(|member| Row::of(visitor, member)).collect();
    let pages = u32::try_from(total).unwrap_or(u32::MAX).div_ceil(ON_A_PAGE).max(1);
    let owners = if frame.may_change_members {
        Vec::new()
    } else {
        app.organizations.list_owners(&see).await?.iter().map(ToString::to_string).collect()
    };
    let pending = pending(app, visitor, path, frame.may_change_members).await?;
    let status = errors.status();
    let template = MembersPage {
        visitor,
        frame,
        members,
        owners,
        sought,
        number: number.clamp(1, pages),
        pages,
        user,
        pending,
        errors,
    };
    page(visitor, status, &template)
}

async fn pending(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    may_change: bool,
) -> Result<Vec<Pending>, Problem> {
    // Who has to show a second factor for changes sees these once they have.
    if !may_change {
        return Ok(Vec::new());
    }
    match permit(app, visitor, path, OrganizationAction::ChangeMembers).await {
        Ok(permit) => {
            let list = app.invitations.list(Place::Organization(&permit)).await?;
            Ok(list.into_iter().map(|one| Pending::of(visitor, one)).collect())
        }
        Err(Problem::Confirm(_)) => Ok(Vec::new()),
        Err(other) => Err(other),
    }
}

/// `POST /org/{organization}/members/invitations`: sends one again, or takes it back.
pub(in crate::web) async fn change_invitation(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeMembers).await?;
    let (place, key) = (Place::Organization(&permit), form.text("key"));
    let done = match form.text("do") {
        "resend" => app.invitations.resend(place, key).await.map(|sent| match sent.url {
            Some(url) => format!("This registry sends no mail. Hand this link over, it is shown this once: {url}"),
            None => "The invitation is sent again, with a new link.".to_owned(),
        }),
        "revoke" => app.invitations.revoke(place, key).await.map(|()| "The invitation is taken back.".to_owned()),
        _ => Err(Error::Unprocessable("There is no such deed. Load the page again.".into())),
    };
    match done {
        Ok(sentence) => {
            let path = format!("/org/{}/members", permit.organization().name);
            Ok(see_other_with(&visitor, &path, &Notice::new(sentence)))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("invitations", error)?;
            show(&app, &visitor, &path, ("", 1), ("", errors)).await
        }
    }
}

/// `POST /org/{organization}/members`: adds somebody, or gives a member another role.
pub(in crate::web) async fn set_member(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeMembers).await?;
    let done: Result<String> = async {
        let user = user_of(&form)?;
        let role: OrganizationRole = form
            .text("role")
            .parse()
            .map_err(|()| Error::Unprocessable("A role is member, admin or owner. Choose one of them.".into()))?;
        app.organizations.set_member(&permit, &user, role).await?;
        Ok(format!("{user} is {} of {}.", with_article(role), permit.organization().name))
    }
    .await;
    match done {
        Ok(sentence) => Ok(see_other_with(
            &visitor,
            &format!("/org/{}/members", permit.organization().name),
            &Notice::new(sentence),
        )),
        Err(error) => {
            let errors = FormErrors::from_refusal("user", error)?;
            show(&app, &visitor, &path, ("", 1), (form.text("user"), errors)).await
        }
    }
}

/// `POST /org/{organization}/members/remove`.
pub(in crate::web) async fn remove_member(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeMembers).await?;
    let done = async {
        let user = user_of(&form)?;
        Ok((app.organizations.remove_member(&permit, &user).await?, user))
    };
    match done.await {
        Ok((removal, user)) => {
            let name = &permit.organization().name;
            let keeps = match removal.kept_grants {
                0 => String::new(),
                kept => format!(" They keep {} given to them by name.", count(kept, "package")),
            };
            let sentence = format!("{user} is no member of {name} any more, and in none of its teams.{keeps}");
            let role = form.text("role").parse().unwrap_or(OrganizationRole::Member);
            let undo = Notice::new(sentence)
                .with_undo(format!("/org/{name}/members"), &[("user", user.as_str()), ("role", role.as_str())]);
            Ok(see_other_with(&visitor, &format!("/org/{name}/members"), &undo))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("user", error)?;
            show(&app, &visitor, &path, ("", 1), ("", errors)).await
        }
    }
}

/// The user that a form names.
pub(super) fn user_of(form: &Form) -> Result<AccountName> {
    if form.text("user").trim_start_matches(['@', '~']).is_empty() {
        return Err(Error::Unprocessable("Give the name of a user.".into()));
    }
    form.account("user")
}

fn with_article(role: OrganizationRole) -> &'static str {
    match role {
        OrganizationRole::Member => "a member",
        OrganizationRole::Admin => "an admin",
        OrganizationRole::Owner => "an owner",
    }
}
