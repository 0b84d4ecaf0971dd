//! The SQL of turns: which node does a chore for all.

use std::time::Duration;

use crate::clock::Time;
use crate::db::Db;
use crate::error::Result;

/// Takes the turn, if the chore is due and no other node has it. It ends by itself after `hold`, should this node die.
pub(super) async fn take_turn(db: &Db, chore: &str, hold: Duration) -> Result<bool> {
    let mut transaction = db.begin().await?;
    let taken = sqlx::query_scalar!(
        "insert into chores as present (name, held_until, due_at)
         values ($1, clock_timestamp() + make_interval(secs => $2), clock_timestamp())
         on conflict (name) do update set held_until = excluded.held_until
         where present.held_until <= clock_timestamp() and present.due_at <= clock_timestamp()
         returning name",
        chore,
        hold.as_secs_f64(),
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(taken.is_some())
}

/// Gives the turn back. After a success the chore is due again in `rest`, on whichever node; after a failure at once.
pub(super) async fn end_turn(db: &Db, chore: &str, rest: Option<Duration>) -> Result<()> {
    let mut transaction = db.begin().await?;
    sqlx::query!(
        "update chores
         set held_until = clock_timestamp(),
             due_at = clock_timestamp() + make_interval(secs => coalesce($2::float8, 0)),
             succeeded_at = case when $2 is null then succeeded_at else clock_timestamp() end
         where name = $1",
        chore,
        rest.map(|rest| rest.as_secs_f64()),
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// How the turns of one chore stand.
pub(super) struct Turn {
    pub(super) name: String,
    pub(super) running: bool,
    pub(super) succeeded_at: Option<Time>,
}

pub(super) async fn list_turns(db: &Db) -> Result<Vec<Turn>> {
    let turns = sqlx::query_as!(
        Turn,
        r#"select name, held_until > clock_timestamp() as "running!", succeeded_at from chores"#,
    )
    .fetch_all(db.reads())
    .await?;
    Ok(turns)
}

/// Makes a chore due, unless a node is doing it.
pub(super) async fn make_due(db: &Db, chore: &str) -> Result<()> {
    let mut transaction = db.begin().await?;
    sqlx::query!("update chores set due_at = clock_timestamp() where name = $1", chore)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
