//! `/setup/CODE`: the first account, and what the configuration leaves open.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::config::Signup;
use crate::error::Error;
use crate::http::PathParameters;
use crate::instance::{Settings, Setup};
use crate::mail::{Letter, Way};
use crate::names::{AccountName, Email};
use crate::users::NewUser;

use super::super::entrance::open_session;
use super::super::over::show_over;
use super::super::shell::{Form, FormErrors, PageResult, Visitor, page};
use super::{chosen_password, nobody, read, refusal};

#[derive(Template)]
#[template(path = "arrival/setup.html")]
struct SetupPage<'a> {
    visitor: &'a Visitor,
    settings: Settings,
    /// Whom mail goes through, in words; none where it goes nowhere.
    mail: Option<&'static str>,
    /// What came of a letter that was tried.
    tried: Option<String>,
    name: &'a str,
    email: &'a str,
    registry: &'a str,
    signup: &'a str,
    errors: FormErrors,
}

/// `GET /setup/{code}`.
pub(in crate::web) async fn setup_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    if let Err(error) = app.instance.check_setup(path.get("code")).await {
        return show_over(&visitor, error);
    }
    show(&app, &visitor, None, None, FormErrors::default()).await
}

/// `POST /setup/{code}`: sends a letter to try the mail out, or sets up.
pub(in crate::web) async fn set_up(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    app.throttle.attempt_from(visitor.address)?;
    app.instance.check_setup(path.get("code")).await?;
    let mut errors = FormErrors::default();
    let email = read("email", form.text("email").parse::<Email>(), &mut errors);
    if form.text("step") == "mail" {
        return match email {
            Some(email) => try_mail(&app, &visitor, &form, email).await,
            None => show(&app, &visitor, Some(&form), None, errors).await,
        };
    }
    let name = read("name", AccountName::for_registration(form.text("name")), &mut errors);
    let password = chosen_password(&form, &mut errors);
    let signup = read_signup(form.text("signup"));
    let (Some(name), Some(email), Some(password)) = (name, email, password) else {
        return show(&app, &visitor, Some(&form), None, errors).await;
    };
    let by = nobody(&visitor, name.as_str());
    let administrator = NewUser { name, email, password, administrator: true };
    let setup = Setup { administrator, name: form.text("registry").to_owned(), signup };
    match app.instance.set_up(path.get("code"), setup, &by).await {
        Ok(profile) => {
            app.recovery.ask_for_proof(profile.id).await?;
            open_session(&app, &visitor, (profile.id, &profile.name), None, "/").await
        }
        Err(error @ Error::NotFound(_)) => Err(error.into()),
        Err(error) => show(&app, &visitor, Some(&form), None, refusal(error)?).await,
    }
}

async fn try_mail(app: &App, visitor: &Visitor, form: &Form, email: Email) -> PageResult {
    let letter = Letter::new("setup.test", email.clone(), "Mail works")
        .paragraph("This registry can send mail. You can go on with its setup:")
        .link(&app.public_url);
    match app.mail.send_now(&letter).await {
        Ok(()) => {
            show(app, visitor, Some(form), Some(format!("The mail to {email} was taken.")), FormErrors::default()).await
        }
        Err(error) => show(app, visitor, Some(form), None, FormErrors::from_refusal("email", error)?).await,
    }
}

fn read_signup(word: &str) -> Signup {
    match word {
        "open" => Signup::Open,
        "invite" => Signup::Invite,
        _ => Signup::Closed,
    }
}

async fn show(
    app: &App,
    visitor: &Visitor,
    form: Option<&Form>,
    tried: Option<String>,
    errors: FormErrors,
) -> PageResult {
    let text = |name| form.map(|form| form.text(name)).unwrap_or_default();
    let mail = match app.mail.way() {
        Way::Smtp => Some("through the configured server"),
        Way::Log => Some("into the log, since the registry is used from this machine alone"),
        Way::Nowhere => None,
    };
    let status = errors.status();
    let template = SetupPage {
        visitor,
        settings: app.instance.settings().await?,
        mail,
        tried,
        name: text("name"),
        email: text("email"),
        registry: text("registry"),
        signup: form.map_or("closed", |form| form.text("signup")),
        errors,
    };
    page(visitor, status, &template)
}
