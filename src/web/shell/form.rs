//! What a form sends, and who may have sent it (`security.md` 4.2).

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::error::{Error, Result};
use crate::http::Query;
use crate::names::AccountName;

use super::confirm::{CODE_FIELD, KEY_FIELD, PASSWORD_FIELD};
use super::problem::Problem;
use super::visitor::Visitor;

/// The name of the hidden field with the session's code.
pub(super) const CODE: &str = "_form";

/// The fields of a form that came from a page of ours.
#[derive(Clone)]
pub(crate) struct Form(Arc<Vec<(String, String)>>);

impl fmt::Debug for Form {
    /// The names of its fields: any of the values may be a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Form {
    /// Takes the fields apart from those that are the shell's own.
    pub(super) fn of(query: &Query) -> Self {
        let own = [CODE, PASSWORD_FIELD, CODE_FIELD, KEY_FIELD];
        let fields = query.pairs().filter(|(name, _)| !own.contains(name));
        Self::of_fields(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A form of these fields.
    pub(super) fn of_fields(fields: Vec<(String, String)>) -> Self {
        Self(Arc::new(fields))
    }

    /// A field without the blanks around it; empty where it was not given.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed; empty where it was not given.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether a box is ticked or a button was pressed.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// The account that a field names, as people write names: with what stands before it elsewhere, and in capitals.
    ///
    /// # Errors
    /// Where no account can be called so.
    pub(crate) fn account(&self, field: &str) -> Result<AccountName> {
        Ok(self.text(field).trim_start_matches(['@', '~']).to_lowercase().parse()?)
    }

    /// Everything that was sent, secrets too: no page shows this ([`super::kept`]).
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}

/// What was typed into a form that is shown again; nothing, where nobody has sent one yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Typed<'a>(Option<&'a Form>);

impl<'a> Typed<'a> {
    /// What was typed into a field.
    pub(crate) fn text(self, field: &str) -> &'a str {
        self.0.map_or("", |form| form.text(field))
    }
}

impl<'a> From<&'a Form> for Typed<'a> {
    fn from(form: &'a Form) -> Self {
        Self(Some(form))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Form {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let form = parts.extensions.get::<Self>().cloned();
        form.ok_or_else(|| Error::internal("a form without a frame").into())
    }
}

/// Whether a browser says that the form came from this origin; who says nothing at all is no browser of today.
pub(super) fn require_same_origin(headers: &HeaderMap, public_url: &str) -> Result<()> {
    let text = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let same = match (text("sec-fetch-site"), text(ORIGIN.as_str())) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => origin == origin_of(public_url).as_bytes(),
        (None, None) => false,
    };
    if same { Ok(()) } else { Err(foreign()) }
}

/// Whether the form carries the code of the visitor's session.
pub(super) fn require_code(visitor: &Visitor, query: &Query) -> Result<()> {
    if visitor.gave_form(query.get(CODE).unwrap_or_default()) { Ok(()) } else { Err(foreign()) }
}

fn foreign() -> Error {
    Error::Forbidden("This form did not come from a page of yours here. Go back, load the page again, send it.".into())
}

fn origin_of(public_url: &str) -> &str {
    let host = public_url.find("://").map_or(0, |at| at + 3);
    let end = public_url[host..].find('/').map_or(public_url.len(), |at| host + at);
    &public_url[..end]
}

/// What is wrong with a form, field by field; shown above it and beside the fields (`ux.md` 4).
#[derive(Debug, Default)]
pub(crate) struct FormErrors(pub(crate) Vec<(&'static str, String)>);

impl FormErrors {
    /// One thing wrong with one field.
    pub(crate) fn one(field: &'static str, sentence: impl Into<String>) -> Self {
        Self(vec![(field, sentence.into())])
    }

    /// What a room says against a form that can be mended: any refusal that is about what was typed. Everything else goes
    /// on as the problem that it is.
    pub(crate) fn from_refusal(field: &'static str, error: Error) -> Result<Self, Problem> {
        match error {
            Error::Malformed(_)
            | Error::Unprocessable(_)
            | Error::Conflict(_)
            | Error::NotFound(_)
            | Error::PaymentRequired { .. }
            | Error::WrongPassword
            | Error::WrongSecondFactor
            | Error::TooManyRequests { .. } => Ok(Self::one(field, error.to_string())),
            other => Err(other.into()),
        }
    }

    /// Notes one more.
    pub(crate) fn add(&mut self, field: &'static str, sentence: impl Into<String>) {
        self.0.push((field, sentence.into()));
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The status of a page that shows a form with these.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, sentence)| sentence.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_was_typed_is_never_printed() {
        let form = Form::of_fields(vec![("password".into(), "hunter2 hunter2".into())]);
        assert_eq!(format!("{form:?}"), r#"{"password"}"#);
    }

    #[test]
    fn only_a_page_of_this_origin_sends_forms() {
        let url = "https://registry.test/npm";
        let allowed = |pairs: &[(&'static str, &'static str)]| require_same_origin(&headers(pairs), url).is_ok();
        assert!(allowed(&[("sec-fetch-site", "same-origin")]));
        assert!(allowed(&[("origin", "https://registry.test")]));
        assert!(!allowed(&[]));
        assert!(!allowed(&[("sec-fetch-site", "same-site"), ("origin", "https://registry.test")]));
        assert!(!allowed(&[("sec-fetch-site", "none")]));
        assert!(!allowed(&[("origin", "https://registry.test.evil.test")]));
        assert!(!allowed(&[("origin", "null")]));
    }
}
