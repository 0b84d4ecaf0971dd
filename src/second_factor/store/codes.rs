//! Seeds, one-time codes and recovery codes.

use sqlx::{PgConnection, PgExecutor};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, TokenId};
use crate::policy::SecondFactorMode;

use super::super::totp::Step;

/// A seed as it lies in the database.
pub(in crate::second_factor) struct SeedRow {
    pub(in crate::second_factor) sealed: Vec<u8>,
    pub(in crate::second_factor) mode: SecondFactorMode,
    pub(in crate::second_factor) confirmed: bool,
}

pub(in crate::second_factor) async fn find_seed(
    executor: impl PgExecutor<'_>,
    account: AccountId,
) -> Result<Option<SeedRow>> {
    let row = sqlx::query_as!(
        SeedRow,
        r#"select sealed, mode as "mode: SecondFactorMode", confirmed_at is not null as "confirmed!"
           from one_time_seeds
           where account_id = $1"#,
        account.0,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row)
}

/// Keeps a seed that waits for its first code; a confirmed one stays as it is.
pub(in crate::second_factor) async fn offer_seed(
    connection: &mut PgConnection,
    account: AccountId,
    sealed: &[u8],
    mode: SecondFactorMode,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into one_time_seeds (account_id, sealed, mode, created_at)
         values ($1, $2, $3, $4)
         on conflict (account_id) do update
         set sealed = excluded.sealed, mode = excluded.mode, created_at = excluded.created_at
         where one_time_seeds.confirmed_at is null",
        account.0,
        sealed,
        mode.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::second_factor) async fn confirm_seed(
    connection: &mut PgConnection,
    account: AccountId,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update one_time_seeds set confirmed_at = $2 where account_id = $1 and confirmed_at is null",
        account.0,
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::second_factor) async fn remove_seed(connection: &mut PgConnection, account: AccountId) -> Result<()> {
    sqlx::query!("delete from one_time_seeds where account_id = $1", account.0).execute(connection).await?;
    Ok(())
}

/// Binds the code of a step to the credential that shows it. False where another one was first; without a token, as at
/// a login, also where it was shown before.
pub(in crate::second_factor) async fn use_step(
    connection: &mut PgConnection,
    account: AccountId,
    step: Step,
    token: Option<TokenId>,
    forgotten: Step,
) -> Result<bool> {
    sqlx::query!("delete from used_codes where account_id = $1 and step <= $2", account.0, forgotten.0)
        .execute(&mut *connection)
        .await?;
    let token = token.map(|token| token.0);
    let inserted = sqlx::query_scalar!(
        "insert into used_codes (account_id, step, token_id)
         values ($1, $2, $3)
         on conflict (account_id, step) do update set step = used_codes.step where used_codes.token_id = $3
         returning step",
        account.0,
        step.0,
        token,
    )
    .fetch_optional(connection)
    .await?;
    Ok(inserted.is_some())
}

/// Puts a seed whose first code was right in the place of whatever seed there was.
pub(in crate::second_factor) async fn replace_seed(
    connection: &mut PgConnection,
    account: AccountId,
    sealed: &[u8],
    mode: SecondFactorMode,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "insert into one_time_seeds (account_id, sealed, mode, created_at, confirmed_at)
         values ($1, $2, $3, $4, $4)
         on conflict (account_id) do update
         set sealed = excluded.sealed,
             mode = excluded.mode,
             created_at = excluded.created_at,
             confirmed_at = excluded.confirmed_at",
        account.0,
        sealed,
        mode.as_str(),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets which codes were used: they were those of another seed.
pub(in crate::second_factor) async fn forget_used(connection: &mut PgConnection, account: AccountId) -> Result<()> {
    sqlx::query!("delete from used_codes where account_id = $1", account.0).execute(connection).await?;
    Ok(())
}

/// How many recovery codes are left.
pub(in crate::second_factor) async fn count_recovery_codes(
    executor: impl PgExecutor<'_>,
    account: AccountId,
) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from recovery_codes where account_id = $1 and used_at is null"#,
        account.0,
    )
    .fetch_one(executor)
    .await?;
    Ok(count)
}

pub(in crate::second_factor) async fn replace_recovery_codes(
    connection: &mut PgConnection,
    account: AccountId,
    digests: &[Vec<u8>],
) -> Result<()> {
    sqlx::query!("delete from recovery_codes where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!(
        "insert into recovery_codes (account_id, digest) select $1, digest from unnest($2::bytea[]) as digest",
        account.0,
        digests,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Uses a recovery code up. True once, and to the same credential again until `repeatable_since` has passed.
pub(in crate::second_factor) async fn use_recovery_code(
    connection: &mut PgConnection,
    account: AccountId,
    digest: &[u8],
    token: Option<TokenId>,
    now: Time,
    repeatable_since: Time,
) -> Result<bool> {
    let used = sqlx::query_scalar!(
        "update recovery_codes
         set used_at = coalesce(used_at, $4), token_id = $3
         where account_id = $1
           and digest = $2
           and (used_at is null or (token_id = $3 and used_at > $5))
         returning digest",
        account.0,
        digest,
        token.map(|token| token.0),
        now,
        repeatable_since,
    )
    .fetch_optional(connection)
    .await?;
    Ok(used.is_some())
}
