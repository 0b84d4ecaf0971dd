//! The test databases themselves.

use std::time::Instant;

use crate::support::database::TestDatabase;

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let [one, other] = [TestDatabase::create().await, TestDatabase::create().await];
    let [one, other] = [one.pool(3).await, other.pool(3).await];
    sqlx::query("insert into users (name) values ('alice')").execute(&one).await.expect("a table");
    let count: i64 = sqlx::query_scalar("select count(*) from users").fetch_one(&other).await.expect("a table");
    assert_eq!(count, 0);
}

#[tokio::test]
async fn url_reaches_the_same_database() {
    use sqlx::Connection;
    let database = TestDatabase::create().await;
    let mut connection = sqlx::PgConnection::connect(&database.url).await.expect("a good address");
    let name: String =
        sqlx::query_scalar("select current_database()::text").fetch_one(&mut connection).await.expect("an answer");
    assert!(name.starts_with("test_"), "{name}");
}

#[tokio::test]
async fn clones_are_fast() {
    TestDatabase::create().await;
    let start = Instant::now();
    for _ in 0..10 {
        TestDatabase::create().await;
    }
    eprintln!("a clone takes {:?}", start.elapsed() / 10);
}
