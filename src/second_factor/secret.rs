//! The code that a terminal gets once its page was used: a secret of a URL that people could not have typed.

use crate::names::UrlSecret;

/// Tells a terminal's code from what people type.
const PREFIX: &str = "web_";

/// A secret as the terminal shows it.
pub(super) fn expose_as_code(secret: &UrlSecret) -> String {
    format!("{PREFIX}{}", secret.expose())
}

/// Reads what a terminal got from [`expose_as_code`].
pub(super) fn parse_code(text: &str) -> Option<UrlSecret> {
    UrlSecret::parse(text.trim().strip_prefix(PREFIX)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_not_a_secret_of_a_page() {
        let secret = UrlSecret::random().unwrap();
        assert_eq!(parse_code(&expose_as_code(&secret)).unwrap().digest(), secret.digest());
        assert!(UrlSecret::parse(&expose_as_code(&secret)).is_none());
        assert!(parse_code(&secret.expose()).is_none());
    }
}
