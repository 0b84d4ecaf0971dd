//! The SQL of invitations.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, Email, PackageName, TeamName};
use crate::policy::{OrganizationRole, Permission};

use super::invite::{Addressee, Site};
use super::{Invitation, Invitee, Offered};

/// What somebody is invited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(super) enum Kind {
    Account,
    Package,
    Organization,
}

impl Kind {
    fn of(site: Site) -> Self {
        match site {
            Site::Package(_) => Self::Package,
            Site::Organization(_) => Self::Organization,
            Site::Instance => Self::Account,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Package => "package",
            Self::Organization => "organization",
        }
    }
}

impl Site {
    /// The kind, and the two columns of which at most one is set.
    fn columns(self) -> (&'static str, Option<i64>, Option<i64>) {
        let kind = Kind::of(self).as_str();
        match self {
            Self::Package(package) => (kind, Some(package.0), None),
            Self::Organization(organization) => (kind, None, Some(organization.0)),
            Self::Instance => (kind, None, None),
        }
    }
}

/// A new row.
pub(super) struct NewInvitation<'a> {
    pub(super) key: &'a str,
    pub(super) inviter: Option<AccountId>,
    pub(super) addressee: &'a Addressee,
    pub(super) site: Site,
    pub(super) offered: &'a Offered,
    pub(super) digest: &'a [u8],
    pub(super) by_mail: bool,
    pub(super) now: Time,
    pub(super) expires_at: Time,
}

/// Adds an invitation, in the place of an open one of the same person to the same.
pub(super) async fn replace(connection: &mut PgConnection, new: &NewInvitation<'_>) -> Result<()> {
    let (kind, package, organization) = new.site.columns();
    let email = new.addressee.email.as_ref().map(Email::as_str);
    let user = new.addressee.user.map(|user| user.0);
    sqlx::query!(
        "update invitations
         set state = 'revoked', decided_at = $6
         where state = 'open'
           and kind = $1
           and package_id is not distinct from $2
           and organization_id is not distinct from $3
           and (lower(email) = lower($4) or user_id = $5)",
        kind,
        package,
        organization,
        email,
        user,
        new.now,
    )
    .execute(&mut *connection)
    .await?;
    let (permission, role, teams) = match new.offered {
        Offered::Account => (None, None, Vec::new()),
        Offered::Package { permission, .. } => (Some(permission.as_str()), None, Vec::new()),
        Offered::Organization { role, teams, .. } => {
            (None, Some(role.as_str()), teams.iter().map(ToString::to_string).collect())
        }
    };
    sqlx::query!(
        "insert into invitations
             (key, inviter_id, email, user_id, kind, package_id, permission, organization_id, role, teams, digest,
              by_mail, created_at, sent_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14)",
        new.key,
        new.inviter.map(|inviter| inviter.0),
        email,
        user,
        kind,
        package,
        permission,
        organization,
        role,
        &teams,
        new.digest,
        new.by_mail,
        new.now,
        new.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A row with the names of what it points at.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) inviter: Option<AccountId>,
    pub(super) inviter_name: Option<AccountName>,
    pub(super) email: Option<Email>,
    pub(super) user: Option<AccountId>,
    pub(super) user_name: Option<AccountName>,
    pub(super) kind: Kind,
    pub(super) package: Option<PackageName>,
    pub(super) permission: Option<String>,
    pub(super) organization: Option<AccountName>,
    pub(super) role: Option<String>,
    pub(super) teams: Vec<String>,
    pub(super) by_mail: bool,
    pub(super) created_at: Time,
    pub(super) sent_at: Time,
    pub(super) sent_count: i32,
    pub(super) expires_at: Time,
}

impl Row {
    /// What others see of it; none of a row that the constraints would not let in.
    pub(super) fn into_invitation(self) -> Option<Invitation> {
        let offered = match self.kind {
            Kind::Account => Offered::Account,
            Kind::Package => {
                let read_write = self.permission.as_deref() == Some(Permission::ReadWrite.as_str());
                let permission = if read_write { Permission::ReadWrite } else { Permission::ReadOnly };
                Offered::Package { name: self.package?, permission }
            }
            Kind::Organization => Offered::Organization {
                name: self.organization?,
                role: self.role?.parse::<OrganizationRole>().ok()?,
                teams: self.teams.iter().filter_map(|team| team.parse::<TeamName>().ok()).collect(),
            },
        };
        let invitee = match (self.email, self.user_name) {
            (Some(email), _) => Invitee::Email(email),
            (None, user) => Invitee::User(user?),
        };
        Some(Invitation {
            key: self.key,
            invitee,
            offered,
            inviter: self.inviter_name,
            created_at: self.created_at,
            sent_at: self.sent_at,
            expires_at: self.expires_at,
        })
    }
}

