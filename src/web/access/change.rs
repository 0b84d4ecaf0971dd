//! What the forms of the access page do: add, raise or lower, remind, remove, and undo a removal.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::{NaiveDate, NaiveTime};

use crate::access::{Grantee, Term};
use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::http::PackagePath;
use crate::names::{AccountName, PackageName};
use crate::policy::{Intent, Permission, Visibility};
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Typed, Visitor, page, see_other_with};

use super::{Subject, address, invitations, not_the_name, show, view};

/// The page that asks for the package's name before somebody goes whom nobody could easily bring back.
#[derive(Template)]
#[template(path = "access/remove.html")]
struct RemovePage<'a> {
    visitor: &'a Visitor,
    name: &'a PackageName,
    whom: String,
    heading: String,
    consequence: String,
    button: &'static str,
    errors: FormErrors,
}

/// `POST /package/{package}/access`: which button was pressed says what is done.
pub(in crate::web) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let name = path.for_reading()?;
    if form.has("invitation") {
        invitations::manage(&app, &visitor, &name, &form).await
    } else if form.has("remove") {
        remove(&app, &visitor, &name, &form).await
    } else if form.has("remind") {
        remind(&app, &visitor, &name, &form).await
    } else if form.has("level") {
        set_level(&app, &visitor, &name, &form).await
    } else {
        add(&app, &visitor, &name, &form).await
    }
}

/// The page with what is wrong, and what was typed.
pub(super) async fn again(
    app: &App,
    visitor: &Visitor,
    name: &PackageName,
    form: &Form,
    errors: FormErrors,
) -> PageResult {
    let subject = Subject::load(app, visitor, name).await?;
    let typed = if form.has("add") { Typed::from(form) } else { Typed::default() };
    show(app, visitor, &subject, typed, errors).await
}

/// Adds somebody: read-only on a restricted package, read-write on a public one (`domain.md`, "Adding collaborators").
async fn add(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    if let Some(invitee) = invitations::read_email(form.text("who")) {
        return invitations::invite(app, visitor, name, form, invitee).await;
    }
    let permit = app.access.permit(visitor.actor(), name, Intent::GRANT).await?;
    let added = match wanted(app, visitor, name, form).await {
        Ok((whom, term)) => app.access.add(&permit, &whom, term).await.map(|()| (whom, term)),
        Err(problem) => Err(problem),
    };
    match added {
        Ok((whom, term)) => {
            let sentence = format!("{whom} was added to {name}: {}.", term.permission.as_str());
            Ok(see_other_with(visitor, &address(name), &Notice::new(sentence)))
        }
        Err(problem) => {
            let errors = FormErrors::from_refusal("who", problem)?;
            again(app, visitor, name, form, errors).await
        }
    }
}

async fn wanted(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<(Grantee, Term)> {
    let facts = app.access.load_facts_for(visitor.actor(), name).await?;
    let is_public = facts.package.is_some_and(|package| package.visibility == Visibility::Public);
    let permission = match restored_level(form) {
        Some(level) => level,
        None if is_public => Permission::ReadWrite,
        None => Permission::ReadOnly,
    };
    let whom = Grantee::read(&form.text("who").to_lowercase(), name)?;
    Ok((whom, Term { permission, until: until(form.text("until"))? }))
}

/// What an undone removal gives back.
fn restored_level(form: &Form) -> Option<Permission> {
    form.has("restore").then(|| form.text("restore").parse().ok()).flatten()
}

/// A day, which ends the access as it begins; or the very moment, where a removal is undone.
fn until(text: &str) -> Result<Option<Time>> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let moment = day.or_else(|_| text.parse::<Time>());
    moment.map(Some).map_err(|_| Error::Unprocessable("Until is a day, like 2030-12-31. Give one, or none.".into()))
}

async fn set_level(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::GRANT).await?;
    let level = form.text("level").parse::<Permission>();
    let level = level.map_err(|()| Error::Unprocessable("The level is read-only or read-write.".into()));
    let changed = match (level, Grantee::read(form.text("who"), name)) {
        (Ok(level), Ok(whom)) => app.access.change_level(&permit, &whom, level).await.map(|()| (whom, level)),
        (Err(problem), _) | (_, Err(problem)) => Err(problem),
    };
    match changed {
        Ok((whom, level)) => {
            let notice = Notice::new(format!("{whom} now has {} access to {name}.", level.as_str()));
            Ok(see_other_with(visitor, &address(name), &notice))
        }
        Err(problem) => {
            let errors = FormErrors::from_refusal("people", problem)?;
            again(app, visitor, name, form, errors).await
        }
    }
}

/// Has a collaborator without a plan told that they need one.
async fn remind(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::GRANT).await?;
    let reminded = match form.text("who").parse::<AccountName>() {
        Ok(user) => app.notices.remind(&permit, &user).await.map(|()| user),
        Err(cause) => Err(cause.into()),
    };
    match reminded {
        Ok(user) => {
            let sentence =
                format!("{user} is reminded by mail to pick a plan, unless they have switched such mail off.");
            Ok(see_other_with(visitor, &address(name), &Notice::new(sentence)))
        }
        Err(problem) => again(app, visitor, name, form, FormErrors::from_refusal("people", problem)?).await,
    }
}

