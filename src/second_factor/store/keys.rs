//! Security keys.

use sqlx::{PgConnection, PgExecutor};

use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;

use super::super::keys::SecurityKey;
use super::super::webauthn::NewKey;

/// What a signature is checked against.
pub(in crate::second_factor) struct KnownKey {
    pub(in crate::second_factor) id: i64,
    pub(in crate::second_factor) public_key: Vec<u8>,
    pub(in crate::second_factor) sign_count: i64,
}

pub(in crate::second_factor) async fn list_credentials(
    executor: impl PgExecutor<'_>,
    account: AccountId,
) -> Result<Vec<Vec<u8>>> {
    let rows =
        sqlx::query_scalar!("select credential from security_keys where account_id = $1 order by id", account.0,)
            .fetch_all(executor)
            .await?;
    Ok(rows)
}

pub(in crate::second_factor) async fn list(
    executor: impl PgExecutor<'_>,
    account: AccountId,
) -> Result<Vec<SecurityKey>> {
    let rows = sqlx::query_as!(
        SecurityKey,
        "select key, name, verifies_user, created_at, last_used_at
         from security_keys
         where account_id = $1
         order by id",
        account.0,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

pub(in crate::second_factor) async fn offer(
    connection: &mut PgConnection,
    account: AccountId,
    challenge: &[u8],
    expires_at: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into security_key_offers (account_id, challenge, expires_at)
         values ($1, $2, $3)
         on conflict (account_id) do update set challenge = excluded.challenge, expires_at = excluded.expires_at",
        account.0,
        challenge,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the challenge away: it is answered once.
pub(in crate::second_factor) async fn take_offer(
    connection: &mut PgConnection,
    account: AccountId,
    now: Time,
) -> Result<Option<Vec<u8>>> {
    let taken = sqlx::query!(
        "delete from security_key_offers where account_id = $1 returning challenge, expires_at",
        account.0,
    )
    .fetch_optional(connection)
    .await?;
    Ok(taken.filter(|offer| offer.expires_at > now).map(|offer| offer.challenge))
}

/// Breaks `security_keys_credential_key` where the key is registered already.
pub(in crate::second_factor) async fn insert(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    name: &str,
    made: &NewKey,
    now: Time,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into security_keys
             (account_id, key, credential, public_key, sign_count, name, verifies_user, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        account.0,
        key,
        made.credential,
        made.public_key,
        i64::from(made.sign_count),
        name,
        made.verifies_user,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A key whose owner is not known yet, locked as in [`lock_by_credential`].
pub(in crate::second_factor) async fn lock_anybodys(
    connection: &mut PgConnection,
    credential: &[u8],
) -> Result<Option<(AccountId, KnownKey)>> {
    let row = sqlx::query!(
        r#"select account_id as "account: AccountId", id, public_key, sign_count
           from security_keys
           where credential = $1
           for update"#,
        credential,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.account, KnownKey { id: row.id, public_key: row.public_key, sign_count: row.sign_count })))
}

/// Locks the key, so that its counter is compared and raised as one.
pub(in crate::second_factor) async fn lock_by_credential(
    connection: &mut PgConnection,
    account: AccountId,
    credential: &[u8],
) -> Result<Option<KnownKey>> {
    let row = sqlx::query_as!(
        KnownKey,
        "select id, public_key, sign_count
         from security_keys
         where account_id = $1 and credential = $2
         for update",
        account.0,
        credential,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row)
}

pub(in crate::second_factor) async fn note_use(
    connection: &mut PgConnection,
    id: i64,
    sign_count: u32,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update security_keys set sign_count = $2, last_used_at = $3 where id = $1",
        id,
        i64::from(sign_count),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::second_factor) async fn remove(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
) -> Result<bool> {
    let removed = sqlx::query!("delete from security_keys where account_id = $1 and key = $2", account.0, key)
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() > 0)
}

/// Returns whether the account has the key.
pub(in crate::second_factor) async fn rename(
    connection: &mut PgConnection,
    account: AccountId,
    key: &str,
    name: &str,
) -> Result<bool> {
    let renamed =
        sqlx::query!("update security_keys set name = $3 where account_id = $1 and key = $2", account.0, key, name)
            .execute(connection)
            .await?;
    Ok(renamed.rows_affected() > 0)
}

/// Uses a question up: true for the first answer to it. Those that nobody could answer any more are forgotten.
pub(in crate::second_factor) async fn use_challenge(
    connection: &mut PgConnection,
    digest: &[u8],
    expires_at: Time,
    now: Time,
) -> Result<bool> {
    sqlx::query!("delete from used_challenges where expires_at <= $1", now).execute(&mut *connection).await?;
    let used = sqlx::query!(
        "insert into used_challenges (digest, expires_at) values ($1, $2) on conflict do nothing",
        digest,
        expires_at,
    )
    .execute(connection)
    .await?;
    Ok(used.rows_affected() > 0)
}
