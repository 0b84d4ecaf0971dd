//! The folder for package files fails: reads go on where they can, and nothing is half stored.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::future::join_all;
use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::support::PATIENCE;
use crate::support::client::{Client, Reply};
use crate::support::database::TestDatabase;
use crate::support::package::{Release, noise};
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;
use crate::support::within;

/// Above this size tarballs are read from the disk each time.
const LARGE: usize = (1 << 20) + 1000;

/// A small file system of our own, unmounted when dropped.
struct SmallDisk {
    place: Place,
    _directory: TempDir,
}

impl SmallDisk {
    /// Mounts it where the package files of `place` go; `None` where this process may not mount.
    fn below(place: &Place, directory: TempDir) -> Option<Self> {
        let path = place.blob_dir();
        fs::create_dir_all(&path).expect("a folder");
        let mounted = geteuid().is_root() && mount(&["-t", "tmpfs", "-o", "size=8m", "tmpfs"], &path);
        if !mounted {
            eprintln!("skipped: this process may not mount file systems");
        }
        mounted.then(|| Self { place: place.clone(), _directory: directory })
    }

    fn remount(&self, mode: &str) {
        assert!(mount(&["-o", &format!("remount,{mode}")], &self.place.blob_dir()), "the disk stays as it is");
    }

    /// Writes until nothing more goes in; the file that holds the space is returned.
    fn fill(&self) -> PathBuf {
        let path = self.place.blob_dir().join("filler");
        let mut file = File::create(&path).expect("a file");
        for size in [1 << 16, 512] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.place.blob_dir()).status();
    }
}

fn mount(arguments: &[&str], path: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

/// A server with a small and a large package, both already published.
struct Scene {
    server: Server,
    alice: Client,
    small: Release,
    large: Release,
}

impl Scene {
    async fn on(place: &Place) -> Self {
        let server = Server::start_aside(place).await;
        let alice = Client::sign_up(server.address, "alice").await;
        let small = Release::new("@alice/small", "1.0.0", b"small");
        let large = Release::new("@alice/large", "1.0.0", &noise(LARGE, 7));
        for release in [&small, &large] {
            assert_eq!(alice.publish(release).await.status, 201);
            release.assert_served(&alice).await;
        }
        Self { server, alice, small, large }
    }

    /// The next version of the large package cannot be stored; everything else goes on.
    async fn assert_refused(&self, place: &Place, statuses: &[u16]) {
        let next = Self::next_release();
        let reply = self.alice.publish(&next).await;
        reply.assert_outage(statuses);
        assert!(!next.is_listed(&self.alice).await, "half stored");
        assert!(self.large.is_listed(&self.alice).await);
        assert_eq!(place.staged_files(), 0, "a file was left in the staging folder");
        assert_eq!(self.alice.get("/-/ping").await.status, 200);
        within(PATIENCE, "it says so", async || self.alice.get("/-/readyz").await.status == 503).await;
    }

    async fn assert_recovered(&self) {
        let next = Self::next_release();
        assert_eq!(self.alice.publish(&next).await.status, 201, "{}", self.server.said());
        next.assert_served(&self.alice).await;
        within(PATIENCE, "it says so", async || self.alice.get("/-/readyz").await.status == 200).await;
    }

    fn next_release() -> Release {
        Release::new("@alice/large", "1.0.1", &noise(LARGE, 8))
    }
}

#[tokio::test]
async fn a_full_disk_refuses_publishes_until_there_is_space() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let Some(disk) = SmallDisk::below(&place, directory) else { return };
    let scene = Scene::on(&place).await;
    let filler = disk.fill();
    scene.assert_refused(&place, &[507]).await;
    scene.small.assert_served(&scene.alice).await;
    scene.large.assert_served(&scene.alice).await;
    fs::remove_file(filler).expect("the filler");
    scene.assert_recovered().await;
}

#[tokio::test]
async fn a_read_only_disk_refuses_publishes_until_it_can_be_written() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let Some(disk) = SmallDisk::below(&place, directory) else { return };
    let scene = Scene::on(&place).await;
    disk.remount("ro");
    scene.assert_refused(&place, &[503]).await;
    scene.small.assert_served(&scene.alice).await;
    scene.large.assert_served(&scene.alice).await;
    disk.remount("rw");
    scene.assert_recovered().await;
}

#[tokio::test]
async fn a_lost_folder_is_an_outage_until_it_is_back() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let scene = Scene::on(&place).await;
    let (folder, elsewhere) = (place.blob_dir(), directory.path().join("elsewhere"));
    fs::rename(&folder, &elsewhere).expect("the folder");
    fs::write(&folder, "a file in its place").expect("a file");
    scene.assert_refused(&place, &[503]).await;
    scene.small.assert_served(&scene.alice).await;
    scene.alice.get(&scene.large.tarball_path()).await.assert_outage(&[503]);
    fs::remove_file(&folder).expect("the file");
    fs::rename(&elsewhere, &folder).expect("the folder");
    scene.large.assert_served(&scene.alice).await;
    scene.assert_recovered().await;
}

#[tokio::test]
async fn readiness_does_not_depend_on_how_many_ask_at_once() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let server = Server::start_aside(&Place::external(&database.url, directory.path())).await;
    let prober = Client::anonymous(server.address);
    within(PATIENCE, "the node hears", async || prober.get("/-/readyz").await.status == 200).await;
    for reply in join_all((0..100).map(|_| prober.get("/-/readyz"))).await {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

#[tokio::test]
async fn uploads_that_a_killed_server_left_are_swept_at_the_next_start() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    drop(Server::start_aside(&place).await);
    fs::write(place.blob_dir().join("staging/upload-left"), "half a tarball").expect("a file");
    let _server = Server::start_aside(&place).await;
    within(PATIENCE, "the upload that nobody goes on with is swept", async || place.staged_files() == 0).await;
}

#[tokio::test]
async fn a_starting_node_leaves_the_uploads_of_its_neighbours_alone() {
    let (database, directory) = (TestDatabase::create().await, data_dir());
    let place = Place::external(&database.url, directory.path());
    let server = Server::start_aside(&place).await;
    let alice = Client::sign_up(server.address, "alice").await;
    let release = Release::new("@alice/slow", "1.0.0", &noise(100_000, 9));
    let (mut stream, rest) = alice.begin_publish(&release).await;
    within(PATIENCE, "the upload has begun", async || place.staged_files() == 1).await;
    fs::write(place.blob_dir().join("staging/upload-left"), "half a tarball").expect("a file");

    let _neighbour = Server::start_aside(&place).await;
    within(PATIENCE, "the upload that nobody goes on with is swept", async || place.staged_files() == 1).await;
    stream.write_all(&rest).await.expect("a listener");
    let reply = Reply::read(&mut stream).await.expect("an answer");
    assert_eq!(reply.status, 201, "{}", reply.text());
    release.assert_served(&alice).await;
}
