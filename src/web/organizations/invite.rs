//! `/org/NAME/invite`: many people at once, looked at line by line before anything is done.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::invitations::{Invitee, Line, read_list};
use crate::names::TeamName;
use crate::organizations::{NewMember, Preview};
use crate::policy::{OrganizationAction, OrganizationPermit, OrganizationRole};
use crate::web::invited::Invited;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};

use super::{Frame, count, permit, seats};

#[derive(Template)]
#[template(path = "organizations/invite.html")]
struct InvitePage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    people: &'a str,
    looked_at: Option<Looked>,
    errors: FormErrors,
}

/// A list as it was looked at.
struct Looked {
    rows: Vec<Row>,
    /// How many would be new, be sent an invitation, or get another role, and how many lines are wrong.
    joining: usize,
    mailed: usize,
    changing: usize,
    wrong: usize,
    /// Members now and afterwards.
    before: usize,
    after: usize,
    /// What the seats cost, in words, where they are sold here.
    cost: Option<String>,
}

/// A list that can be taken.
#[derive(Default)]
struct People {
    members: Vec<NewMember>,
    invited: Vec<(Invitee, OrganizationRole, Vec<TeamName>)>,
}

#[derive(Template)]
#[template(path = "organizations/invited.html")]
struct InvitedPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    sentence: String,
    invited: Invited,
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
    let (looked, wanted) = match look(&app, &permit, people).await {
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
    if form.text("confirm") != looked.fingerprint() {
        return show(&app, &visitor, &path, people, Some(looked), FormErrors::default()).await;
    }
    match app.organizations.add_people(&permit, &wanted.members).await {
        Ok(_) => finish(&app, &visitor, &path, &permit, (&looked, &wanted)).await,
        Err(error) => {
            let errors = FormErrors::from_refusal("people", error)?;
            show(&app, &visitor, &path, people, Some(looked), errors).await
        }
    }
}

/// Sends the invitations of those who have no name here, and says what came of it. Where no mail is sent there are links to
/// hand over, shown this once.
async fn finish(
    app: &App,
    visitor: &Visitor,
    path: &PathParameters,
    permit: &OrganizationPermit,
    (looked, wanted): (&Looked, &People),
) -> PageResult {
    let outcomes = app.invitations.invite_many(permit, &wanted.invited).await;
    let mut invited = Invited::default();
    for ((invitee, ..), outcome) in wanted.invited.iter().zip(outcomes) {
        invited.note(invitee.to_string(), outcome);
    }
    let joined = people_in_words(looked.joining);
    let sentence = format!("Done: {joined} joined, {} made.", count(invited.sent, "invitation"));
    if invited.is_told() {
        let path = format!("/org/{}/members", permit.organization().name);
        return Ok(see_other_with(visitor, &path, &Notice::new(sentence)));
    }
    let frame = Frame::of(app, visitor, path, "members").await?;
    page(visitor, StatusCode::OK, &InvitedPage { visitor, frame, sentence, invited })
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
    let status = errors.status();
    page(visitor, status, &InvitePage { visitor, frame, people, looked_at, errors })
}

/// Reads the list and asks what would become of each line.
async fn look(app: &App, permit: &OrganizationPermit, text: &str) -> Result<(Looked, People)> {
    let lines = read_list(text, OrganizationRole::Member);
    if lines.is_empty() {
        return Err(Error::Unprocessable("There is nobody on this list. Write one name on each line.".into()));
    }
    let mut wanted = People::default();
    for (invitee, role, teams) in lines.iter().filter_map(|line| line.read.clone().ok()) {
        match invitee {
            Invitee::User(user) => wanted.members.push(NewMember { user, role, teams }),
            Invitee::Email(_) => wanted.invited.push((invitee, role, teams)),
        }
    }
    let mut previews = app.organizations.preview_people(permit, &wanted.members).await?.into_iter();
    let teams = app.organizations.list_teams(permit).await?;
    let mut looked = Looked {
        rows: Vec::with_capacity(lines.len()),
        joining: 0,
        mailed: 0,
        changing: 0,
        wrong: 0,
        before: permit.organization().members.len(),
        after: 0,
        cost: None,
    };
    for line in lines {
        let preview = match &line.read {
            Ok((Invitee::User(_), ..)) => previews.next().ok_or_else(|| Error::internal("a line without a preview"))?,
            Ok((Invitee::Email(_), _, wanted)) => match wanted.iter().find(|team| !teams.contains(team)) {
                Some(team) => Preview::Wrong(format!("there is no team {team}")),
                None => Preview::Joins,
            },
            Err(reason) => Preview::Wrong(reason.clone()),
        };
        let is_mailed = matches!(line.read, Ok((Invitee::Email(_), ..)));
        match preview {
            Preview::Joins if is_mailed => looked.mailed += 1,
            Preview::Joins => looked.joining += 1,
            Preview::Changes(_) => looked.changing += 1,
            Preview::Wrong(_) => looked.wrong += 1,
            Preview::Stays => {}
        }
        looked.rows.push(Row::of(line, preview, is_mailed));
    }
    looked.after = looked.before + looked.joining;
    let (joining, mailed) = (looked.joining.try_into(), looked.mailed.try_into());
    let (joining, mailed) = (joining.unwrap_or(i64::MAX), mailed.unwrap_or(i64::MAX));
    let seats = app.billing.seats(permit).await?;
    looked.cost = seats.map(|seats| seats::in_words(&seats, permit.organization().name.as_str(), joining, mailed));
    Ok((looked, wanted))
}

impl Looked {
    /// What somebody confirms: another list, or other people in the organization, and it is looked at again.
    fn fingerprint(&self) -> String {
        format!("{}-{}-{}-{}", self.before, self.joining, self.mailed, self.changing)
    }
}

impl Row {
    fn of(line: Line, preview: Preview, is_mailed: bool) -> Self {
        let is_wrong = matches!(preview, Preview::Wrong(_));
        let outcome = match preview {
            Preview::Joins if is_mailed => "gets an invitation, joins by accepting it".to_owned(),
            Preview::Joins => "joins".to_owned(),
            Preview::Changes(before) => format!("is {} now, gets the new role", before.as_str()),
            Preview::Stays => "is in already, nothing changes but teams".to_owned(),
            Preview::Wrong(reason) => reason,
        };
        let (who, role, teams) = match line.read {
            Ok((invitee, role, teams)) => (
                invitee.to_string(),
                role.as_str(),
                teams.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            ),
            Err(_) => (line.text, "", String::new()),
        };
        Self { number: line.number, who, role, teams, outcome, is_wrong }
    }
}

fn lines(number: usize) -> String {
    count(number.try_into().unwrap_or(i64::MAX), "line")
}

fn people_in_words(number: usize) -> String {
    if number == 1 { "1 person".to_owned() } else { format!("{number} people") }
}
