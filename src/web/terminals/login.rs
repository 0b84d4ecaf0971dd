//! `/login/cli/CODE`: letting a terminal in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::TimeDelta;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::App;
use crate::audit::By;
use crate::error::Error;
use crate::http::PathParameters;
use crate::logins::{Approval, Waiting};
use crate::policy::AccountAction;
use crate::second_factor::Answered;

use super::super::over::show_over;
use super::super::shell::{Form, FormErrors, PageResult, Visitor, page, see_other};

/// The lifetimes to choose from, in days, as far as the configuration lets a login live.
const LIFETIMES: [u32; 5] = [1, 7, 30, 90, 365];

#[derive(Template)]
#[template(path = "terminals/login.html")]
struct LoginPage<'a> {
    visitor: &'a Visitor,
    waiting: Waiting,
    token_name: &'a str,
    lifetimes: Vec<Lifetime>,
    reads_only: bool,
    errors: FormErrors,
}

/// How long a token may live.
#[derive(Debug)]
struct Lifetime {
    /// In days; 0 is without end.
    days: u32,
    words: String,
    is_chosen: bool,
}

/// `GET /login/cli/{code}`.
pub(in crate::web) async fn login_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    let waiting = match app.logins.find(path.get("code")).await {
        Ok(waiting) => waiting,
        Err(error) => return show_over(&visitor, error),
    };
    if visitor.account().is_none() && waiting.answered == Answered::NotYet {
        let door = if waiting.signs_up { "/signup" } else { "/login" };
        let here = utf8_percent_encode(visitor.path(), NON_ALPHANUMERIC);
        return Ok(see_other(&visitor, &format!("{door}?then={here}")));
    }
    show(&app, &visitor, waiting, None, FormErrors::default())
}

/// `POST /login/cli/{code}`.
pub(in crate::web) async fn answer(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let code = path.get("code");
    let waiting = app.logins.find(code).await?;
    if form.text("decision") == "refuse" {
        let by = By { address: Some(visitor.address), ..By::from(visitor.actor()) };
        app.logins.refuse(code, &by).await?;
        return Ok(see_other(&visitor, visitor.path()));
    }
    // A token is as good as the account: who it is is asked again, unless that was just done.
    let visitor = visitor.require_confirmed(&app).await?;
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::Change).await?;
    let days = chosen_days(&app, form.text("days"));
    let approval = Approval {
        token_name: form.text("token_name").to_owned(),
        ends_at: (days > 0).then(|| visitor.now + TimeDelta::days(days.into())),
        read_only: form.text("rights") == "read",
    };
    match app.logins.approve(&permit, code, &approval).await {
        Ok(()) => Ok(see_other(&visitor, visitor.path())),
        Err(error @ Error::Unprocessable(_)) => {
            show(&app, &visitor, waiting, Some(&form), FormErrors::from_refusal("token_name", error)?)
        }
        Err(error) => Err(error.into()),
    }
}

/// The lifetimes that the configuration lets a login have, the longest of them its own.
fn offered_days(app: &App) -> Vec<u32> {
    let most = app.config.auth.login_token_days;
    let mut days: Vec<u32> = LIFETIMES.into_iter().filter(|days| most == 0 || *days < most).collect();
    days.push(most);
    days
}

fn chosen_days(app: &App, typed: &str) -> u32 {
    let chosen = typed.parse().ok().filter(|days| offered_days(app).contains(days));
    chosen.unwrap_or(app.config.auth.login_token_days)
}

fn show(app: &App, visitor: &Visitor, waiting: Waiting, form: Option<&Form>, errors: FormErrors) -> PageResult {
    let chosen = chosen_days(app, form.map(|form| form.text("days")).unwrap_or_default());
    let lifetime = |days: u32| Lifetime { days, words: in_words(days), is_chosen: days == chosen };
    let status = errors.status();
    let client = waiting.client.clone();
    let template = LoginPage {
        visitor,
        waiting,
        token_name: form.map_or(&client, |form| form.text("token_name")),
        lifetimes: offered_days(app).into_iter().map(lifetime).collect(),
        reads_only: form.is_some_and(|form| form.text("rights") == "read"),
        errors,
    };
    page(visitor, status, &template)
}

fn in_words(days: u32) -> String {
    match days {
        0 => "without end".into(),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}
