//! What a packument that came back may mean.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::names::AccountName;

use super::EditedPackument;

#[derive(Deserialize)]
struct Maintainer {
    name: String,
}

impl EditedPackument {
    /// The `_rev` that it was read at, where it says so.
    ///
    /// # Errors
    /// `Malformed` where that is not text.
    pub fn rev(&self) -> Result<Option<String>> {
        self.member("_rev")
    }

    /// Who shall be able to write, as names that are still to be parsed.
    ///
    /// # Errors
    /// `Malformed` where that is no list of people.
    pub fn maintainers(&self) -> Result<Option<Vec<String>>> {
        let people: Option<Vec<Maintainer>> = self.member("maintainers")?;
        Ok(people.map(|people| people.into_iter().map(|one| one.name).collect()))
    }

    /// Whether it says anything of stars.
    pub fn has_stars(&self) -> bool {
        self.document.get("users").is_some()
    }

    /// Whether `user` gave a star; what it says of others is nobody's business.
    ///
    /// # Errors
    /// `Malformed` where the stars are no map.
    pub fn is_starred_by(&self, user: &AccountName) -> Result<bool> {
        let Some(users) = self.document.get("users") else { return Ok(false) };
        let users: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(users.get()).map_err(|_| misshapen("users"))?;
        Ok(users.get(user.as_str()).is_some_and(|value| !matches!(value.get(), "false" | "null")))
    }

    fn member<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(value) = self.document.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| misshapen(name))
    }
}

fn misshapen(member: &str) -> Error {
    Error::Malformed(format!("The document's member \"{member}\" has another form than a packument's.").into())
}
