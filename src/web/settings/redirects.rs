//! Addresses that people know from npm's own site, where the name of the account stands in the path.

use crate::error::{Error, Result};
use crate::http::PathParameters;
use crate::names::AccountName;

use super::super::shell::{PageResult, Visitor, see_other};

/// `GET /settings/NAME/PAGE`.
pub(in crate::web) async fn named(visitor: Visitor, path: PathParameters) -> PageResult {
    let name: AccountName = path.get("name").parse().map_err(|_| nothing())?;
    let place = place_of(&visitor, &name, path.get("page"))?;
    Ok(see_other(&visitor, &place))
}

/// `GET /settings/NAME/tokens/…`: making one, of whichever kind.
pub(in crate::web) async fn new_token(visitor: Visitor) -> PageResult {
    Ok(see_other(&visitor, "/settings/tokens/new"))
}

fn place_of(visitor: &Visitor, name: &AccountName, page: &str) -> Result<String> {
    let own = visitor.is(name.as_str());
    Ok(match page {
        "profile" => "/settings".into(),
        "tokens" => "/settings/tokens".into(),
        "tfa" | "security" | "passwords" => "/settings/security".into(),
        "packages" if own => format!("/~{name}"),
        "packages" => format!("/org/{name}"),
        "billing" if own => "/settings/billing".into(),
        "billing" | "members" | "teams" => format!("/org/{name}/{page}"),
        _ => return Err(nothing()),
    })
}

fn nothing() -> Error {
    Error::NotFound("There is no such page.".into())
}
