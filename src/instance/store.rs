//! The SQL of the instance and of its setup.

use sqlx::{PgConnection, PgPool};

use crate::clock::Time;
use crate::config::Signup;
use crate::error::Result;

use super::banner::Banner;

/// What the setup page was told.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) name: Option<String>,
    pub(super) signup: Option<Signup>,
}

pub(super) async fn find(pool: &PgPool) -> Result<Kept> {
    let row = sqlx::query!("select name, signup from instance").fetch_optional(pool).await?;
    Ok(row.map_or_else(Kept::default, |row| Kept { name: row.name, signup: row.signup.as_deref().and_then(read) }))
}

pub(super) async fn keep(connection: &mut PgConnection, name: Option<&str>, signup: Signup, now: Time) -> Result<()> {
    sqlx::query!(
        "insert into instance (name, signup, updated_at) values ($1, $2, $3)
         on conflict (one) do update
         set name = excluded.name, signup = excluded.signup, updated_at = excluded.updated_at",
        name,
        word(signup),
        now,
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) fn word(signup: Signup) -> &'static str {
    match signup {
        Signup::Open => "open",
        Signup::Invite => "invite",
        Signup::Closed => "closed",
    }
}

fn read(word: &str) -> Option<Signup> {
    [Signup::Open, Signup::Invite, Signup::Closed].into_iter().find(|signup| self::word(*signup) == word)
}

pub(super) async fn insert_code(connection: &mut PgConnection, digest: &[u8], now: Time) -> Result<()> {
    sqlx::query!("insert into setup_codes (digest, created_at) values ($1, $2)", digest, now)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn has_code(pool: &PgPool, digest: &[u8]) -> Result<bool> {
    let known = sqlx::query_scalar!(r#"select exists (select from setup_codes where digest = $1) as "known!""#, digest);
    Ok(known.fetch_one(pool).await?)
}

/// Takes all codes away. Who comes second waits here for the first, and finds none.
pub(super) async fn take_codes(connection: &mut PgConnection) -> Result<Vec<Vec<u8>>> {
    Ok(sqlx::query_scalar!("delete from setup_codes returning digest").fetch_all(connection).await?)
}

pub(super) async fn nobody_has_an_account(connection: &mut PgConnection) -> Result<bool> {
    let empty = sqlx::query_scalar!(r#"select not exists (select from accounts) as "empty!""#);
    Ok(empty.fetch_one(connection).await?)
}

pub(super) async fn find_banner(pool: &PgPool) -> Result<Option<Banner>> {
    let banner = sqlx::query_as!(Banner, "select sentence, urgent, until from banners").fetch_optional(pool).await?;
    Ok(banner)
}

pub(super) async fn keep_banner(connection: &mut PgConnection, banner: Option<&Banner>, now: Time) -> Result<()> {
    sqlx::query!("delete from banners").execute(&mut *connection).await?;
    if let Some(banner) = banner {
        sqlx::query!(
            "insert into banners (sentence, urgent, until, created_at) values ($1, $2, $3, $4)
             on conflict (one) do update
             set sentence = excluded.sentence, urgent = excluded.urgent, until = excluded.until",
            banner.sentence,
            banner.urgent,
            banner.until,
            now,
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}
