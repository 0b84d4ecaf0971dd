//! The server is killed, again and again, in the middle of many publishes: what was acknowledged is there, whole, and
//! what was refused is not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::dice::Dice;
use crate::support::package::{Release, noise};
use crate::support::place::{Place, data_dir};
use crate::support::server::Server;
use crate::support::{PATIENCE, within};

/// How often the server is killed.
const KILLS: usize = 20;
/// Who publishes at once.
const PUBLISHERS: [&str; 4] = ["ann", "ben", "cat", "dan"];
/// The package that all of them publish to, beside one of their own.
const SHARED: &str = "@ann/shared";
/// The longest that a start after a crash may take.
const RESTART_LIMIT: Duration = Duration::from_secs(10);
/// The longest that a storm lasts before the server is killed.
const STORM: Duration = Duration::from_millis(700);
/// One of so many publishes is one that must be refused.
const DAMAGED: u64 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_twenty_kills_and_nothing_else_appears() {
    let directory = data_dir();
    let place = Place::embedded(directory.path());
    let mut dice = Dice::announced();
    let (mut server, mut publishers) = set_up(&place).await;
    let mut ledger = Ledger::default();
    for round in 0..KILLS {
        let storm = tokio::spawn(storm(publishers));
        tokio::time::sleep(dice.time_below(STORM)).await;
        server.kill();
        let outcomes;
        (publishers, outcomes) = storm.await.expect("no panic");
        for outcome in outcomes {
            ledger.note(outcome);
        }
        server = start_again(&place, round).await;
        for publisher in &mut publishers {
            publisher.client = publisher.client.at(server.address);
        }
        ledger.hold_against(&publishers).await;
    }
    ledger.assert_all_served(&publishers).await;
    within(PATIENCE, "what the kills left in the staging folder is swept", async || place.staged_files() == 0).await;
    assert!(server.stop().success());
    let Ledger { ever_published, ever_cut_off, ever_done_unsaid, .. } = ledger;
    eprintln!("{ever_published} publishes, {ever_cut_off} cut off, {ever_done_unsaid} of those done all the same");
}

/// A first start, with people who may publish to the package that they share.
async fn set_up(place: &Place) -> (Server, Vec<Publisher>) {
    let server = Server::start_aside(place).await;
    let clients = join_all(PUBLISHERS.map(|name| Client::sign_up(server.address, name))).await;
    let first = Release::new(SHARED, "0.0.1", b"the first");
    assert_eq!(clients[0].publish(&first).await.status, 201);
    for name in &PUBLISHERS[1..] {
        place.run_aside(&["access", "grant", SHARED, name, "read-write"]).await;
    }
    let publishers = clients.into_iter().zip(0..).map(|(client, number)| Publisher { client, number, published: 0 });
    (server, publishers.collect())
}

async fn start_again(place: &Place, round: usize) -> Server {
    let began = Instant::now();
    let server = Server::start_aside(place).await;
    assert!(began.elapsed() < RESTART_LIMIT, "start {round} took {:?}", began.elapsed());
    server
}

/// All publish until the server is gone.
async fn storm(mut publishers: Vec<Publisher>) -> (Vec<Publisher>, Vec<Outcome>) {
    let outcomes = join_all(publishers.iter_mut().map(Publisher::publish_until_cut_off)).await;
    (publishers, outcomes.into_iter().flatten().collect())
}

/// Somebody who publishes one version after the other, each with bytes of its own.
#[derive(Debug)]
struct Publisher {
    client: Client,
    number: usize,
    published: u64,
}

impl Publisher {
    async fn publish_until_cut_off(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        loop {
            let release = self.next_release();
            match self.client.try_publish(&release).await {
                Ok(reply) if reply.status == 201 => outcomes.push(Outcome::Acknowledged(release)),
                Ok(reply) if reply.status == 422 => outcomes.push(Outcome::Refused(release)),
                // Postgres dies with the server, and perhaps a moment before it.
                Ok(reply) => {
                    reply.assert_outage(&[503]);
                    outcomes.push(Outcome::CutOff(release));
                }
                Err(_) => {
                    outcomes.push(Outcome::CutOff(release));
                    return outcomes;
                }
            }
        }
    }

    fn next_release(&mut self) -> Release {
        self.published += 1;
        let (publisher, count) = (self.number, self.published);
        let own = format!("@{}/own", PUBLISHERS[publisher]);
        let name = if count.is_multiple_of(2) { SHARED } else { &own };
        let size = 500 + usize::try_from(count % 7).expect("a small number") * 3000;
        let release = Release::new(name, &format!("1.{publisher}.{count}"), &noise(size, count));
        if count.is_multiple_of(DAMAGED) { release.damaged() } else { release }
    }
}

