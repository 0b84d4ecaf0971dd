//! The test databases themselves.

use sqlx::{Connection, PgConnection};

use crate::support::database::TestDatabase;

const ADD_ALICE: &str = "insert into accounts (name, kind, email, paid, created_at, updated_at)
                         values ('alice', 'user', 'alice@example.com', true, now(), now())";

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let [one, other] = [TestDatabase::create().await, TestDatabase::create().await];
    let [one, other] = [one.pool(3).await, other.pool(3).await];
    sqlx::query(ADD_ALICE).execute(&one).await.expect("a table");
    let count: i64 = sqlx::query_scalar("select count(*) from accounts").fetch_one(&other).await.expect("a table");
    assert_eq!(count, 0);
}

#[tokio::test]
async fn url_reaches_the_same_database() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect(&database.url).await.expect("a good address");
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&mut connection).await.expect("an answer");
    assert!(name.starts_with("test_"), "{name}");
}
