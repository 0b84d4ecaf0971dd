use std::str::FromStr;

use super::text::{InvalidName, text_newtype};
use super::{AccountName, PackageName};

/// What a token was narrowed to: one package (`@acme/one`), or the packages of a scope (`@acme/*`, or `@acme`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PackagePattern(Box<str>);

text_newtype!(PackagePattern);

impl PackagePattern {
    /// Tells whether a package is one of those that the pattern names.
    pub fn covers(&self, package: &PackageName) -> bool {
        match self.0.strip_suffix('*') {
            Some(scope_and_slash) => package.as_str().starts_with(scope_and_slash),
            None => package.as_str() == &*self.0,
        }
    }
}

impl PackagePattern {
    /// Tells whether it names every package of a scope.
    pub fn covers_scope(&self, scope: &AccountName) -> bool {
        self.0.strip_prefix('@').and_then(|rest| rest.strip_suffix("/*")) == Some(scope.as_str())
    }
}

impl FromStr for PackagePattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let scope = text.strip_suffix("/*").unwrap_or(text);
        if let Some(account) = scope.strip_prefix('@')
            && account.parse::<AccountName>().is_ok()
        {
            return Ok(Self(format!("{scope}/*").into()));
        }
        match text.parse::<PackageName>() {
            Ok(name) => Ok(Self(name.as_str().into())),
            Err(_) => Err(InvalidName::new("Not a package pattern. Give a package (@acme/one) or a scope (@acme/*).")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, package: &str) -> bool {
        pattern.parse::<PackagePattern>().unwrap().covers(&package.parse().unwrap())
    }

    #[test]
    fn a_pattern_covers_a_package_or_a_scope_and_nothing_beside() {
        assert!(covers("@acme/one", "@acme/one"));
        assert!(!covers("@acme/one", "@acme/one-more"));
        assert!(covers("@acme/*", "@acme/one") && covers("@acme", "@acme/one"));
        assert!(!covers("@acme/*", "@acme-evil/one"));
    }

    #[test]
    fn patterns_that_would_cover_everything_are_refused() {
        for text in ["*", "", "@*", "@*/x", "lodash", "@acme/o*"] {
            assert!(text.parse::<PackagePattern>().is_err(), "{text:?}");
        }
    }
}
