//! The SQL of the second factor, one file for each of its tables' families.

pub(super) mod codes;
pub(super) mod confirmations;
pub(super) mod keys;

use sqlx::PgConnection;

use crate::clock::Time;
use crate::error::Result;
use crate::names::AccountId;
use crate::policy::SecondFactorMode;

/// Wrong codes in a row, and until when none is looked at.
pub(super) struct WrongCodes {
    pub(super) count: i32,
    pub(super) closed_until: Time,
}

/// Takes the account's turn: of codes that are guessed at the same time one is looked at after the other.
pub(super) async fn lock_wrong_codes(connection: &mut PgConnection, account: AccountId) -> Result<WrongCodes> {
    let row = sqlx::query_as!(
        WrongCodes,
        "insert into wrong_codes (account_id, count, closed_until)
         values ($1, 0, timestamptz 'epoch')
         on conflict (account_id) do update set count = wrong_codes.count
         returning count, closed_until",
        account.0,
    )
    .fetch_one(connection)
    .await?;
    Ok(row)
}

pub(super) async fn set_wrong_codes(
    connection: &mut PgConnection,
    account: AccountId,
    count: i32,
    closed_until: Time,
) -> Result<()> {
    sqlx::query!(
        "update wrong_codes set count = $2, closed_until = $3 where account_id = $1",
        account.0,
        count,
        closed_until,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes when the account is asked; `None` for never.
pub(super) async fn set_mode(
    connection: &mut PgConnection,
    account: AccountId,
    mode: Option<SecondFactorMode>,
    now: Time,
) -> Result<()> {
    sqlx::query!(
        "update accounts set second_factor = $2, updated_at = $3 where id = $1",
        account.0,
        mode.map(SecondFactorMode::as_str),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes all that the account could show as a second factor.
pub(super) async fn forget_everything(connection: &mut PgConnection, account: AccountId) -> Result<()> {
    sqlx::query!("delete from one_time_seeds where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from used_codes where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from recovery_codes where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from wrong_codes where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from security_keys where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from security_key_offers where account_id = $1", account.0).execute(&mut *connection).await?;
    sqlx::query!("delete from confirmations where account_id = $1", account.0).execute(connection).await?;
    Ok(())
}
