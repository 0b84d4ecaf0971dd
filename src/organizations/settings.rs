//! What an organization asks of its members, and what it gives them.

use std::str::FromStr;

use serde_json::json;

use crate::error::{Error, Result};
use crate::policy::{OrganizationPermit, OrganizationRole, Permission};

use super::{Organizations, Touched, store};

/// What every member gets on a package that is created in the organization's scope, through the team `developers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevelopersGet {
    /// They may read and publish it, as on npm.
    ReadWrite,
    /// They may read it.
    ReadOnly,
    /// Nothing, until somebody gives it.
    Nothing,
}

impl DevelopersGet {
    /// Every value, for forms.
    pub const ALL: [Self; 3] = [Self::ReadWrite, Self::ReadOnly, Self::Nothing];

    /// The word of the database and of forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Nothing => "nothing",
        }
    }

    /// The permission, where it is one.
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::ReadWrite => Some(Permission::ReadWrite),
            Self::ReadOnly => Some(Permission::ReadOnly),
            Self::Nothing => None,
        }
    }
}

impl FromStr for DevelopersGet {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or(())
    }
}

/// The settings of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether members without a second factor are shut out.
    pub members_need_second_factor: bool,
    /// What members get on new packages.
    pub developers_get: DevelopersGet,
}

impl Organizations {
    /// The settings as they are.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(&self, permit: &OrganizationPermit) -> Result<Settings> {
        let get = store::find_developers_get(self.db.reads(), permit.organization().id).await?;
        Ok(Settings {
            members_need_second_factor: permit.organization().members_need_second_factor,
            developers_get: get.parse().unwrap_or(DevelopersGet::Nothing),
        })
    }

    /// Changes the settings. Whoever asks members for a second factor needs one: nobody shuts themselves out.
    ///
    /// # Errors
    /// `Unprocessable` for an owner without a second factor who asks for one.
    pub async fn change_settings(&self, permit: &OrganizationPermit, wanted: Settings) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let begins = wanted.members_need_second_factor && !organization.members_need_second_factor;
        if begins && permit.actor().account().is_some_and(|account| account.second_factor.is_none()) {
            return Err(Error::Unprocessable(
                "You have no second factor yourself, and would be shut out. Turn one on first, then ask for it.".into(),
            ));
        }
        store::set_settings(&mut transaction, organization.id, wanted, self.clock.now()).await?;
        let detail = json!({
            "members_need_second_factor": wanted.members_need_second_factor,
            "developers_get": wanted.developers_get.as_str(),
        });
        self.finish(transaction, &permit, Touched::NoPackage, "organization.settings", detail).await
    }

    /// How many members would be shut out, or are, for want of a second factor.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_members_without_second_factor(&self, permit: &OrganizationPermit) -> Result<i64> {
        store::count_without_second_factor(self.db.reads(), permit.organization().id).await
    }
}

/// How a role is chosen in forms: in the order of what it may.
pub const ROLES: [OrganizationRole; 3] = [OrganizationRole::Member, OrganizationRole::Admin, OrganizationRole::Owner];
