//! The SQL of notices.

use serde_json::Value;
use sqlx::PgConnection;

use crate::error::Result;
use crate::names::AccountId;

/// Taken at a time.
const TAKEN: i64 = 50;

/// Something that somebody may have to be told of.
pub(super) struct Happened {
    pub(super) account: Option<AccountId>,
    pub(super) old_email: Option<String>,
    pub(super) action: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) scope: Option<AccountId>,
    pub(super) actor_id: Option<AccountId>,
    /// Who did it, by name.
    pub(super) actor: String,
    pub(super) address: Option<String>,
    pub(super) detail: Option<Value>,
}

impl Happened {
    /// What it was done to; empty for none.
    pub(super) fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }

    /// Whether it was given to who had just said yes to it, and so knows.
    pub(super) fn is_accepted(&self) -> bool {
        self.detail.as_ref().and_then(|detail| detail.get("invited")).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A text of the detail.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.detail.as_ref()?.get(name)?.as_str()
    }
}

/// Takes some away, the oldest first; other nodes pass by them.
pub(super) async fn take(connection: &mut PgConnection) -> Result<Vec<Happened>> {
    let happened = sqlx::query_as!(
        Happened,
        r#"with taken as (
               delete from pending_notices
               where id in (select id from pending_notices order by id limit $1 for update skip locked)
               returning id, event_id, account_id, old_email
           )
           select
               taken.account_id as "account: AccountId",
               taken.old_email,
               audit_events.action as "action?",
               audit_events.subject as "subject?",
               audit_events.scope_id as "scope?: AccountId",
               audit_events.actor_id as "actor_id?: AccountId",
               coalesce(audit_events.actor, '') as "actor!",
               audit_events.address as "address?",
               audit_events.detail as "detail?"
           from taken
           left join audit_events on audit_events.id = taken.event_id
           order by taken.id"#,
        TAKEN,
    )
    .fetch_all(connection)
    .await?;
    Ok(happened)
}

pub(super) async fn find_wish(connection: &mut PgConnection, account: AccountId, kind: &str) -> Result<Option<bool>> {
    let wish =
        sqlx::query_scalar!("select wanted from notice_wishes where account_id = $1 and kind = $2", account.0, kind);
    Ok(wish.fetch_optional(connection).await?)
}

pub(super) async fn set_wish(
    connection: &mut PgConnection,
    account: AccountId,
    kind: &str,
    wanted: bool,
) -> Result<()> {
    sqlx::query!(
        "insert into notice_wishes (account_id, kind, wanted) values ($1, $2, $3)
         on conflict (account_id, kind) do update set wanted = excluded.wanted",
        account.0,
        kind,
        wanted,
    )
    .execute(connection)
    .await?;
    Ok(())
}
