use std::str::FromStr;

use super::text::{InvalidName, text_newtype};

/// Longest account name in bytes: `@name/x` still fits a package name of 214.
const MAX_BYTES: usize = 128;

/// Names that routes, pages or npm itself use; nobody may register them (`domain.md`, "Names").
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "all",
    "api",
    "auth",
    "billing",
    "docs",
    "downloads",
    "favicon.ico",
    "forgot",
    "help",
    "hooks",
    "invite",
    "login",
    "logout",
    "me",
    "new",
    "node",
    "node_modules",
    "npm",
    "org",
    "orgs",
    "owner",
    "package",
    "packages",
    "registry",
    "revoke",
    "robots.txt",
    "root",
    "search",
    "security",
    "settings",
    "setup",
    "signup",
    "static",
    "status",
    "strongroom",
    "support",
    "system",
    "team",
    "teams",
    "token",
    "tokens",
    "undefined",
    "null",
    "user",
    "users",
    "www",
];

/// The name of a user or an organization, and so of the scope it owns.
///
/// Lower-case ASCII: a letter or digit, then letters, digits, `-`, `_` or `.` (`security.md` 1.3, npm's
/// `npm-user-validate`). Two names never differ only by case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName(Box<str>);

text_newtype!(AccountName);

impl AccountName {
    /// Parses a name that someone wants to register: valid, and not one of the reserved ones.
    ///
    /// # Errors
    /// [`InvalidName`] with the rule that was broken.
    pub fn for_registration(text: &str) -> Result<Self, InvalidName> {
        let name: Self = text.parse()?;
        if RESERVED.contains(&name.as_str()) {
            return Err(InvalidName::new(format!("The name \"{name}\" is reserved. Choose another one.")));
        }
        Ok(name)
    }

    /// Holds text against the rules.
    pub(super) fn check(text: &str) -> Result<(), InvalidName> {
        let rule = |sentence: &str| InvalidName::new(format!("Not a valid account name: it {sentence}."));
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(rule("must have 1 to 128 characters"));
        }
        if !text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit()) {
            return Err(rule("must start with a lower-case letter or a digit"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)) {
            return Err(rule("may hold only lower-case letters, digits, hyphens, dots and underscores"));
        }
        if text.contains("..") {
            return Err(rule("may not hold two dots in a row"));
        }
        Ok(())
    }
}

impl FromStr for AccountName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_npm_accepts_are_accepted() {
        for name in ["alice", "a", "0day", "team-x", "first.last", "a_b"] {
            assert_eq!(name.parse::<AccountName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_could_be_mistaken_are_refused() {
        for name in ["", "Alice", "-a", ".a", "_a", "a b", "a/b", "a'b", "ä", "a..b", "a\0"] {
            assert!(name.parse::<AccountName>().is_err(), "{name:?}");
        }
        assert!("a".repeat(129).parse::<AccountName>().is_err());
    }

    #[test]
    fn reserved_names_cannot_be_registered_but_can_be_named() {
        assert!("login".parse::<AccountName>().is_ok());
        assert!(AccountName::for_registration("login").is_err());
        assert!(AccountName::for_registration("logan").is_ok());
    }
}
