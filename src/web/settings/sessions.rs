//! Ending sessions of the web.

use std::sync::Arc;

use axum::extract::State;

use crate::app::App;
use crate::policy::AccountAction;

use super::super::shell::{Form, Notice, PageResult, Visitor, see_other_with};
use super::permit;
use super::security::PLACE;

/// `POST /settings/security/sessions`: one, or all but this one.
pub(in crate::web) async fn end(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let permit = permit(&app, &visitor, AccountAction::EndToken).await?;
    if form.has("others") {
        let ended = app.tokens.end_other_sessions(&permit).await?;
        let sentence = match ended {
            0 => "There was no other session.".to_owned(),
            1 => "The other session has ended.".to_owned(),
            many => format!("{many} other sessions have ended."),
        };
        return Ok(see_other_with(&visitor, PLACE, &Notice::new(sentence)));
    }
    app.tokens.end_session_named(&permit, form.text("session")).await?;
    Ok(see_other_with(&visitor, PLACE, &Notice::new("The session has ended.")))
}
