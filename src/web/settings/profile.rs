//! `/settings`: what an account says of itself, and where its mail goes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Result;
use crate::mail::Way;
use crate::names::Email;
use crate::policy::{AccountAction, AccountPermit};
use crate::users::{Details, DetailsChange, Field};

use super::super::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};
use super::permit;

/// The fields as they are typed.
struct Fields {
    email: String,
    fullname: String,
    homepage: String,
    github: String,
    twitter: String,
}

impl From<Details> for Fields {
    fn from(details: Details) -> Self {
        Self {
            email: details.email,
            fullname: details.fullname.unwrap_or_default(),
            homepage: details.homepage.unwrap_or_default(),
            github: details.github.unwrap_or_default(),
            twitter: details.twitter.unwrap_or_default(),
        }
    }
}

impl From<&Form> for Fields {
    fn from(form: &Form) -> Self {
        let text = |name| form.text(name).to_owned();
        Self {
            email: text("email"),
            fullname: text("fullname"),
            homepage: text("homepage"),
            github: text("github"),
            twitter: text("twitter"),
        }
    }
}

#[derive(Template)]
#[template(path = "settings/profile.html")]
struct ProfilePage<'a> {
    visitor: &'a Visitor,
    fields: Fields,
    /// Whether the address waits for its reader to say that it is theirs.
    is_unproven: bool,
    errors: FormErrors,
}

/// `GET /settings`.
pub(in crate::web) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::See).await?;
    let details = app.users.details(permit.account().id).await?;
    let is_unproven = is_unproven(&app, &details);
    let errors = FormErrors::default();
    page(&visitor, StatusCode::OK, &ProfilePage { visitor: &visitor, fields: details.into(), is_unproven, errors })
}

/// `POST /settings`. Another mail address is another way into the account, so for it one shows again who one is.
pub(in crate::web) async fn change(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let own = permit(&app, &visitor, AccountAction::Change).await?;
    let fields = Fields::from(&form);
    let before = app.users.details(own.account().id).await?;
    if fields.email != before.email {
        visitor.require_confirmed(&app).await?;
    }
    let refused = match save(&app, &own, &fields, &before).await {
        Ok(()) => {
            let moved = fields.email != before.email && app.mail.way() != Way::Nowhere;
            let rest = if moved { " A link to confirm your new address is on its way to it." } else { "" };
            let notice = Notice::new(format!("Your profile is saved.{rest}"));
            return Ok(see_other_with(&visitor, "/settings", &notice));
        }
        Err(refused) => refused,
    };
    let errors = FormErrors::from_refusal(field_of(&fields), refused)?;
    let is_unproven = is_unproven(&app, &before);
    let template = ProfilePage { visitor: &visitor, fields, is_unproven, errors };
    page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &template)
}

/// Without mail nobody can be asked for a proof.
fn is_unproven(app: &App, details: &Details) -> bool {
    !details.email_verified && app.mail.way() != Way::Nowhere
}

async fn save(app: &App, permit: &AccountPermit, fields: &Fields, before: &Details) -> Result<()> {
    let email = (fields.email != before.email).then(|| fields.email.parse::<Email>()).transpose()?;
    let field = |text: &str| if text.is_empty() { Field::Empty } else { Field::Set(text.to_owned()) };
    let change = DetailsChange {
        email,
        fullname: field(&fields.fullname),
        homepage: field(&fields.homepage),
        github: field(&fields.github),
        twitter: field(&fields.twitter),
        freenode: Field::Keep,
    };
    app.recovery.change_details(permit, &change).await.map(drop)
}

/// The field that a refusal is about: rooms name it in their sentence, and this is where the sentence is shown.
fn field_of(fields: &Fields) -> &'static str {
    if fields.email.parse::<Email>().is_err() {
        return "email";
    }
    let homepage = &fields.homepage;
    let is_url = homepage.is_empty() || homepage.starts_with("https://") || homepage.starts_with("http://");
    if is_url { "fullname" } else { "homepage" }
}
