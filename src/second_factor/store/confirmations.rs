//! What terminals wait for.

use sqlx::{PgConnection, PgExecutor};

use crate::clock::Time;
use crate::error::Result;
use crate::names::{AccountId, AccountName, TokenId};
use crate::second_factor::Answered;

/// A new row.
pub(in crate::second_factor) struct NewConfirmation<'a> {
    pub(in crate::second_factor) account: AccountId,
    pub(in crate::second_factor) token: Option<TokenId>,
    pub(in crate::second_factor) subject: &'a str,
    pub(in crate::second_factor) address: Option<String>,
    pub(in crate::second_factor) page_digest: &'a [u8],
    pub(in crate::second_factor) done_digest: &'a [u8],
    pub(in crate::second_factor) now: Time,
    pub(in crate::second_factor) expires_at: Time,
}

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(in crate::second_factor) enum State {
    Pending,
    Approved,
    Refused,
}

impl State {
    pub(in crate::second_factor) fn answered(self) -> Answered {
        match self {
            Self::Pending => Answered::NotYet,
            Self::Approved => Answered::Approved,
            Self::Refused => Answered::Refused,
        }
    }
}

/// A row, as its page sees it.
pub(in crate::second_factor) struct ConfirmationRow {
    pub(in crate::second_factor) id: i64,
    pub(in crate::second_factor) account: AccountId,
    pub(in crate::second_factor) name: AccountName,
    pub(in crate::second_factor) token: Option<TokenId>,
    pub(in crate::second_factor) subject: String,
    pub(in crate::second_factor) address: Option<String>,
    pub(in crate::second_factor) challenge: Option<Vec<u8>>,
    pub(in crate::second_factor) state: State,
    pub(in crate::second_factor) created_at: Time,
}

/// Makes room by removing what is over, and says how many of the account's are left.
pub(in crate::second_factor) async fn count_living(
    connection: &mut PgConnection,
    account: AccountId,
    now: Time,
) -> Result<i64> {
    sqlx::query!("delete from confirmations where account_id = $1 and expires_at <= $2", account.0, now)
        .execute(&mut *connection)
        .await?;
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from confirmations where account_id = $1"#, account.0,)
            .fetch_one(connection)
            .await?;
    Ok(count)
}

pub(in crate::second_factor) async fn insert(
    connection: &mut PgConnection,
    confirmation: &NewConfirmation<'_>,
) -> Result<()> {
    sqlx::query!(
        "insert into confirmations
             (account_id, token_id, subject, address, page_digest, done_digest, state, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)",
        confirmation.account.0,
        confirmation.token.map(|token| token.0),
        confirmation.subject,
        confirmation.address,
        confirmation.page_digest,
        confirmation.done_digest,
        confirmation.now,
        confirmation.expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(in crate::second_factor) async fn find_by_page(
    executor: impl PgExecutor<'_>,
    page_digest: &[u8],
    now: Time,
) -> Result<Option<ConfirmationRow>> {
    let row = sqlx::query_as!(
        ConfirmationRow,
        r#"select
               confirmations.id,
               confirmations.account_id as "account: AccountId",
               accounts.name as "name: AccountName",
               confirmations.token_id as "token: TokenId",
               confirmations.subject,
               confirmations.address,
               confirmations.challenge,
               confirmations.state as "state: State",
               confirmations.created_at
           from confirmations
           join accounts on accounts.id = confirmations.account_id
           where confirmations.page_digest = $1
             and confirmations.expires_at > $2
             and accounts.disabled_at is null"#,
        page_digest,
        now,
    )
    .fetch_optional(executor)
    .await?;
    Ok(row)
}

/// Keeps what an authenticator shall sign; the one before it is no longer good.
pub(in crate::second_factor) async fn set_challenge(
    connection: &mut PgConnection,
    id: i64,
    challenge: Option<&[u8]>,
) -> Result<()> {
    sqlx::query!("update confirmations set challenge = $2 where id = $1", id, challenge).execute(connection).await?;
    Ok(())
}

/// Decides a pending one; false where it was decided before.
pub(in crate::second_factor) async fn decide(connection: &mut PgConnection, id: i64, state: State) -> Result<bool> {
    let word = match state {
        State::Pending => "pending",
        State::Approved => "approved",
        State::Refused => "refused",
    };
    let decided = sqlx::query!(
        "update confirmations set state = $2, challenge = null where id = $1 and state = 'pending'",
        id,
        word,
    )
    .execute(connection)
    .await?;
    Ok(decided.rows_affected() > 0)
}

pub(in crate::second_factor) async fn find_state(
    executor: impl PgExecutor<'_>,
    done_digest: &[u8],
    now: Time,
) -> Result<Option<State>> {
    let state = sqlx::query_scalar!(
        r#"select state as "state: State"
           from confirmations
           where done_digest = $1 and expires_at > $2 and used_at is null"#,
        done_digest,
        now,
    )
    .fetch_optional(executor)
    .await?;
    Ok(state)
}

/// Gives the terminal a code in place of the one before, which it may not have received.
pub(in crate::second_factor) async fn set_code(
    connection: &mut PgConnection,
    done_digest: &[u8],
    code_digest: &[u8],
) -> Result<bool> {
    let set = sqlx::query!(
        "update confirmations
         set code_digest = $2
         where done_digest = $1 and state = 'approved' and used_at is null",
        done_digest,
        code_digest,
    )
    .execute(connection)
    .await?;
    Ok(set.rows_affected() > 0)
}

/// Uses a code that a page's approval gave: by its account and credential, for its subject, and once it was used only
/// until `repeatable_since` has passed.
pub(in crate::second_factor) async fn use_code(
    connection: &mut PgConnection,
    account: AccountId,
    token: Option<TokenId>,
    subject: &str,
    code_digest: &[u8],
    now: Time,
    repeatable_since: Time,
) -> Result<bool> {
    let used = sqlx::query_scalar!(
        "update confirmations
         set used_at = coalesce(used_at, $5)
         where code_digest = $4
           and account_id = $1
           and token_id is not distinct from $2
           and subject = $3
           and expires_at > $5
           and (used_at is null or ($2::bigint is not null and used_at > $6))
         returning id",
        account.0,
        token.map(|token| token.0),
        subject,
        code_digest,
        now,
        repeatable_since,
    )
    .fetch_optional(connection)
    .await?;
    Ok(used.is_some())
}
