//! What decisions need to know of packages.

use std::sync::Arc;

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, PackageId, PackageName};
use crate::policy::{
    AccountKind, ExistingPackage, Grant, PackageFacts, PackageSecondFactor, SecondFactorMode, Visibility,
};
use crate::users::FactsRow;

/// What decisions need to know of a name, as the database has it.
struct Row {
    owner_id: AccountId,
    owner_name: AccountName,
    owner_kind: AccountKind,
    paid: bool,
    paid_until: Option<Time>,
    disabled: bool,
    second_factor: Option<SecondFactorMode>,
    members_need_second_factor: bool,
    member_ids: Vec<i64>,
    member_roles: Vec<String>,
    package_id: Option<PackageId>,
    package_name: Option<PackageName>,
    visibility: Option<Visibility>,
    revision: Option<i64>,
    publish_requires: Option<bool>,
    automation_overrides: Option<bool>,
    grants: Option<Json<Vec<GrantRow>>>,
}

/// A line of the view `collaborations`.
#[derive(Deserialize)]
struct GrantRow {
    user_id: i64,
    permission: String,
    /// As text: an end that cannot be read must end one grant, and not fail everything about the package.
    expires_at: Option<String>,
    team: Option<String>,
}

impl Row {
    fn into_facts(self, name: PackageName) -> PackageFacts {
        let package = match (self.package_id, self.visibility, self.revision) {
            (Some(id), Some(visibility), Some(revision)) => {
                let grants = self.grants.map_or_else(Vec::new, |Json(rows)| grants(rows));
                let second_factor = PackageSecondFactor {
                    publish_requires: self.publish_requires.unwrap_or_default(),
                    automation_overrides: self.automation_overrides.unwrap_or_default(),
                };
                Some(Arc::new(ExistingPackage { id, visibility, grants, second_factor, revision }))
            }
            _ => None,
        };
        let owner = FactsRow {
            id: self.owner_id,
            name: self.owner_name,
            kind: self.owner_kind,
            paid: self.paid,
            paid_until: self.paid_until,
            disabled: self.disabled,
            second_factor: self.second_factor,
            // A scope's owner is looked at for what they own, never for what they administer.
            administrator: false,
            members_need_second_factor: self.members_need_second_factor,
            member_ids: self.member_ids,
            member_roles: self.member_roles,
        };
        PackageFacts { name, owner: Some(owner.into_facts()), package }
    }
}

/// The one select of [`Row`]s: where a package's name comes from, whose grants are loaded, and of what. `owners` and
/// `packages` are in every `from`; a query that is checked when it is compiled is made of literals alone.
macro_rules! select_facts {
    (name: $name:literal, grants: $grants:literal, from: $from:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select
                   owners.id as "owner_id: AccountId",
                   owners.name as "owner_name: AccountName",
                   owners.kind as "owner_kind: AccountKind",
                   owners.paid,
                   owners.paid_until,
                   owners.disabled_at is not null as "disabled!",
                   owners.second_factor as "second_factor: SecondFactorMode",
                   owners.members_need_second_factor,
                   array(select user_id from organization_members where organization_id = owners.id order by user_id)
                       as "member_ids!",
                   array(select role from organization_members where organization_id = owners.id order by user_id)
                       as "member_roles!",
                   packages.id as "package_id?: PackageId",
                   packages.visibility as "visibility?: Visibility",
                   packages.revision as "revision?",
                   packages.publish_requires_second_factor as "publish_requires?",
                   packages.automation_overrides_second_factor as "automation_overrides?",
                   (
                       select jsonb_agg(to_jsonb(given) - 'package_id' order by user_id, team nulls first)
                       from collaborations as given
                       where package_id = packages.id and "# + $grants + r#"
                   ) as "grants: Json<Vec<GrantRow>>",
                   "# + $name + r#" as "package_name?: PackageName"
               from "# + $from,
            $($argument),+
        )
    };
}

