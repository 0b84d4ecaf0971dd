//! The SQL of one-time links.

use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, Email};

/// Taken at a time.
const TAKEN: i64 = 20;

/// What a link is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(super) enum Purpose {
    Reset,
    Recover,
    Verify,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Recover => "recover",
            Self::Verify => "verify",
        }
    }
}

pub(super) async fn insert_forgotten(
    connection: &mut PgConnection,
    typed: &str,
    address: &str,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into forgotten_passwords (typed, address, created_at) values ($1, $2, $3)",
        typed,
        address,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What somebody typed, and from where.
pub(super) struct Forgotten {
    pub(super) typed: String,
    pub(super) address: Option<String>,
}

/// Takes some away; other nodes pass by them.
pub(super) async fn take_forgotten(connection: &mut PgConnection) -> Result<Vec<Forgotten>> {
    let taken = sqlx::query_as!(
        Forgotten,
        "delete from forgotten_passwords
         where id in (select id from forgotten_passwords order by id limit $1 for update skip locked)
         returning typed, address",
        TAKEN,
    )
    .fetch_all(connection)
    .await?;
    Ok(taken)
}

pub(super) async fn count_since(
    connection: &mut PgConnection,
    account: AccountId,
    purpose: Purpose,
    since: Time,
) -> Result<i64> {
    // Held, so that links are counted one after the other.
    sqlx::query!("select id from accounts where id = $1 for no key update", account.0)
        .fetch_optional(&mut *connection)
        .await?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from account_links
           where account_id = $1 and purpose = $2 and created_at > $3"#,
        account.0,
        purpose.as_str(),
        since,
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

/// A new row.
pub(super) struct NewLink<'a> {
    pub(super) account: AccountId,
    pub(super) purpose: Purpose,
    pub(super) email: Option<&'a Email>,
    pub(super) now: Time,
    pub(super) expires_at: Time,
}

/// Adds a link, and lets go of those of the account that are long over.
pub(super) async fn insert_link(connection: &mut PgConnection, link: &NewLink<'_>, digest: &[u8]) -> Result<()> {
    sqlx::query!(
        "delete from account_links where account_id = $1 and expires_at < $2",
        link.account.0,
        link.now - TimeDelta::days(1),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into account_links (account_id, purpose, email, digest, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        link.account.0,
        link.purpose.as_str(),
        link.email.map(Email::as_str),
        digest,
        link.now,
        link.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A link that is good.
pub(super) struct LinkRow {
    pub(super) id: i64,
    pub(super) account: AccountId,
    pub(super) name: AccountName,
    pub(super) purpose: Purpose,
    pub(super) email: Option<Email>,
    pub(super) expires_at: Time,
}

pub(super) async fn find_link(pool: &PgPool, digest: &[u8], now: Time) -> Result<Option<LinkRow>> {
    let row = sqlx::query_as!(
        LinkRow,
        r#"select
               account_links.id,
               account_links.account_id as "account: AccountId",
               accounts.name as "name: AccountName",
               account_links.purpose as "purpose: Purpose",
               account_links.email as "email: Email",
               account_links.expires_at
           from account_links
           join accounts on accounts.id = account_links.account_id
           where account_links.digest = $1
             and account_links.used_at is null
             and account_links.expires_at > $2
             and accounts.disabled_at is null
             -- What was sent to an address is good while that is the account's.
             and (account_links.purpose <> 'reset' or lower(account_links.email) = lower(accounts.email))"#,
        digest,
        now,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row)
}

/// Uses a link; false where somebody was faster, or it has ended.
pub(super) async fn use_link(connection: &mut PgConnection, id: i64, now: Time) -> Result<bool> {
    let used = sqlx::query!(
        "update account_links set used_at = $2 where id = $1 and used_at is null and expires_at > $2",
        id,
        now
    )
    .execute(connection)
    .await?;
    Ok(used.rows_affected() > 0)
}

/// Ends what else would lead to a new password.
pub(super) async fn end_links(connection: &mut PgConnection, account: AccountId, now: Time) -> Result<()> {
    sqlx::query!(
        "update account_links set used_at = $2
         where account_id = $1 and purpose in ('reset', 'recover') and used_at is null",
        account.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}
