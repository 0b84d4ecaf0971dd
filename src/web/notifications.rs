//! `/settings/notifications`: of what one is told by mail, and proving where that goes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::mail::Way;
use crate::notices::Topic;
use crate::policy::AccountAction;

use super::shell::{Form, Notice, PageResult, Visitor, page, see_other_with};

const PATH: &str = "/settings/notifications";

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage<'a> {
    visitor: &'a Visitor,
    email: String,
    email_verified: bool,
    sends_mail: bool,
    wishes: Vec<Wish>,
}

/// A box to tick.
struct Wish {
    name: &'static str,
    words: &'static str,
    is_wanted: bool,
}

fn words(topic: Topic) -> &'static str {
    match topic {
        Topic::Login => "a terminal is logged in as you",
        Topic::Access => {
            "you are given access to a package, let into an organization or reminded of a plan that is missing, somebody \
             accepts your invitation, or somebody else can now publish a package that you administer"
        }
        Topic::Publish => "somebody else publishes a package that you can publish",
    }
}

/// `GET /settings/notifications`.
pub(super) async fn show(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    visitor.principal()?;
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
    let details = app.users.details(permit.account().id).await?;
    let wishes = app.notices.wishes(&permit).await?;
    let wish = |(topic, is_wanted): (Topic, bool)| Wish { name: topic.as_str(), words: words(topic), is_wanted };
    let template = NotificationsPage {
        visitor: &visitor,
        email: details.email,
        email_verified: details.email_verified,
        sends_mail: app.mail.way() != Way::Nowhere,
        wishes: wishes.into_iter().map(wish).collect(),
    };
    page(&visitor, StatusCode::OK, &template)
}

/// `POST /settings/notifications`: keeps the wishes, or sends a link by which the address is proven.
pub(super) async fn change(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    visitor.principal()?;
    let permit = app.second_factor.permit(visitor.actor(), AccountAction::Follow).await?;
    if form.has("prove") {
        app.recovery.ask_for_proof(permit.account().id).await?;
        return Ok(see_other_with(&visitor, PATH, &Notice::new("A link is on its way to your mail address.")));
    }
    let wanted: Vec<Topic> = Topic::ALL.into_iter().filter(|topic| form.has(topic.as_str())).collect();
    app.notices.set_wishes(&permit, &wanted).await?;
    Ok(see_other_with(&visitor, PATH, &Notice::new("Kept.")))
}