/// The rows of `invitations_seen`, by a condition of its own.
macro_rules! rows {
    ($condition:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            Row,
            r#"select
                   invitations.id,
                   invitations.key,
                   invitations.inviter_id as "inviter: AccountId",
                   inviters.name as "inviter_name?: AccountName",
                   invitations.email as "email: Email",
                   invitations.user_id as "user: AccountId",
                   users.name as "user_name?: AccountName",
                   invitations.kind as "kind: Kind",
                   packages.name as "package?: PackageName",
                   invitations.permission,
                   organizations.name as "organization?: AccountName",
                   invitations.role,
                   invitations.teams,
                   invitations.by_mail,
                   invitations.created_at,
                   invitations.sent_at,
                   invitations.sent_count,
                   invitations.expires_at
               from invitations
               left join accounts as inviters on inviters.id = invitations.inviter_id
               left join accounts as users on users.id = invitations.user_id
               left join accounts as organizations on organizations.id = invitations.organization_id
               left join packages on packages.id = invitations.package_id
               where invitations.state = 'open'
                 and "# + $condition,
            $($argument),*
        )
    };
}

pub(super) async fn list(pool: &PgPool, site: Site) -> Result<Vec<Row>> {
    let (kind, package, organization) = site.columns();
    let rows = rows!(
        "invitations.kind = $1
         and invitations.package_id is not distinct from $2
         and invitations.organization_id is not distinct from $3
         order by invitations.id",
        kind,
        package,
        organization
    );
    Ok(rows.fetch_all(pool).await?)
}

pub(super) async fn list_own(pool: &PgPool, account: AccountId, now: Time) -> Result<Vec<Row>> {
    let rows = rows!(
        "invitations.kind <> 'account'
         and invitations.expires_at > $2
         and (
             invitations.user_id = $1
             or lower(invitations.email) = (
                 select lower(email) from accounts where id = $1 and email_verified_at is not null
             )
         )
         order by invitations.id",
        account.0,
        now
    );
    Ok(rows.fetch_all(pool).await?)
}

pub(super) async fn find(pool: &PgPool, digest: &[u8], now: Time) -> Result<Option<Row>> {
    let rows = rows!("invitations.digest = $1 and invitations.expires_at > $2", digest, now);
    Ok(rows.fetch_optional(pool).await?)
}

/// Holds an open invitation of a place, also one that has ended.
pub(super) async fn lock(connection: &mut PgConnection, site: Site, key: &str) -> Result<Option<Row>> {
    let (kind, package, organization) = site.columns();
    let rows = rows!(
        "invitations.key = $4
         and invitations.kind = $1
         and invitations.package_id is not distinct from $2
         and invitations.organization_id is not distinct from $3
         for update of invitations",
        kind,
        package,
        organization,
        key
    );
    Ok(rows.fetch_optional(connection).await?)
}

pub(super) async fn lock_by_digest(connection: &mut PgConnection, digest: &[u8], now: Time) -> Result<Option<Row>> {
    let rows = rows!("invitations.digest = $1 and invitations.expires_at > $2 for update of invitations", digest, now);
    Ok(rows.fetch_optional(connection).await?)
}

pub(super) async fn lock_own(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    now: Time,
) -> Result<Option<Row>> {
    let rows = rows!(
        "invitations.key = $2
         and invitations.expires_at > $3
         and (
             invitations.user_id = $1
             or lower(invitations.email) = (
                 select lower(email) from accounts where id = $1 and email_verified_at is not null
             )
         )
         for update of invitations",
        account.0,
        key,
        now
    );
    Ok(rows.fetch_optional(connection).await?)
}

/// Closes an open invitation that the caller holds.
pub(super) async fn decide(
    connection: &mut PgConnection,
    id: i64,
    state: &str,
    accepted_by: Option<AccountId>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update invitations set state = $2, accepted_by = $3, decided_at = $4 where id = $1",
        id,
        state,
        accepted_by.map(|account| account.0),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes an invitation by mail, which the caller holds, the one of an account.
pub(super) async fn bind(connection: &mut PgConnection, id: i64, account: AccountId) -> Result<()> {
    sqlx::query!("update invitations set user_id = $2, email = null where id = $1", id, account.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives an invitation that the caller holds another link.
pub(super) async fn renew(
    connection: &mut PgConnection,
    id: i64,
    digest: &[u8],
    by_mail: bool,
    now: Time,
    expires_at: Time,
) -> Result<()> {
    sqlx::query!(
        "update invitations
         set digest = $2, by_mail = $3, sent_at = $4, expires_at = $5, sent_count = sent_count + 1
         where id = $1",
        id,
        digest,
        by_mail,
        now,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many letters of invitation an account has sent since a moment; holds the account, so that they are counted one
/// after the other.
pub(super) async fn count_sent(connection: &mut PgConnection, inviter: AccountId, since: Time) -> Result<i64> {
    sqlx::query!("select id from accounts where id = $1 for no key update", inviter.0)
        .fetch_optional(&mut *connection)
        .await?;
    let count = sqlx::query_scalar!(
        r#"select coalesce(sum(sent_count), 0) as "count!" from invitations where inviter_id = $1 and sent_at > $2"#,
        inviter.0,
        since,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}
