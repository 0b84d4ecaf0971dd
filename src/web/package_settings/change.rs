//! What the forms of the settings page do.

use std::sync::Arc;

use axum::extract::State;

use crate::app::App;
use crate::error::{Error, Result};
use crate::hooks::{Destination, Hooks, Subject};
use crate::http::PackagePath;
use crate::names::{DistTag, PackageName, VersionNumber};
use crate::packages::intent_to_move;
use crate::policy::{AccountAction, Intent, PackageSecondFactor};
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Problem, Typed, Visitor, see_other_with};

use super::{address, load_facts, show, transfer};

/// What was done, in a sentence; or what the field that is named did not take.
pub(super) type Done = Result<String, (&'static str, Error)>;

/// `POST /package/{package}/settings`: which button was pressed says what is done.
pub(in crate::web) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PackagePath,
    form: Form,
) -> PageResult {
    let name = path.for_reading()?;
    let done = if form.has("untag") {
        remove_tag(&app, &visitor, &name, &form).await?
    } else if form.has("deprecate") {
        deprecate(&app, &visitor, &name, &form).await?
    } else if form.has("second-factor") {
        set_second_factor(&app, &visitor, &name, &form).await?
    } else if form.has("hook") {
        add_hook(&app, &visitor, &name, &form).await?
    } else if form.has("unhook") {
        remove_hook(&app, &visitor, &name, &form).await?
    } else if form.has("move") {
        transfer::announce(&app, &visitor, &name, &form).await?
    } else {
        set_tag(&app, &visitor, &name, &form).await?
    };
    match done {
        Ok(sentence) => Ok(see_other_with(&visitor, &address(&name), &Notice::new(sentence))),
        Err((field, problem)) => {
            let errors = FormErrors::from_refusal(field, problem)?;
            show(&app, &visitor, &name, Typed::from(&form), errors).await
        }
    }
}

async fn set_tag(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    let tag = form.text("tag");
    let permit = app.access.permit(visitor.actor(), name, intent_to_move(tag)).await?;
    let wanted = match (tag.parse::<DistTag>(), form.text("version").parse::<VersionNumber>()) {
        (Ok(tag), Ok(version)) => (tag, version),
        (Err(cause), _) => return Ok(Err(("tag", cause.into()))),
        (_, Err(cause)) => return Ok(Err(("version", cause.into()))),
    };
    let (tag, version) = wanted;
    let sentence = format!("{tag} now points at {version}.");
    Ok(app.packages.set_tag(&permit, tag, version).await.map(|()| sentence).map_err(|problem| ("tag", problem)))
}

async fn remove_tag(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    let tag = form.text("untag");
    let permit = app.access.permit(visitor.actor(), name, intent_to_move(tag)).await?;
    let tag = match tag.parse::<DistTag>() {
        Ok(tag) => tag,
        Err(cause) => return Ok(Err(("tag", cause.into()))),
    };
    let sentence = format!("{tag} was removed.");
    Ok(app.packages.remove_tag(&permit, tag).await.map(|()| sentence).map_err(|problem| ("tag", problem)))
}

/// An empty message takes a deprecation back.
async fn deprecate(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    let permit = app.access.permit(visitor.actor(), name, Intent::DEPRECATE).await?;
    let takes_back = form.text("deprecate") == "undo";
    let (range, message) = (form.text("range"), if takes_back { "" } else { form.text("message") });
    if message.is_empty() && !takes_back {
        return Ok(Err(("message", Error::Unprocessable("Say why, and what to use instead.".into()))));
    }
    let done = app.packages.deprecate_range(&permit, range, message).await;
    let sentence = |count: usize| {
        let versions = if count == 1 { "1 version is".to_owned() } else { format!("{count} versions are") };
        format!("{versions} {}deprecated.", if takes_back { "no longer " } else { "" })
    };
    Ok(done.map(sentence).map_err(|problem| ("range", problem)))
}

async fn set_second_factor(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    let permit = app.access.permit(visitor.actor(), name, Intent::REQUIRE_SECOND_FACTOR).await?;
    let (publish_requires, automation_overrides) = match form.text("policy") {
        "none" => (false, false),
        "automation" => (true, true),
        "publish" => (true, false),
        _ => {
            let problem = Error::Unprocessable("Choose when publishing asks for a second factor.".into());
            return Ok(Err(("policy", problem)));
        }
    };
    let wanted = PackageSecondFactor { publish_requires, automation_overrides };
    let sentence = "When publishing asks for a second factor was changed.".to_owned();
    let done = app.access.set_second_factor(&permit, wanted).await;
    Ok(done.map(|()| sentence).map_err(|problem| ("policy", problem)))
}

async fn add_hook(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    load_facts(app, visitor, name).await?;
    let follower = Hooks::permit(visitor.actor(), AccountAction::Follow)?;
    let destination = match Destination::parse(form.text("endpoint"), form.raw("secret")) {
        Ok(destination) => destination,
        Err(problem) => return Ok(Err(("endpoint", problem))),
    };
    let made = app.hooks.create(&follower, &Subject::Package(name.clone()), &destination).await;
    let sentence = |hook: crate::hooks::Hook| format!("{} is told of every change from now on.", hook.endpoint);
    Ok(made.map(sentence).map_err(|problem| ("endpoint", problem)))
}

async fn remove_hook(app: &App, visitor: &Visitor, name: &PackageName, form: &Form) -> Result<Done, Problem> {
    load_facts(app, visitor, name).await?;
    let follower = Hooks::permit(visitor.actor(), AccountAction::Follow)?;
    let removed = app.hooks.remove(&follower, form.text("unhook")).await;
    let sentence = |hook: crate::hooks::Hook| format!("{} is told nothing any more.", hook.endpoint);
    Ok(removed.map(sentence).map_err(|problem| ("hooks", problem)))
}
