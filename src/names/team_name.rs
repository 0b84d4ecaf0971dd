use std::str::FromStr;

use super::AccountName;
use super::text::{InvalidName, text_newtype};

/// The name of a team inside its organization: the letters of an account name (`protocol.md` 6.7).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TeamName(Box<str>);

text_newtype!(TeamName);

impl TeamName {
    /// The team that every organization has and every member is in.
    pub const DEVELOPERS: &str = "developers";

    /// Whether it is the team that holds every member, and so cannot be changed by hand.
    pub fn is_developers(&self) -> bool {
        &*self.0 == Self::DEVELOPERS
    }
}

impl FromStr for TeamName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        AccountName::check(text).map_err(|_| {
            InvalidName::new("Not a valid team name: use lower-case letters, digits, hyphens and dots.")
        })?;
        Ok(Self(text.into()))
    }
}
