//! `npm org` (`protocol.md` 6.6): who the members of an organization are, and in which roles.

use serde_json::json;

use crate::access;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, TeamName};
use crate::policy::{AccountPermit, OrganizationPermit, OrganizationRole};
use crate::users;

use super::{Organizations, Touched, store};

/// A member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub name: AccountName,
    /// In which role.
    pub role: OrganizationRole,
}

/// What is left after a member was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Packages that they were given by name, and still have.
    pub kept_grants: i64,
}

/// An organization that somebody is a member of.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Which organization.
    pub organization: AccountName,
    /// In which role.
    pub role: OrganizationRole,
    /// How many members it has.
    pub members: i64,
}

/// A member as the page of members shows them; what concerns how they log in is for owners.
#[derive(Debug, Clone)]
pub struct MemberDetails {
    /// Who.
    pub name: AccountName,
    /// In which role.
    pub role: OrganizationRole,
    /// Since when.
    pub since: Time,
    /// Whether their account has a second factor.
    pub has_second_factor: bool,
    /// When a session or token of theirs was last used.
    pub last_seen: Option<Time>,
    /// Packages that they were given by name, and would keep.
    pub own_grants: i64,
}

impl Organizations {
    /// A page of the members with `sought` in their names, numbered from 1, and how many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_member_details(
        &self,
        permit: &OrganizationPermit,
        sought: &str,
        page: u32,
        size: u32,
    ) -> Result<(Vec<MemberDetails>, i64)> {
        let organization = permit.organization().id;
        let skip = i64::from(page.max(1) - 1) * i64::from(size);
        let rows = store::list_member_details(self.db.reads(), organization, sought, size.into(), skip).await?;
        let total = store::count_members(self.db.reads(), organization, sought).await?;
        Ok((rows.into_iter().map(store::MemberDetailsRow::into_details).collect(), total))
    }

    /// The names of the owners: whom to ask.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_owners(&self, permit: &OrganizationPermit) -> Result<Vec<AccountName>> {
        let members = self.list_members(permit).await?;
        Ok(members.into_iter().filter(|one| one.role == OrganizationRole::Owner).map(|one| one.name).collect())
    }

    /// The organizations that the user is a member of, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_memberships(&self, permit: &AccountPermit) -> Result<Vec<Membership>> {
        let rows = store::list_memberships(self.db.reads(), permit.account().id).await?;
        let membership = |row: store::MembershipRow| Membership {
            organization: row.organization,
            role: row.role.parse().unwrap_or(OrganizationRole::Member),
            members: row.members,
        };
        Ok(rows.into_iter().map(membership).collect())
    }

    /// Every member, in the order of their names.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_members(&self, permit: &OrganizationPermit) -> Result<Vec<Member>> {
        let rows = store::list_members(self.db.reads(), permit.organization().id).await?;
        let member = |row: store::MemberRow| {
            let role = row.role.parse().unwrap_or(OrganizationRole::Member);
            Member { name: row.name, role }
        };
        Ok(rows.into_iter().map(member).collect())
    }

    /// Makes a user a member, or gives a member another role. Returns how many members there now are.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, `Unprocessable` for the last owner, who keeps their role.
    pub async fn set_member(
        &self,
        permit: &OrganizationPermit,
        user: &AccountName,
        role: OrganizationRole,
    ) -> Result<usize> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let account = users::find_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if role != OrganizationRole::Owner {
            keep_an_owner(&permit, account)?;
        }
        let now = self.clock.now();
        let is_new = organization.role_of(account).is_none();
        store::upsert_member(&mut transaction, organization.id, account, role, now).await?;
        let developers = TeamName::DEVELOPERS.parse()?;
        if let Some(team) = access::find_team(&mut transaction, organization.id, &developers).await? {
            store::insert_team_member(&mut transaction, team, account, now).await?;
        }
        let size = organization.members.len() + usize::from(is_new);
        let detail = json!({ "user": user, "role": role.as_npm_word() });
        self.finish(transaction, &permit, Touched::EveryPackage, "organization.member", detail).await?;
        Ok(size)
    }

    /// Takes a member out of the organization and of all its teams. What they were given by name stays theirs.
    ///
    /// # Errors
    /// `NotFound` for somebody who is no member, `Unprocessable` for the last owner.
    pub async fn remove_member(&self, permit: &OrganizationPermit, user: &AccountName) -> Result<Removal> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let found = users::find_any_user(&mut transaction, user).await?;
        let account = found.filter(|account| organization.role_of(*account).is_some());
        let account = account.ok_or_else(|| {
            Error::NotFound(format!("{user} is no member of @{}. Check the name.", organization.name).into())
        })?;
        keep_an_owner(&permit, account)?;
        store::delete_member(&mut transaction, organization.id, account).await?;
        let kept_grants = store::count_own_grants(&mut transaction, organization.id, account).await?;
        let detail = json!({ "user": user });
        self.finish(transaction, &permit, Touched::EveryPackage, "organization.member-remove", detail).await?;
        Ok(Removal { kept_grants })
    }
}

/// An organization without an owner could never be changed again.
fn keep_an_owner(permit: &OrganizationPermit, leaving: AccountId) -> Result<()> {
    let organization = permit.organization();
    let mut owners = organization.members.iter().filter(|(_, role)| *role == OrganizationRole::Owner);
    if owners.all(|(owner, _)| *owner == leaving) && organization.role_of(leaving) == Some(OrganizationRole::Owner) {
        return Err(no_owner(&organization.name));
    }
    Ok(())
}

pub(super) fn no_owner(organization: &AccountName) -> Error {
    let sentence = format!("@{organization} keeps at least one owner. Make somebody else an owner first.");
    Error::Unprocessable(sentence.into())
}
