//! What a request shows of who makes it: `authorization`, and what stands beside it for the second factor.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderName};

use crate::policy::Offer;
use crate::tokens::TokenSecret;

const NPM_OTP: HeaderName = HeaderName::from_static("npm-otp");
const NPM_AUTH_TYPE: HeaderName = HeaderName::from_static("npm-auth-type");
const NPM_COMMAND: HeaderName = HeaderName::from_static("npm-command");

/// The longest second factor there is: 64 digits, with blanks between them.
const MOST_CODE_BYTES: usize = 256;

/// Commands of npm that follow a challenge to a page.
const COMMANDS: [&str; 22] = [
    "access",
    "adduser",
    "deprecate",
    "dist-tag",
    "dist-tags",
    "hook",
    "login",
    "org",
    "owner",
    "profile",
    "publish",
    "set",
    "stage",
    "star",
    "stars",
    "team",
    "token",
    "trust",
    "undeprecate",
    "unpublish",
    "unstar",
    "logout",
];

/// What `authorization` says.
pub(super) enum Credential {
    None,
    Unreadable,
    Token(String),
    /// A name and a password, as old clients send them with every request.
    Password {
        name: String,
        password: String,
    },
}

/// Reads `authorization`. `Bearer` carries a token; `Basic` carries one in the place of the password, or a password. The
/// scheme's case and surrounding blanks do not matter (`protocol.md` 1.4).
pub(super) fn credential(headers: &HeaderMap) -> Credential {
    let mut values = headers.get_all(AUTHORIZATION).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(AUTHORIZATION) { Credential::Unreadable } else { Credential::None };
    };
    let Ok(text) = value.to_str() else { return Credential::Unreadable };
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Credential::Token(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return basic(rest).unwrap_or(Credential::Unreadable);
    }
    Credential::Unreadable
}

fn basic(encoded: &str) -> Option<Credential> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    // The first colon splits: passwords may hold more of them.
    let (name, password) = decoded.split_once(':')?;
    Some(if TokenSecret::parse(password).is_some() {
        Credential::Token(password.to_owned())
    } else {
        Credential::Password { name: name.to_owned(), password: password.to_owned() }
    })
}

/// Reads what the request offers as a second factor. A page is an offer to clients that say that they can wait for one.
pub(super) fn offer(headers: &HeaderMap) -> Offer {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let code = text(&NPM_OTP).filter(|code| !code.is_empty() && code.len() <= MOST_CODE_BYTES);
    let follows_pages = text(&NPM_AUTH_TYPE).is_some_and(|kind| kind.eq_ignore_ascii_case("web"));
    let is_known = || {
        text(&NPM_COMMAND).map_or_else(
            || text(&USER_AGENT).is_some_and(|agent| agent.starts_with("pnpm/")),
            |command| COMMANDS.contains(&command),
        )
    };
    Offer { code: code.map(Into::into), web: follows_pages && is_known() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn read(value: &str) -> String {
        match credential(&headers(&[("authorization", value)])) {
            Credential::None => "none".into(),
            Credential::Unreadable => "unreadable".into(),
            Credential::Token(text) => format!("token {text}"),
            Credential::Password { name, password } => format!("{name} with {password}"),
        }
    }

    #[test]
    fn bearer_carries_a_token_and_basic_a_token_or_a_password() {
        assert_eq!(read("Bearer npm_x"), "token npm_x");
        assert_eq!(read("bearer   npm_x "), "token npm_x");
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(read(&basic("alice:pass:word")), "alice with pass:word");
        let token = TokenSecret::random().unwrap();
        assert_eq!(read(&basic(&format!("alice:{}", token.expose()))), format!("token {}", token.expose()));
        for text in ["Basic !!", "Basic YWxpY2U=", "Digest x"] {
            assert_eq!(read(text), "unreadable", "{text}");
        }
    }

    #[test]
    fn a_page_is_for_clients_that_can_wait_for_it() {
        let web = ("npm-auth-type", "web");
        assert!(offer(&headers(&[web, ("npm-command", "publish")])).web);
        assert!(offer(&headers(&[web, ("user-agent", "pnpm/11.0.0 npm/? node/v22")])).web);
        assert!(!offer(&headers(&[web, ("npm-command", "install")])).web);
        assert!(!offer(&headers(&[web])).web);
        assert!(!offer(&headers(&[("npm-auth-type", "legacy"), ("npm-command", "publish")])).web);
    }

    #[test]
    fn a_code_is_offered_as_it_was_typed() {
        assert_eq!(offer(&headers(&[("npm-otp", " 123456 ")])).code.as_deref(), Some("123456"));
        assert_eq!(offer(&headers(&[("npm-otp", "")])).code, None);
        assert_eq!(offer(&headers(&[("npm-otp", &"1".repeat(257))])).code, None);
    }
}
