//! `/revoke`: whoever holds a token can end it, with or without an account. For what leaked.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::error::Result;
use crate::tokens::{ListedToken, TokenSecret};

use super::super::shell::{Form, FormErrors, PageResult, Visitor, page};
use super::words;

/// How many tokens are looked for in what was pasted.
const MOST: usize = 20;

#[derive(Template)]
#[template(path = "settings/revoke.html")]
struct RevokePage<'a> {
    visitor: &'a Visitor,
    /// What came of it, once something was pasted.
    ended: Option<Vec<Ended>>,
    errors: FormErrors,
}

/// A token that worked until now.
struct Ended {
    token: ListedToken,
    may: String,
    from_where: String,
}

impl From<ListedToken> for Ended {
    fn from(token: ListedToken) -> Self {
        Self { may: words::may(&token.narrowing), from_where: words::from_where(&token.narrowing), token }
    }
}

/// `GET /revoke`.
pub(in crate::web) async fn show(visitor: Visitor) -> PageResult {
    page(&visitor, StatusCode::OK, &RevokePage { visitor: &visitor, ended: None, errors: FormErrors::default() })
}

/// `POST /revoke`. Of a token that worked its holder is told what it was good for; of any other text nothing at all, so
/// that nobody learns here which tokens there were. The answer is no redirect: it stands nowhere, and a second one would
/// say less.
pub(in crate::web) async fn revoke(State(app): State<Arc<App>>, visitor: Visitor, form: Form) -> PageResult {
    let (ended, errors) = match end_all(&app, &visitor, form.raw("token")).await {
        Ok(ended) => (Some(ended), FormErrors::default()),
        Err(refused) => (None, FormErrors::from_refusal("token", refused)?),
    };
    let status = errors.status();
    page(&visitor, status, &RevokePage { visitor: &visitor, ended, errors })
}

async fn end_all(app: &App, visitor: &Visitor, pasted: &str) -> Result<Vec<Ended>> {
    app.throttle.attempt_from(visitor.address)?;
    let mut ended = Vec::new();
    for secret in secrets_in(pasted) {
        ended.extend(app.tokens.revoke_leaked(&secret, visitor.address).await?.map(Ended::from));
    }
    Ok(ended)
}

/// The tokens in a text: one alone, or in a line of an `.npmrc`, a log, a file.
fn secrets_in(text: &str) -> Vec<TokenSecret> {
    let words: BTreeSet<&str> = text.split(|one: char| !one.is_ascii_alphanumeric() && one != '_').collect();
    words.into_iter().filter_map(TokenSecret::parse).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_whatever_was_pasted() {
        let secret = TokenSecret::random().unwrap();
        let text = secret.expose();
        for pasted in [
            text.to_owned(),
            format!(" {text}\n"),
            format!("//host/:_authToken={text}\n{text}"),
            format!("\"{text}\","),
        ] {
            assert_eq!(secrets_in(&pasted).len(), 1, "{pasted}");
        }
        assert!(secrets_in("npm_nothing and more").is_empty());
    }
}
