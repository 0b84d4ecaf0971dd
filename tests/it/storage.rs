//! Package files on the disk, and what is swept from there.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::app::{Package, Person, TestApp};

const TWO_DAYS: Duration = Duration::from_hours(48);

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn age(path: &Path) {
    let file = std::fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(SystemTime::now() - TWO_DAYS).expect("a time");
}

/// Publishes one version, and other bytes under the same number, which lose: a file that nothing points at.
async fn publish_and_lose(app: &TestApp) -> Person<'_> {
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/kept", "1.0.0")).await.expect(201);
    let other = Package { files: vec![("n".into(), vec![1])], ..Package::new("@alice/kept", "1.0.0") };
    alice.publish(&other).await.expect(409);
    alice
}

async fn age_rows(app: &TestApp) {
    sqlx::query("update blobs set touched_at = touched_at - interval '2 days'")
        .execute(&app.pool().await)
        .await
        .expect("an update");
}

#[tokio::test]
async fn what_nothing_points_at_is_swept_after_a_day_and_nothing_else() {
    let app = TestApp::new().await;
    let alice = publish_and_lose(&app).await;
    let blobs = app.folder().join("blobs");
    assert_eq!(files_below(&blobs.join("sha512")).len(), 2);
    app.run_chore("blobs.sweep").await;
    assert_eq!(files_below(&blobs.join("sha512")).len(), 2, "everything is young");

    age_rows(&app).await;
    for path in files_below(&blobs) {
        age(&path);
    }
    app.run_chore("blobs.sweep").await;
    assert_eq!(files_below(&blobs.join("sha512")).len(), 1);
    alice.get("/@alice/kept/-/kept-1.0.0.tgz").await.expect(200);
}

/// The sweeper lost its transaction, and with it the lock that holds off a publish of the same bytes.
#[tokio::test]
async fn a_young_file_is_never_swept_whatever_its_row_says() {
    let app = TestApp::new().await;
    publish_and_lose(&app).await;
    age_rows(&app).await;
    let mut transaction = app.app.db.begin().await.expect("a transaction");
    app.app.blobs.sweep(&mut transaction, app.clock.now()).await.expect("a sweep");
    drop(transaction);
    assert_eq!(files_below(&app.folder().join("blobs/sha512")).len(), 2);
}

#[tokio::test]
async fn a_file_that_is_gone_is_an_outage_and_never_a_missing_package() {
    let app = TestApp::new().await;
    let alice = app.user("alice").await;
    alice.publish(&Package::new("@alice/lost", "1.0.0")).await.expect(201);
    for path in files_below(&app.folder().join("blobs/sha512")) {
        std::fs::remove_file(path).expect("a file");
    }
    let answer = alice.get("/@alice/lost/-/lost-1.0.0.tgz").await.expect(503);
    assert!(!answer.header("retry-after").is_empty());
}
