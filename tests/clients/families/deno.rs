//! deno. It reads packages of npm's kind and publishes none.

use super::{Deed, Words, said};

/// Its rule against young packages, lifted.
const ANY_AGE: &str = "--minimum-dependency-age=0";

pub(super) fn words(deed: &Deed<'_>) -> Words {
    match *deed {
        Deed::Add(spec) => said(["add", ANY_AGE, &format!("npm:{spec}")]),
        Deed::InstallFrozen => said(["ci"]),
        Deed::Update => said(["update", ANY_AGE]),
        Deed::Outdated => said(["outdated", ANY_AGE]),
        Deed::Run { package, .. } => said(["x", "--yes", ANY_AGE, &format!("npm:{package}")]),
        Deed::Audit => said(["audit"]),
        _ => Words::Unknown,
    }
}
