use std::str::FromStr;

use super::text::{InvalidName, text_newtype};

/// A mail address: one `@` with text on both sides, no blanks or control characters, at most 254 bytes (RFC 5321).
///
/// Whether mail arrives there is found out by sending some, not by grammar.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(Box<str>);

text_newtype!(Email);

impl FromStr for Email {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts_are_there = text
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'));
        let characters_are_plain =
            text.chars().all(|one| !one.is_whitespace() && !one.is_control() && !"<>\"(),:;\\[]".contains(one));
        if parts_are_there && characters_are_plain && text.len() <= 254 {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName::new("Not a mail address. Give one like ada@example.com."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_sign_and_no_tricks() {
        assert!("ada@example.com".parse::<Email>().is_ok());
        for text in ["", "ada", "@x", "a@", "a@b@c", "a b@c", "a@b\n", "<a@b>"] {
            assert!(text.parse::<Email>().is_err(), "{text:?}");
        }
    }
}