async fn remove(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let whom = match Grantee::read(form.text("who"), name) {
        Ok(whom) => whom,
        Err(problem) => {
            // Whoever may not touch collaborators is told that first.
            app.access.permit(visitor.actor(), name, Intent::CHANGE_COLLABORATORS).await?;
            return again(app, visitor, name, form, FormErrors::from_refusal("people", problem)?).await;
        }
    };
    if let Grantee::User(user) = &whom
        && visitor.is(user.as_str())
    {
        return leave(app, visitor, name, form).await;
    }
    let permit = app.access.permit(visitor.actor(), name, Intent::REVOKE).await?;
    let subject = Subject::load(app, visitor, name).await?;
    if is_last_writer(&subject, &whom) && form.text("typed") != name.as_str() {
        return ask_for_name(visitor, &subject, &whom, form);
    }
    let removed = match &whom {
        Grantee::User(user) => app.access.revoke(&permit, user).await,
        Grantee::Team(team) => app.access.revoke_team(&permit, team).await,
    };
    match removed {
        Ok(()) => Ok(see_other_with(visitor, &address(name), &farewell(&subject, &whom))),
        Err(problem) => again(app, visitor, name, form, FormErrors::from_refusal("people", problem)?).await,
    }
}

/// What was removed, with a way back where there is one.
fn farewell(subject: &Subject, whom: &Grantee) -> Notice {
    let (name, overview) = (subject.name(), &subject.overview);
    let given = match whom {
        Grantee::User(user) => overview.person(user).and_then(|person| person.given.as_ref()),
        Grantee::Team(team) => overview.team(team).map(|team| &team.given),
    };
    let notice = Notice::new(format!("{whom} no longer has access to {name}."));
    let person = match whom {
        Grantee::User(user) => overview.person(user),
        Grantee::Team(_) => None,
    };
    // What would be refused is not promised.
    let could_be_given = person.is_none_or(|person| {
        let lacks_plan = person.has_plan == Some(false) && !subject.is_public();
        !person.disabled && !lacks_plan
    });
    match given {
        Some(given) if subject.rights.may_grant() && could_be_given => {
            let until = given.until.map(|until| until.to_rfc3339()).unwrap_or_default();
            let fields =
                [("who", &*whom.name_on(name)), ("restore", given.permission.as_str()), ("until", until.as_str())];
            notice.with_undo(address(name), &fields)
        }
        _ => notice,
    }
}

/// Any collaborator may go; the name is asked for, since only others can bring them back.
async fn leave(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> PageResult {
    let permit = app.access.permit(visitor.actor(), name, Intent::LEAVE).await?;
    let user = visitor.account().map(|account| account.name.clone()).ok_or_else(|| Error::internal("nobody leaves"))?;
    if form.text("typed") != name.as_str() {
        let template = RemovePage {
            visitor,
            name,
            whom: user.to_string(),
            heading: format!("Remove yourself from {name}"),
            consequence:
                "You lose what you were given at once: for you the package is as if it were not there, unless \
                          it is public or a team of yours has it. Only who administers it can add you again."
                    .into(),
            button: "Remove yourself",
            errors: typed_wrong(form, name),
        };
        return page(visitor, template.errors.status(), &template);
    }
    match app.access.revoke(&permit, &user).await {
        Ok(()) => Ok(see_other_with(visitor, "/", &Notice::new(format!("You gave back your access to {name}.")))),
        Err(problem) => Err(problem.into()),
    }
}

/// Whether nobody but the organization's admins could publish any more. In a user's scope the owner always can.
fn is_last_writer(subject: &Subject, whom: &Grantee) -> bool {
    if !view::is_organizations(&subject.facts) {
        return false;
    }
    let writes = |permission: Permission| subject.is_public() || permission == Permission::ReadWrite;
    let teams = subject.overview.teams.iter().filter(|team| writes(team.given.permission));
    let teams = teams.map(|team| Grantee::Team(team.name.clone()));
    let people = subject.overview.people.iter();
    let people = people.filter(|person| person.given.as_ref().is_some_and(|given| writes(given.permission)));
    let people = people.map(|person| Grantee::User(person.name.clone()));
    let writers: Vec<Grantee> = teams.chain(people).collect();
    writers.len() == 1 && writers.first() == Some(whom)
}

fn ask_for_name(visitor: &Visitor, subject: &Subject, whom: &Grantee, form: &Form) -> PageResult {
    let name = subject.name();
    let errors = typed_wrong(form, name);
    let template = RemovePage {
        visitor,
        name,
        whom: whom.name_on(name),
        heading: format!("Remove {whom} from {name}"),
        consequence: format!(
            "{whom} is the last with read-write access. Without them, only owners and admins of @{} can publish {name}.",
            name.scope()
        ),
        button: "Remove",
        errors,
    };
    page(visitor, template.errors.status(), &template)
}

/// The first time nothing was typed, and nothing is wrong with that.
fn typed_wrong(form: &Form, name: &PackageName) -> FormErrors {
    if form.has("typed") { FormErrors::one("typed", not_the_name(name)) } else { FormErrors::default() }
}
