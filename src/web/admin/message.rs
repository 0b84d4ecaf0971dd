//! `/admin/message`: a sentence on every page.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use chrono::NaiveDateTime;
use http::StatusCode;

use crate::app::App;
use crate::error::{Error, Result};
use crate::instance::Banner;
use crate::policy::InstanceAction;
use crate::web::shell::{Form, FormErrors, Notice, PageResult, Visitor, page, see_other_with};

use super::{TABS, administrator};

#[derive(Template)]
#[template(path = "admin/message.html")]
struct MessagePage<'a> {
    visitor: &'a Visitor,
    tab: &'static str,
    sentence: String,
    until: String,
    urgent: bool,
    is_shown: bool,
    errors: FormErrors,
}

/// `GET /admin/message`.
pub(in crate::web) async fn message(State(app): State<Arc<App>>, visitor: Visitor) -> PageResult {
    let (visitor, _) = administrator(&app, &visitor, InstanceAction::See).await?;
    let banner = app.instance.banner().await;
    let template = MessagePage {
        visitor: &visitor,
        tab: "/message",
        sentence: banner.as_ref().map(|banner| banner.sentence.clone()).unwrap_or_default(),
        until: banner
            .as_ref()
            .and_then(|banner| banner.until)
            .map(|end| end.format(MINUTE).to_string())
            .unwrap_or_default(),
        urgent: banner.as_ref().is_some_and(|banner| banner.urgent),
        is_shown: banner.is_some(),
        errors: FormErrors::default(),
    };
    page(&visitor, StatusCode::OK, &template)
}

/// As browsers' fields for a moment have it.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

/// `POST /admin/message`: says it, or takes it away.
pub(in crate::web) async fn say(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (visitor, permit) = administrator(&app, &visitor, InstanceAction::Announce).await?;
    let takes_away = form.has("clear");
    let done: Result<()> = async {
        let banner = if takes_away { None } else { Some(banner_of(&form)?) };
        app.instance.announce(&permit, banner.as_ref()).await
    }
    .await;
    match done {
        Ok(()) => {
            let sentence = if takes_away { "The message is gone from every page." } else { "Every page says it now." };
            Ok(see_other_with(&visitor, "/admin/message", &Notice::new(sentence)))
        }
        Err(error) => {
            let template = MessagePage {
                visitor: &visitor,
                tab: "/message",
                sentence: form.text("sentence").to_owned(),
                until: form.text("until").to_owned(),
                urgent: form.has("urgent"),
                is_shown: app.instance.banner().await.is_some(),
                errors: FormErrors::from_refusal("sentence", error)?,
            };
            page(&visitor, StatusCode::UNPROCESSABLE_ENTITY, &template)
        }
    }
}

fn banner_of(form: &Form) -> Result<Banner> {
    let until = form.text("until");
    let until = match until {
        "" => None,
        text => Some(NaiveDateTime::parse_from_str(text, MINUTE).map_err(|_| {
            Error::Unprocessable("The end is a moment such as 2027-01-31T18:00, in UTC, or nothing.".into())
        })?),
    };
    Ok(Banner {
        sentence: form.text("sentence").to_owned(),
        urgent: form.has("urgent"),
        until: until.map(|until| until.and_utc()),
    })
}
