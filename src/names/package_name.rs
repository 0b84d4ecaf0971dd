use std::str::FromStr;
use std::sync::Arc;

use super::AccountName;
use super::text::{InvalidName, text_newtype};

/// npm's limit on a whole name: scope, `@` and `/` included.
const MAX_BYTES: usize = 214;

/// The owner part of a package name: `@alice` is owned by the account `alice`.
pub type Scope = AccountName;

/// The name of a hosted package: always scoped, `@scope/name`, at most 214 bytes.
///
/// Obeys npm's `validate-npm-package-name` for *new* packages (`protocol.md` 9): lower case, URL-safe, the name part
/// starting with a letter or digit. There are no older names to put up with, since nothing unscoped and nothing
/// mixed-case is ever hosted (`domain.md`, "Names"). Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName(Arc<str>);

text_newtype!(PackageName);

impl PackageName {
    /// The scope without its `@`.
    pub fn scope(&self) -> Scope {
        AccountName::from_str(self.parts().0).expect("a parsed package name has a valid scope")
    }

    /// The part after the slash.
    pub fn unscoped(&self) -> &str {
        self.parts().1
    }

    /// The name as one path segment, the way every client writes it: `@scope%2fname`.
    pub fn escaped(&self) -> String {
        let (scope, name) = self.parts();
        format!("@{scope}%2f{name}")
    }

    fn parts(&self) -> (&str, &str) {
        self.0[1..].split_once('/').expect("a parsed package name has a slash")
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let Some((scope, name)) = text.strip_prefix('@').and_then(|rest| rest.split_once('/')) else {
            return Err(InvalidName::new(
                "This registry hosts scoped packages only. Rename it to @your-account/name in package.json.",
            ));
        };
        if text.len() > MAX_BYTES {
            return Err(rule(text, "has more than 214 characters"));
        }
        AccountName::check(scope).map_err(|_| rule(text, "has a scope that no account can have"))?;
        check_name_part(text, name)?;
        Ok(Self(text.into()))
    }
}

fn check_name_part(text: &str, name: &str) -> Result<(), InvalidName> {
    if !name.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit()) {
        return Err(rule(text, "must start with a lower-case letter or a digit after the scope"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)) {
        return Err(rule(text, "may hold only lower-case letters, digits, hyphens, dots and underscores"));
    }
    if matches!(name, "node_modules" | "favicon.ico") {
        return Err(rule(text, "ends in a word that npm reserves"));
    }
    Ok(())
}

fn rule(text: &str, sentence: &str) -> InvalidName {
    let shown: String = text.chars().filter(|one| !one.is_control()).take(80).collect();
    InvalidName::new(format!("Not a valid name for a new package: \"{shown}\" {sentence}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scoped_name_comes_apart() {
        let name: PackageName = "@alice/vault-client".parse().unwrap();
        assert_eq!(name.scope().as_str(), "alice");
        assert_eq!(name.unscoped(), "vault-client");
        assert_eq!(name.escaped(), "@alice%2fvault-client");
    }

    #[test]
    fn names_outside_npms_rules_are_refused() {
        for name in [
            "lodash",
            "@alice",
            "@/x",
            "@alice/",
            "@alice/.x",
            "@alice/_x",
            "@alice/-x",
            "@Alice/x",
            "@alice/X",
            "@alice/x/y",
            "@alice/x y",
            "@alice/ä",
            "@alice/x\0",
            "@alice/node_modules",
            "@al%2fice/x",
            "@alice/x~",
        ] {
            assert!(name.parse::<PackageName>().is_err(), "{name:?}");
        }
        assert!(format!("@a/{}", "x".repeat(212)).parse::<PackageName>().is_err());
        assert!(format!("@a/{}", "x".repeat(211)).parse::<PackageName>().is_ok());
    }

    #[test]
    fn core_modules_may_be_used_behind_a_scope() {
        assert!("@alice/http".parse::<PackageName>().is_ok());
    }

    #[test]
    fn an_unscoped_name_is_told_what_to_do() {
        let sentence = "lodash".parse::<PackageName>().unwrap_err().to_string();
        assert!(sentence.contains("@your-account/name"), "{sentence}");
    }
}
