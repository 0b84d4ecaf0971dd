//! The SQL of who has access.

use sqlx::PgPool;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageId, TeamName};
use crate::policy::{BillingFlag, OrganizationRole, Permission};

use super::Given;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Administrator,
    Team,
    Person,
    Member,
}

/// A line: somebody who administers, a team, a person with a grant of their own, or a member of a team.
pub(super) struct Row {
    kind: i32,
    pub(super) name: String,
    role: Option<String>,
    team: Option<String>,
    permission: Option<String>,
    given_by: Option<AccountName>,
    given_at: Option<Time>,
    until: Option<Time>,
    paid: bool,
    paid_until: Option<Time>,
    covered: bool,
    pub(super) reminded_at: Option<Time>,
    pub(super) disabled: bool,
    pub(super) size: i64,
}

impl Row {
    pub(super) fn kind(&self) -> Result<Kind> {
        match self.kind {
            1 => Ok(Kind::Administrator),
            2 => Ok(Kind::Team),
            3 => Ok(Kind::Person),
            4 => Ok(Kind::Member),
            _ => Err(Error::internal("a line of no kind")),
        }
    }

    pub(super) fn account(&self) -> Result<AccountName> {
        Ok(self.name.parse()?)
    }

    pub(super) fn team(&self) -> Result<TeamName> {
        Ok(self.team.as_deref().unwrap_or_default().parse()?)
    }

    pub(super) fn role(&self) -> Result<Option<OrganizationRole>> {
        let role = self.role.as_deref().map(str::parse).transpose();
        role.map_err(|()| Error::internal("a member in no known role"))
    }

    pub(super) fn permission(&self) -> Result<Permission> {
        let permission = self.permission.as_deref().unwrap_or_default();
        permission.parse().map_err(|()| Error::internal("a grant of nothing known"))
    }

    pub(super) fn given(&self) -> Result<Given> {
        let at = self.given_at.ok_or_else(|| Error::internal("a grant without a beginning"))?;
        Ok(Given { permission: self.permission()?, by: self.given_by.clone(), at, until: self.until })
    }

    /// Whether they pay for themselves, or the organization does for them.
    pub(super) fn has_plan(&self, now: Time) -> bool {
        let flag = if self.paid { BillingFlag::Paid { until: self.paid_until } } else { BillingFlag::Unpaid };
        self.covered || flag.is_paid(now)
    }
}

/// Everything at once, each kind in the order of the names: teams before their members.
pub(super) async fn list(
    pool: &PgPool,
    package: PackageId,
    owner: AccountId,
    now: Time,
    members: i64,
) -> Result<Vec<Row>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select
               1 as "kind!",
               users.name as "name!",
               organization_members.role as "role?",
               null::text as "team?",
               null::text as "permission?",
               null::text as "given_by?: AccountName",
               null::timestamptz as "given_at?",
               null::timestamptz as "until?",
               users.paid as "paid!",
               users.paid_until as "paid_until?",
               true as "covered!",
               null::timestamptz as "reminded_at?",
               users.disabled_at is not null as "disabled!",
               0::bigint as "size!"
           from accounts as users
           left join organization_members
               on organization_members.organization_id = $2 and organization_members.user_id = users.id
           where users.kind = 'user' and (users.id = $2 or organization_members.role in ('admin', 'owner'))
           union all
           select
               2,
               teams.name,
               null,
               null,
               team_grants.permission,
               givers.name,
               team_grants.created_at,
               team_grants.expires_at,
               true,
               null,
               true,
               null,
               false,
               (select count(*) from team_members where team_members.team_id = teams.id)
           from team_grants
           join teams on teams.id = team_grants.team_id
           left join accounts as givers on givers.id = team_grants.granted_by
           where team_grants.package_id = $1 and (team_grants.expires_at is null or team_grants.expires_at > $3)
           union all
           select
               3,
               users.name,
               null,
               null,
               grants.permission,
               givers.name,
               grants.created_at,
               grants.expires_at,
               users.paid,
               users.paid_until,
               exists (select from organization_members where organization_id = $2 and user_id = users.id),
               grants.reminded_at,
               users.disabled_at is not null,
               0
           from grants
           join accounts as users on users.id = grants.user_id
           left join accounts as givers on givers.id = grants.granted_by
           where grants.package_id = $1 and (grants.expires_at is null or grants.expires_at > $3)
           union all
           select
               4,
               users.name,
               null,
               teams.name,
               team_grants.permission,
               null,
               null,
               null,
               users.paid,
               users.paid_until,
               exists (select from organization_members where organization_id = $2 and user_id = users.id),
               null,
               users.disabled_at is not null,
               0
           from team_grants
           join teams on teams.id = team_grants.team_id
           join lateral (
               select accounts.id, accounts.name, accounts.paid, accounts.paid_until, accounts.disabled_at
               from team_members
               join accounts on accounts.id = team_members.user_id
               where team_members.team_id = teams.id
               order by accounts.name
               limit $4
           ) as users on true
           where team_grants.package_id = $1 and (team_grants.expires_at is null or team_grants.expires_at > $3)
           order by 1, 2"#,
        package.0,
        owner.0,
        now,
        members,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
