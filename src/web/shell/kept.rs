//! The form that the question who somebody is stands in for, kept until they have answered.
//!
//! All of its fields go into the page and come back as one text that only this instance can read. So whatever was typed,
//! a password or a hook's secret like everything else, need not be typed twice and stands in no page: there is no list of
//! fields that are secret, which a new form could be forgotten on. The text is of use in the session, and for the address,
//! that it was made for, and nowhere else; it holds as long as the session, since nobody is hurried who looks for their
//! phone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::error::{Error, Result};
use crate::http::Query;

use super::form::Form;
use super::problem::Problem;
use super::visitor::Visitor;

/// The field with the form.
pub(super) const KEPT_FIELD: &str = "_kept";

fn context(visitor: &Visitor) -> Result<String, Problem> {
    Ok(format!("form kept for {} at {}", visitor.principal()?.token, visitor.place))
}

/// The form as the page carries it.
pub(super) fn keep(app: &App, visitor: &Visitor, form: &Form) -> Result<String, Problem> {
    let fields = serde_json::to_vec(form.fields()).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(app.vault.seal(&context(visitor)?, &fields)?))
}

/// The form that was sent: the kept one where the page carried one, else what was typed.
pub(super) fn read(app: &App, visitor: &Visitor, query: &Query) -> Result<Form, Problem> {
    let Some(kept) = query.get(KEPT_FIELD) else { return Ok(Form::of(query)) };
    let context = context(visitor)?;
    let sealed = URL_SAFE_NO_PAD.decode(kept).ok();
    let opened = sealed.and_then(|sealed| app.vault.open(&context, &sealed).ok());
    let fields = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    fields.map(Form::of_fields).ok_or_else(|| {
        let sentence = "What you had filled in is gone: it was kept for another session, or another page. Nothing was \
                        changed. Go back and fill it in again.";
        Error::Unprocessable(sentence.into()).into()
    })
}
