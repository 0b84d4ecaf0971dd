//! Background work: who does it, and what a node tells of it.

use std::time::Duration;

use strongroom::chores::{self, Chore};

use crate::support::app::TestApp;

async fn successes(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from chores where succeeded_at is not null and due_at > now()")
        .fetch_one(&app.pool().await)
        .await
        .expect("a count")
}

/// Every chore on an empty database: a name twice, or one that cannot run, is found here.
#[tokio::test]
async fn every_chore_can_be_done_by_its_name() {
    let app = TestApp::new().await;
    let mut names: Vec<_> = chores::all().iter().map(|chore| chore.name).collect();
    for name in &names {
        app.run_chore(name).await;
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), chores::all().len());
    assert_eq!(app.app.run_chore("nothing").await.expect_err("no such chore").status(), 404);
}

#[tokio::test]
async fn a_stopped_node_begins_nothing_and_leaves_nothing_running() {
    let app = TestApp::new().await;
    let tending = chores::start(&app.app);
    tending.stopping().cancel();
    tokio::time::timeout(Duration::from_secs(20), tending.stop(Duration::from_secs(10))).await.expect("an end");
    let started = "select count(*) from chores";
    let turns: i64 = sqlx::query_scalar(started).fetch_one(&app.pool().await).await.expect("a count");
    assert_eq!(turns, 0, "a turn was taken though the node was stopping");
}

#[tokio::test]
async fn what_one_node_has_done_no_other_does_again() {
    let app = TestApp::new().await;
    let second = app.second_node().await;
    let chore = Chore::one_node("test.nothing", Duration::from_mins(10), |_| Box::pin(async { Ok(()) }));
    assert!(chore.take_part(&app.app).await.expect("a run"), "nobody else has the turn");
    assert!(!chore.take_part(&second.app).await.expect("a run"), "it is not due");
    assert_eq!(successes(&app).await, 1);

    let pool = app.pool().await;
    let again = "update chores set due_at = now(), held_until = now() + interval '1 minute'";
    sqlx::query(again).execute(&pool).await.expect("an update");
    assert!(!chore.take_part(&second.app).await.expect("a run"), "somebody holds the turn");
    sqlx::query("update chores set held_until = now()").execute(&pool).await.expect("an update");
    assert!(chore.take_part(&second.app).await.expect("a run"), "whoever held it is gone");
}

#[tokio::test]
async fn a_panic_in_a_chore_is_a_failure_and_the_turn_is_given_back() {
    let app = TestApp::new().await;
    let chore = Chore::one_node("test.panic", Duration::from_mins(10), |_| Box::pin(async { panic!("on purpose") }));
    for _ in 0..2 {
        let failure = chore.take_part(&app.app).await.expect_err("a failure");
        assert_eq!(failure.status(), 500, "the second time it was this node's turn again");
    }
    assert_eq!(successes(&app).await, 0);
}
