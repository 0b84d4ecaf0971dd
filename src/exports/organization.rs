//! What an organization is besides its packages: its settings, its members, its teams.

use serde_json::json;

use crate::error::Result;
use crate::policy::{OrganizationAction, OrganizationPermit};

use super::tape::Tape;
use super::task::Task;
use super::{Exports, papers};

/// Members that are read at once.
const BATCH: u32 = 500;

impl Exports {
    /// The permit once more, of whoever asked as they are now: who is no owner any more is handed out nothing more.
    pub(super) async fn owner_still(&self, task: &Task) -> Result<OrganizationPermit> {
        let actor = self.living(&task.actor).await?;
        self.organizations.permit(&actor, &task.name, OrganizationAction::Export).await
    }

    pub(super) async fn write_organization(&self, task: &Task, tape: &mut Tape) -> Result<()> {
        let permit = self.owner_still(task).await?;
        let settings = self.organizations.settings(&permit).await?;
        let details = self.users.details(task.account).await?;
        tape.file("organization.json", papers::organization(permit.organization(), &details, settings)).await?;
        let (mut members, mut number) = (Vec::new(), 1);
        loop {
            let (some, total) = self.organizations.list_member_details(&permit, "", number, BATCH).await?;
            members.extend(some);
            if i64::from(number) * i64::from(BATCH) >= total {
                break;
            }
            number += 1;
        }
        tape.file("members.json", papers::members(&members)).await?;
        let mut teams = Vec::new();
        for team in self.organizations.list_team_details(&permit).await? {
            let members = self.organizations.list_team_members(&permit, &team.name).await?;
            let given = self.access.list_packages_of_team(&permit, &team.name).await?;
            let packages = given.iter().map(|(name, level)| json!({ "name": name, "permission": level.as_str() }));
            teams.push(json!({
                "name": team.name,
                "description": team.description,
                "members": members,
                "packages": packages.collect::<Vec<_>>(),
            }));
        }
        tape.file("teams.json", papers::text(&teams.into())).await?;
        let packages = self.access.list_packages(task.account, permit.actor()).await?;
        tape.file("packages.json", papers::packages(&packages)).await
    }
}
