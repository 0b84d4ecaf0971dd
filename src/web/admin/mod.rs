//! The pages of who administers the instance: accounts, plans, names and sizes of packages, how everything goes.
//!
//! Each of them asks again who somebody is, and tells everybody else that there is no such page. None of them shows what is
//! in a package.

pub(super) mod accounts;
pub(super) mod audit_log;
pub(super) mod health;
pub(super) mod inventory;
pub(super) mod invitations;
pub(super) mod jobs;
pub(super) mod message;
pub(super) mod overview;
pub(super) mod plans;

use crate::app::App;
use crate::error::Error;
use crate::http::Query;
use crate::policy::{InstanceAction, InstancePermit};

use super::shell::{Problem, Visitor};

/// Tabs: path and title.
const TABS: [(&str, &str); 12] = [
    ("", "Overview"),
    ("/users", "Users"),
    ("/invitations", "Invitations"),
    ("/organizations", "Organizations"),
    ("/packages", "Packages"),
    ("/plans", "Plans"),
    ("/jobs", "Jobs"),
    ("/audit", "Audit log"),
    ("/health", "Health"),
    ("/configuration", "Configuration"),
    ("/licences", "Licences"),
    ("/message", "Message"),
];

const ON_A_PAGE: u32 = 50;

/// The visitor as they have just shown who they are, and their permit. Who does not administer the instance is not even
/// asked who they are.
async fn administrator(
    app: &App,
    visitor: &Visitor,
    action: InstanceAction,
) -> Result<(Visitor, InstancePermit), Problem> {
    match app.second_factor.permit_instance(visitor.actor(), action).await {
        Ok(_) | Err(Error::SecondFactorRequired { .. }) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let visitor = visitor.require_confirmed(app).await?;
    let permit = app.second_factor.permit_instance(visitor.actor(), action).await?;
    Ok((visitor, permit))
}

/// What is looked for, and which page of it.
struct Sought {
    text: String,
    number: u32,
}

impl Sought {
    fn read(query: &Query) -> Self {
        Self {
            text: query.get("q").unwrap_or_default().trim().chars().take(214).collect(),
            number: query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, 100_000),
        }
    }

    /// The first page of everything: what is shown again where a form was wrong.
    fn all() -> Self {
        Self { text: String::new(), number: 1 }
    }

    fn has_more(&self, total: i64) -> bool {
        i64::from(self.number) * i64::from(ON_A_PAGE) < total
    }
}
