//! The cookies of the web face.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::tokens::SessionSecret;

use super::visitor::Theme;

/// What is shown once, on the next page.
pub(super) const NOTICE: &str = "sr-notice";

/// What is shown once and is a secret, sealed.
pub(super) const ONCE: &str = "sr-once";

/// How somebody wants to look at pages.
pub(super) const THEME: &str = "sr-theme";

const YEAR_SECONDS: u32 = 31_536_000;
const DAY_SECONDS: u32 = 86_400;

/// The cookies that a request came with.
pub(super) struct Cookies<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Cookies<'a> {
    /// Reads them; what cannot be read is none.
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        Self(texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('=')).collect())
    }

    /// One of them. Of two with one name the first counts: the one whose path is the longer.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// Over TLS the name itself has browsers refuse it from anybody but this host.
pub(super) fn session_name(public_url: &str) -> &'static str {
    if is_secure(public_url) { "__Host-sr" } else { "sr" }
}

/// The cookie that is a session, for so many days at most; the server ends it earlier.
pub(crate) fn session_cookie(public_url: &str, secret: &SessionSecret, days: u32) -> HeaderValue {
    cookie(public_url, session_name(public_url), &secret.expose(), days * DAY_SECONDS)
}

/// Takes the session's cookie away.
pub(crate) fn session_cookie_over(public_url: &str) -> HeaderValue {
    cookie(public_url, session_name(public_url), "", 0)
}

/// Notes how somebody wants to look at pages.
pub(crate) fn theme_cookie(public_url: &str, theme: Theme) -> HeaderValue {
    cookie(public_url, THEME, theme.as_str(), YEAR_SECONDS)
}

/// A notice for the next page; an empty one takes it away.
pub(super) fn notice_cookie(public_url: &str, text: &str) -> HeaderValue {
    cookie(public_url, NOTICE, text, if text.is_empty() { 0 } else { 300 })
}

/// A secret for the next page, sealed; an empty one takes it away.
pub(super) fn once_cookie(public_url: &str, text: &str) -> HeaderValue {
    cookie(public_url, ONCE, text, if text.is_empty() { 0 } else { 300 })
}

/// Every value that is given has only characters that a cookie takes.
fn cookie(public_url: &str, name: &str, value: &str, seconds: u32) -> HeaderValue {
    let secure = if is_secure(public_url) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