/// Whose grants are loaded.
#[derive(Debug, Clone, Copy)]
pub(in crate::access) enum Grants {
    /// Everyone's.
    All,
    /// Those of one account, or of nobody: all that a decision about them needs, and the same work however many others
    /// have access.
    Of(Option<AccountId>),
}

/// One query, whether the package exists or not: its time must tell nothing.
pub(in crate::access) async fn load_facts(
    executor: impl PgExecutor<'_>,
    name: &PackageName,
    grants: Grants,
) -> Result<PackageFacts> {
    let (all, of) = match grants {
        Grants::All => (true, None),
        Grants::Of(account) => (false, account),
    };
    let scope = name.scope();
    let row = select_facts!(
        name: "packages.name",
        grants: "($3 or user_id = $4)",
        from: r#"accounts as owners
           left join packages
               on packages.owner_id = owners.id and packages.name = $2 and packages.deleted_at is null
           where owners.name = $1"#,
        scope.as_str(),
        name.as_str(),
        all,
        of.map(|account| account.0),
    )
    .fetch_optional(executor)
    .await?;
    let missing = || PackageFacts { name: name.clone(), owner: None, package: None };
    Ok(row.map_or_else(missing, |row| row.into_facts(name.clone())))
}

/// What decisions about one account need to know of many names; of those in scopes that nobody owns, nothing.
pub(in crate::access) async fn list_facts_named(
    pool: &PgPool,
    names: &[PackageName],
    viewer: Option<AccountId>,
) -> Result<Vec<PackageFacts>> {
    let scopes: Vec<String> = names.iter().map(|name| name.scope().to_string()).collect();
    let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rows = select_facts!(
        name: "wanted.name",
        grants: "user_id = $3",
        from: r#"unnest($1::text[], $2::text[]) as wanted (scope, name)
           join accounts as owners on owners.name = wanted.scope
           left join packages
               on packages.owner_id = owners.id and packages.name = wanted.name and packages.deleted_at is null"#,
        &scopes,
        &texts,
        viewer.map(|viewer| viewer.0),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.package_name.clone().map(|name| row.into_facts(name))).collect())
}

/// Which packages a list is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::access) enum Listed<'a> {
    /// Those in the scope of an account, and those shared with it.
    Of(AccountId),
    /// Some of these.
    Among(&'a [PackageId]),
}

/// Packages in the order of their names; of the restricted ones only those that concern `viewer` in some way. Whether
/// they may see them is still to be decided, but what they surely may not see costs no time that could be measured.
pub(in crate::access) async fn list_facts(
    pool: &PgPool,
    listed: Listed<'_>,
    viewer: Option<AccountId>,
) -> Result<Vec<PackageFacts>> {
    let (account, among) = match listed {
        Listed::Of(account) => (Some(account.0), None),
        Listed::Among(packages) => (None, Some(packages.iter().map(|package| package.0).collect::<Vec<_>>())),
    };
    let rows = select_facts!(
        name: "packages.name",
        grants: "true",
        from: r#"packages
           join accounts as owners on owners.id = packages.owner_id
           where (
                   packages.id = any($3)
                   or packages.owner_id = $1
                   or packages.id in (select package_id from collaborations where user_id = $1)
               )
             and packages.deleted_at is null
             and (
                   packages.visibility = 'public'
                   or packages.owner_id = $2
                   or packages.id in (select package_id from collaborations where user_id = $2)
                   or packages.owner_id in (select organization_id from organization_members where user_id = $2)
               )
           order by packages.name"#,
        account,
        viewer.map(|viewer| viewer.0),
        among.as_deref(),
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(|row| row.package_name.clone().map(|name| row.into_facts(name))).collect())
}

/// What cannot be read gives nothing.
fn grants(rows: Vec<GrantRow>) -> Vec<Grant> {
    let grant = |row: GrantRow| {
        let team = row.team.map(|team| team.parse()).transpose().ok()?;
        let permission = row.permission.parse().ok()?;
        let expires_at = row.expires_at.map(|end| end.parse()).transpose().ok()?;
        Some(Grant { user: row.user_id.into(), permission, expires_at, team })
    };
    rows.into_iter().filter_map(grant).collect()
}
