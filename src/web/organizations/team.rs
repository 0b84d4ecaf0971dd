//! `/org/NAME/teams/T`: who is in a team, and what it was given.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::names::{AccountName, PackageName, TeamName};
use crate::organizations::TeamDetails;
use crate::policy::{Intent, OrganizationAction, OrganizationPermit, Permission};
use crate::web::package_list::{self, Line};
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Problem, Typed, Visitor, page, see_other_with};

use super::members::user_of;
use super::{Frame, count, permit, team_of};

#[derive(Template)]
#[template(path = "organizations/team.html")]
struct TeamPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    team: TeamDetails,
    members: Vec<AccountName>,
    packages: Vec<(Line, Permission)>,
    typed: Typed<'a>,
    errors: FormErrors,
}

impl TeamPage<'_> {
    fn path(&self, rest: &str) -> String {
        self.frame.path(&format!("/teams/{}{rest}", self.team.name))
    }
}

/// `GET /org/{organization}/teams/{team}`.
pub(in crate::web) async fn team_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    show(&app, &visitor, &path, Typed::default(), FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, path: &PathParameters, typed: Typed<'_>, errors: FormErrors) -> PageResult {
    let see = permit(app, visitor, path, OrganizationAction::See).await?;
    let name = team_of(path)?;
    let frame = Frame::of(app, visitor, path, "teams").await?;
    let team = app.organizations.team_details(&see, &name).await?;
    let members = app.organizations.list_team_members(&see, &name).await?;
    let packages = packages(app, visitor, &see, &name).await?;
    let status = errors.status();
    page(visitor, status, &TeamPage { visitor, frame, team, members, packages, typed, errors })
}

/// What the team was given, as far as who looks may see it.
async fn packages(
    app: &App,
    visitor: &Visitor,
    see: &OrganizationPermit,
    team: &TeamName,
) -> Result<Vec<(Line, Permission)>> {
    let given = app.access.list_packages_of_team(see, team).await?;
    let mut facts = app.access.list_facts_of(see.organization().id, visitor.actor()).await?;
    let level = |name: &PackageName| given.iter().find(|(given, _)| given == name).map(|(_, level)| *level);
    facts.retain(|one| level(&one.name).is_some());
    let lines = package_list::lines(app, visitor, facts).await?;
    Ok(lines.into_iter().filter_map(|line| level(&line.name).map(|level| (line, level))).collect())
}

/// What a form about a team leads to: the team's page, with what was done or what was wrong.
async fn finish(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    form: &Form,
    field: &'static str,
    outcome: Result<Notice>,
) -> Result<Response, Problem> {
    match outcome {
        Ok(notice) => {
            let (organization, team) = (path.get("organization"), path.get("team"));
            Ok(see_other_with(visitor, &format!("/org/{organization}/teams/{team}"), &notice))
        }
        Err(error) => show(app, visitor, path, Typed::from(form), FormErrors::from_refusal(field, error)?).await,
    }
}

/// `POST /org/{organization}/teams/{team}`: says what it is for.
pub(in crate::web) async fn describe(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeTeams).await?;
    let team = team_of(&path)?;
    let done = app.organizations.describe_team(&permit, &team, form.text("description")).await;
    let done = done.map(|()| Notice::new(format!("The description of {team} is changed.")));
    finish(&app, &visitor, &path, &form, "description", done).await
}

/// `POST /org/{organization}/teams/{team}/members`.
pub(in crate::web) async fn add(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeTeams).await?;
    let team = team_of(&path)?;
    let done = async {
        let user = user_of(&form)?;
        app.organizations.add_to_team(&permit, &team, &user).await?;
        Ok(Notice::new(format!("{user} is in {team}, and may do what it may.")))
    };
    finish(&app, &visitor, &path, &form, "user", done.await).await
}

/// `POST /org/{organization}/teams/{team}/members/remove`.
pub(in crate::web) async fn remove(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeTeams).await?;
    let team = team_of(&path)?;
    let done = async {
        let user = user_of(&form)?;
        app.organizations.remove_from_team(&permit, &team, &user).await?;
        let back = format!("/org/{}/teams/{team}/members", permit.organization().name);
        Ok(Notice::new(format!("{user} is not in {team} any more.")).with_undo(back, &[("user", user.as_str())]))
    };
    finish(&app, &visitor, &path, &form, "user", done.await).await
}

/// `POST /org/{organization}/teams/{team}/packages`: gives the team access, or another level of it.
pub(in crate::web) async fn give(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    permit(&app, &visitor, &path, OrganizationAction::See).await?;
    let team = team_of(&path)?;
    let done = async {
        let name = package_of(&form, &path)?;
        let level: Permission = match form.text("level") {
            "" => Permission::ReadOnly,
            word => word
                .parse()
                .map_err(|()| Error::Unprocessable("Access is read-only or read-write. Choose one of them.".into()))?,
        };
        let permit = app.access.permit(visitor.actor(), &name, Intent::GRANT).await?;
        app.access.grant_team(&permit, &team, level.into()).await?;
        Ok(Notice::new(format!("{team} has {} access to {name}.", level.as_str())))
    };
    finish(&app, &visitor, &path, &form, "package", done.await).await
}

/// `POST /org/{organization}/teams/{team}/packages/remove`.
pub(in crate::web) async fn take(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    permit(&app, &visitor, &path, OrganizationAction::See).await?;
    let team = team_of(&path)?;
    let done = async {
        let name = package_of(&form, &path)?;
        let permit = app.access.permit(visitor.actor(), &name, Intent::REVOKE).await?;
        app.access.revoke_team(&permit, &team).await?;
        let back = format!("/org/{}/teams/{team}/packages", path.get("organization"));
        let level = form.text("level").parse().unwrap_or(Permission::ReadOnly);
        Ok(Notice::new(format!("{team} has no access to {name} any more."))
            .with_undo(back, &[("package", name.as_str()), ("level", level.as_str())]))
    };
    finish(&app, &visitor, &path, &form, "package", done.await).await
}

/// The package that a form names, in whole or without its scope; another scope's is none of this organization's.
fn package_of(form: &Form, path: &PathParameters) -> Result<PackageName> {
    let text = form.text("package");
    let organization = path.get("organization");
    let name = if text.starts_with('@') { text.to_owned() } else { format!("@{organization}/{text}") };
    let name: PackageName = name.parse()?;
    if name.scope().as_str() != organization {
        return Err(Error::Unprocessable(
            format!("{name} is no package of @{organization}, so its teams can be given nothing on it.").into(),
        ));
    }
    Ok(name)
}

/// `POST /org/{organization}/teams/{team}/delete`.
pub(in crate::web) async fn delete(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeTeams).await?;
    let team = team_of(&path)?;
    let done: Result<TeamDetails> = async {
        let details = app.organizations.team_details(&permit, &team).await?;
        if form.text("confirm") != team.as_str() {
            return Err(Error::Unprocessable(format!("Type {team} to delete the team. Nothing was changed.").into()));
        }
        app.organizations.destroy_team(&permit, &team).await?;
        Ok(details)
    }
    .await;
    match done {
        Ok(details) => {
            let notice = Notice::new(format!(
                "The team {team} is gone; its {} lost what they had through it.",
                count(details.members, "member")
            ));
            Ok(see_other_with(&visitor, &format!("/org/{}/teams", permit.organization().name), &notice))
        }
        Err(error) => {
            show(&app, &visitor, &path, Typed::from(&form), FormErrors::from_refusal("confirm", error)?).await
        }
    }
}
