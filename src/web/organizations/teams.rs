//! `/org/NAME/teams`: which teams there are, and new ones.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::Result;
use crate::http::PathParameters;
use crate::names::TeamName;
use crate::organizations::TeamDetails;
use crate::policy::OrganizationAction;
use crate::web::shell::{Form, FormErrors, PageResult, Visitor, page, see_other};

use super::{Frame, permit};

#[derive(Template)]
#[template(path = "organizations/teams.html")]
struct TeamsPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    teams: Vec<TeamDetails>,
    name: &'a str,
    description: &'a str,
    errors: FormErrors,
}

/// `GET /org/{organization}/teams`.
pub(in crate::web) async fn teams_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    show(&app, &visitor, &path, ("", ""), FormErrors::default()).await
}

async fn show(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    (name, description): (&str, &str),
    errors: FormErrors,
) -> PageResult {
    let see = permit(app, visitor, path, OrganizationAction::See).await?;
    let frame = Frame::of(app, visitor, path, "teams").await?;
    let teams = app.organizations.list_team_details(&see).await?;
    let status = errors.status();
    page(visitor, status, &TeamsPage { visitor, frame, teams, name, description, errors })
}

/// `POST /org/{organization}/teams`.
pub(in crate::web) async fn create_team(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeTeams).await?;
    let created: Result<TeamName> = async {
        let team: TeamName = form.text("name").to_lowercase().parse()?;
        app.organizations.create_team(&permit, &team, form.text("description")).await?;
        Ok(team)
    }
    .await;
    match created {
        Ok(team) => Ok(see_other(&visitor, &format!("/org/{}/teams/{team}", permit.organization().name))),
        Err(error) => {
            let errors = FormErrors::from_refusal("name", error)?;
            show(&app, &visitor, &path, (form.text("name"), form.text("description")), errors).await
        }
    }
}
