//! `/org/NAME/invite`: many people at once, looked at line by line before anything is done.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::config::BillingProvider;
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::organizations::{Invitee, Preview, ReadLine, read_people};
use crate::policy::{OrganizationAction, OrganizationPermit};
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};

use super::{Frame, count, permit};

#[derive(Template)]
#[template(path = "organizations/invite.html")]
struct InvitePage<'a> {
    visitor: &'a Visitor,
    frame: Frame<'a>,
    people: &'a str,
    looked_at: Option<Looked>,
    errors: FormErrors,
}

/// A list as it was looked at.
struct Looked {
    rows: Vec<Row>,
    /// How many would be new, how many would get another role, and how many lines are wrong.
    joining: usize,
    changing: usize,
    wrong: usize,
    /// Members now and afterwards.
    before: usize,
    after: usize,
    /// What the seats cost, in words.
    cost: &'static str,
}

/// A line of the preview.
struct Row {
    number: usize,
    who: String,
    role: &'static str,
    teams: String,
    outcome: String,
    is_wrong: bool,
}

/// `GET /org/{organization}/invite`.
pub(in crate::web) async fn invite_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    permit(&app, &visitor, &path, OrganizationAction::ChangeMembers).await?;
    let frame = Frame::of(&app, &visitor, &path, "members").await?;
    let template = InvitePage { visitor: &visitor, frame, people: "", looked_at: None, errors: FormErrors::default() };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST /org/{organization}/invite`: shows what would be done, and does it once that was confirmed.
pub(in crate::web) async fn invite(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeMembers).await?;
    let people = form.raw("people");
    let (looked, invitees) = match look(&app, &permit, people).await {
        Ok(found) => found,
        Err(error) => {
            let errors = FormErrors::from_refusal("people", error)?;
            return show(&app, &visitor, &path, people, None, errors).await;
        }
    };
    if looked.wrong > 0 {
        let sentence = format!("{} cannot be taken. Mend or remove them below.", lines(looked.wrong));
        return show(&app, &visitor, &path, people, Some(looked), FormErrors::one("people", sentence)).await;
    }
    // A list that changed under the eyes of who confirms it is shown again.
    if form.text("confirm") != looked.after.to_string() {
        return show(&app, &visitor, &path, people, Some(looked), FormErrors::default()).await;
    }
    match app.organizations.add_people(&permit, &invitees).await {
        Ok(size) => {
            let name = &permit.organization().name;
            let sentence =
                format!("Done: {} joined. {name} has {} now.", people_in_words(looked.joining), members(size));
            Ok(see_other_with(&visitor, &format!("/org/{name}/members"), &Notice::new(sentence)))
        }
        Err(error) => {
            let errors = FormErrors::from_refusal("people", error)?;
            show(&app, &visitor, &path, people, Some(looked), errors).await
        }
    }
}

async fn show(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    people: &str,
    looked_at: Option<Looked>,
    errors: FormErrors,
) -> PageResult {
    let frame = Frame::of(app, visitor, path, "members").await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    page(visitor, status, &InvitePage { visitor, frame, people, looked_at, errors })
}

/// Reads the list and asks what would become of each line.
async fn look(app: &App, permit: &OrganizationPermit, text: &str) -> Result<(Looked, Vec<Invitee>)> {
    let read = read_people(text)?;
    let invitees: Vec<Invitee> = read.iter().filter_map(|line| line.outcome.clone().ok()).collect();
    let mut previews = app.organizations.preview_people(permit, &invitees).await?.into_iter();
    let mut looked = Looked {
        rows: Vec::with_capacity(read.len()),
        joining: 0,
        changing: 0,
        wrong: 0,
        before: permit.organization().members.len(),
        after: 0,
        cost: cost(app),
    };
    for line in read {
        let preview = match &line.outcome {
            Ok(_) => previews.next().ok_or_else(|| Error::internal("a line without a preview"))?,
            Err(reason) => Preview::Wrong(reason.clone()),
        };
        match preview {
            Preview::Joins => looked.joining += 1,
            Preview::Changes(_) => looked.changing += 1,
            Preview::Wrong(_) => looked.wrong += 1,
            Preview::Stays => {}
        }
        looked.rows.push(Row::of(line, preview));
    }
    looked.after = looked.before + looked.joining;
    Ok((looked, invitees))
}

impl Row {
    fn of(line: ReadLine, preview: Preview) -> Self {
        let invitee = line.outcome.ok();
        let is_wrong = matches!(preview, Preview::Wrong(_));
        let outcome = match preview {
            Preview::Joins => "joins".to_owned(),
            Preview::Changes(before) => format!("is {} now, gets the new role", before.as_str()),
            Preview::Stays => "is in already, nothing changes but teams".to_owned(),
            Preview::Wrong(reason) => reason,
        };
        Self {
            number: line.number,
            who: line.who,
            role: invitee.as_ref().map_or("", |one| one.role.as_str()),
            teams: invitee.map_or_else(String::new, |one| {
                one.teams.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }),
            outcome,
            is_wrong,
        }
    }
}

fn cost(app: &App) -> &'static str {
    match app.config.billing.provider {
        BillingProvider::None => "Seats cost nothing on this registry.",
        BillingProvider::Manual => "The operator of this registry bills seats, if at all, outside of it.",
        BillingProvider::Stripe => "Each new member takes a seat, billed pro rata from today; see the billing tab.",
    }
}

fn lines(number: usize) -> String {
    count(number.try_into().unwrap_or(i64::MAX), "line")
}

fn members(number: usize) -> String {
    count(number.try_into().unwrap_or(i64::MAX), "member")
}

fn people_in_words(number: usize) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}