/// What became of a publish, as far as its publisher knows.
enum Outcome {
    Acknowledged(Release),
    Refused(Release),
    CutOff(Release),
}

/// What the registry promised so far.
#[derive(Default)]
struct Ledger {
    acknowledged: Vec<Release>,
    /// Those of the acknowledged whose bytes have been looked at.
    looked_at: usize,
    refused: Vec<Release>,
    cut_off: Vec<Release>,
    ever_cut_off: usize,
    ever_done_unsaid: usize,
    ever_published: usize,
}

impl Ledger {
    fn note(&mut self, outcome: Outcome) {
        self.ever_published += 1;
        match outcome {
            Outcome::Acknowledged(release) => self.acknowledged.push(release),
            Outcome::Refused(release) => self.refused.push(release),
            Outcome::CutOff(release) => {
                self.ever_cut_off += 1;
                self.cut_off.push(release);
            }
        }
    }

    /// Fails the test unless the restarted server keeps every promise. What was cut off is published again.
    async fn hold_against(&mut self, publishers: &[Publisher]) {
        let before = Packuments::read(publishers).await;
        for release in &self.acknowledged {
            assert!(before.list(release), "{}@{} was acknowledged and is lost", release.name, release.version);
        }
        for release in &self.refused {
            assert!(!before.list(release), "{}@{} was refused and is there", release.name, release.version);
        }
        for release in &self.acknowledged[self.looked_at..] {
            release.assert_served(publisher_of(release, publishers)).await;
        }
        for release in std::mem::take(&mut self.cut_off) {
            let publisher = publisher_of(&release, publishers);
            if before.list(&release) {
                self.ever_done_unsaid += 1;
                release.assert_served(publisher).await;
            }
            self.publish_again(release, publisher).await;
        }
        self.looked_at = self.acknowledged.len();
        Packuments::read(publishers).await.assert_list_only(&self.acknowledged);
    }

    /// A publisher who does not know sends the same bytes again, as npm does.
    async fn publish_again(&mut self, release: Release, publisher: &Client) {
        let reply = publisher.publish(&release).await;
        if reply.status == 422 {
            return self.refused.push(release);
        }
        assert_eq!(reply.status, 201, "{}@{}: {}", release.name, release.version, reply.text());
        release.assert_served(publisher).await;
        self.acknowledged.push(release);
    }

    async fn assert_all_served(&self, publishers: &[Publisher]) {
        for release in &self.acknowledged {
            release.assert_served(publisher_of(release, publishers)).await;
        }
    }
}

/// Who published a release: the second part of its version says.
fn publisher_of<'a>(release: &Release, publishers: &'a [Publisher]) -> &'a Client {
    let number: usize = release.version.split('.').nth(1).and_then(|part| part.parse().ok()).expect("a number");
    &publishers[number].client
}

/// The documents of all packages, by name.
struct Packuments(BTreeMap<String, Value>);

impl Packuments {
    async fn read(publishers: &[Publisher]) -> Self {
        let mut packuments = BTreeMap::new();
        for publisher in publishers {
            for name in [SHARED.to_owned(), format!("@{}/own", PUBLISHERS[publisher.number])] {
                let reply = publisher.client.get(&format!("/{}", name.replace('/', "%2f"))).await;
                match reply.status {
                    200 => drop(packuments.insert(name, reply.json())),
                    status => assert_eq!(status, 404, "{}", reply.text()),
                }
            }
        }
        Self(packuments)
    }

    fn list(&self, release: &Release) -> bool {
        self.0.get(&release.name).is_some_and(|packument| release.is_in(packument))
    }

    /// Fails the test unless these are all versions there are, and each tag points at one of them.
    fn assert_list_only(&self, releases: &[Release]) {
        for (name, packument) in &self.0 {
            let of_package = releases.iter().filter(|release| release.name == *name);
            let mut promised: BTreeSet<&str> = of_package.map(|release| release.version.as_str()).collect();
            if name == SHARED {
                promised.insert("0.0.1");
            }
            let versions = packument["versions"].as_object().expect("versions");
            assert_eq!(versions.keys().map(String::as_str).collect::<BTreeSet<_>>(), promised, "{name}");
            let latest = packument["dist-tags"]["latest"].as_str().expect("a tag");
            assert!(versions.contains_key(latest), "{name} has no version {latest}");
        }
    }
}
