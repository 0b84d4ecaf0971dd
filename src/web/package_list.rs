//! Lists of packages, as several pages show them.

use std::collections::HashMap;

use crate::access::Share;
use crate::app::App;
use crate::error::Result;
use crate::names::{PackageId, PackageName};
use crate::policy::{AccountAction, PackageFacts, Permission, Visibility};
use crate::search::Latest;

use super::shell::{Moment, Visitor};

/// A package in a list.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) name: PackageName,
    pub(super) visibility: Visibility,
    pub(super) permission: Option<Permission>,
    pub(super) latest: Option<LatestLine>,
    /// Who shared it, in words.
    pub(super) given: String,
}

#[derive(Clone)]
pub(super) struct LatestLine {
    pub(super) version: String,
    pub(super) publisher: String,
    pub(super) moment: Moment,
    pub(super) deprecated: bool,
}

/// Packages that were found to be the visitor's to see, as lists show them.
pub(super) async fn lines(app: &App, visitor: &Visitor, listed: Vec<PackageFacts>) -> Result<Vec<Line>> {
    let ids: Vec<PackageId> = listed.iter().filter_map(|facts| Some(facts.package.as_ref()?.id)).collect();
    let latest = app.search.latest_of(&ids).await?;
    let mut latest: HashMap<_, _> = latest.into_iter().map(|latest| (latest.package, latest)).collect();
    let mut shares: HashMap<PackageId, Share> = HashMap::new();
    if visitor.account().is_some() {
        let permit = app.second_factor.permit(visitor.actor(), AccountAction::See).await?;
        for share in app.access.list_shares(&permit).await? {
            shares.entry(share.package).or_insert(share);
        }
    }
    let line = |facts: PackageFacts| {
        let package = facts.package.as_deref()?;
        Some(Line {
            visibility: package.visibility,
            permission: visitor.account().and_then(|account| facts.permission_of(account.id, visitor.now)),
            latest: latest.remove(&package.id).map(|latest| LatestLine::of(visitor, latest)),
            given: shares.remove(&package.id).map(given).unwrap_or_default(),
            name: facts.name,
        })
    };
    Ok(listed.into_iter().filter_map(line).collect())
}

impl LatestLine {
    fn of(visitor: &Visitor, latest: Latest) -> Self {
        Self {
            moment: visitor.moment(latest.published_at),
            version: latest.version,
            publisher: latest.publisher,
            deprecated: latest.deprecated,
        }
    }
}

fn given(share: Share) -> String {
    match (share.team, share.by) {
        (Some(team), _) => format!("via team {team}"),
        (None, Some(by)) => format!("shared by {by}"),
        (None, None) => "shared by the operator".to_owned(),
    }
}
