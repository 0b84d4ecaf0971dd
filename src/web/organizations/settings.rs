//! `/org/NAME/settings`: what is asked of members and given to them, leaving, and the end.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::organizations::{DevelopersGet, Settings};
use crate::policy::OrganizationAction;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};

use super::{Frame, count, permit};

#[derive(Template)]
#[template(path = "organizations/settings.html")]
struct SettingsPage<'a> {
    visitor: &'a Visitor,
    frame: Frame,
    settings: Settings,
    /// Members who have no second factor.
    without: String,
    errors: FormErrors,
}

/// `GET /org/{organization}/settings`.
pub(in crate::web) async fn settings_page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
) -> PageResult {
    show(&app, &visitor, &path, FormErrors::default()).await
}

async fn show(app: &App, visitor: &Visitor, path: &PathParameters, errors: FormErrors) -> PageResult {
    let see = permit(app, visitor, path, OrganizationAction::See).await?;
    let frame = Frame::of(app, visitor, path, "settings").await?;
    let settings = app.organizations.settings(&see).await?;
    let without = count(app.organizations.count_members_without_second_factor(&see).await?, "member");
    let status = errors.status();
    page(visitor, status, &SettingsPage { visitor, frame, settings, without, errors })
}

/// `POST /org/{organization}/settings`.
pub(in crate::web) async fn change(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::ChangeSettings).await?;
    let done: Result<()> = async {
        let developers_get: DevelopersGet = form.text("developers_get").parse().map_err(|()| {
            Error::Unprocessable("Members get read-write, read-only or nothing. Choose one of them.".into())
        })?;
        let wanted = Settings { members_need_second_factor: form.has("second_factor"), developers_get };
        app.organizations.change_settings(&permit, wanted).await
    }
    .await;
    match done {
        Ok(()) => {
            let path = format!("/org/{}/settings", permit.organization().name);
            Ok(see_other_with(&visitor, &path, &Notice::new("The settings are changed, from now on and everywhere.")))
        }
        Err(error) => {
            let field = if form.text("developers_get").is_empty() { "developers_get" } else { "second_factor" };
            show(&app, &visitor, &path, FormErrors::from_refusal(field, error)?).await
        }
    }
}

/// `POST /org/{organization}/leave`.
pub(in crate::web) async fn leave(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    let permit = permit(&app, &visitor, &path, OrganizationAction::Leave).await?;
    let name = &permit.organization().name;
    let own = &visitor.principal()?.account.name;
    let done = if form.text("leave") == name.as_str() {
        app.organizations.remove_member(&permit, own).await
    } else {
        Err(Error::Unprocessable(format!("Type {name} to leave the organization. Nothing was changed.").into()))
    };
    match done {
        Ok(removal) => {
            let keeps = match removal.kept_grants {
                0 => String::new(),
                kept => format!(" You keep {} given to you by name.", count(kept, "package")),
            };
            let notice = Notice::new(format!("You are no member of {name} any more.{keeps}"));
            Ok(see_other_with(&visitor, &format!("/org/{name}"), &notice))
        }
        Err(error) => show(&app, &visitor, &path, FormErrors::from_refusal("leave", error)?).await,
    }
}

/// `POST /org/{organization}/close`: for good, so it asks who somebody is, and for the name.
pub(in crate::web) async fn close(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    path: PathParameters,
    form: Form,
) -> PageResult {
    permit(&app, &visitor, &path, OrganizationAction::Close).await?;
    let visitor = visitor.require_confirmed(&app).await?;
    let permit = permit(&app, &visitor, &path, OrganizationAction::Close).await?;
    let name = &permit.organization().name;
    let done = if form.text("confirm") == name.as_str() {
        app.organizations.close(&permit).await
    } else {
        Err(Error::Unprocessable(format!("Type {name} to close the organization. Nothing was changed.").into()))
    };
    match done {
        Ok(()) => Ok(see_other_with(&visitor, "/", &Notice::new(format!("The organization {name} is closed.")))),
        Err(error) => show(&app, &visitor, &path, FormErrors::from_refusal("confirm", error)?).await,
    }
}
