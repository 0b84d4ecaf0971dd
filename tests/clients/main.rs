//! The whole story with real npm clients: they log in, publish, share, pay and install against a listening server.
//!
//! Each client of [`client::WANTED`] lives through each chapter of [`chapters::ALL`]; a table of clients and steps is
//! printed at the end, whatever the test runner captures. Clients are fetched once, by the npm of this machine, and kept
//! under the target folder; one that cannot be had is skipped aloud. `CLIENTS="npm 6,npm 11"` and `CHAPTERS=billing` run
//! a part.

mod cast;
mod chapters;
mod client;
mod fetch;
mod package;
mod person;
mod process;
mod project;
mod report;
mod server;
mod telling;

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

use cast::Stage;
use chapters::Chapter;
use client::Client;
use report::{Report, say};
use server::Server;
use telling::Telling;

#[test]
fn every_npm_lives_through_every_chapter() {
    let mut report = Report::default();
    let clients = present_clients(&mut report);
    let server = Server::start();
    let told = tell_all(&server, &clients);
    report.add_all(told);
    say(&report.to_string());
    assert!(!report.has_failures(), "some steps failed:\n{report}");
}

/// The clients that were asked for and are there; the report remembers why the others are not.
fn present_clients(report: &mut Report) -> Vec<Client> {
    let wanted = client::WANTED.iter().filter(|wanted| is_asked_for("CLIENTS", wanted.label));
    let mut present = Vec::new();
    for wanted in wanted {
        match fetch::find(wanted) {
            Ok(client) => present.push(client),
            Err(reason) => {
                say(&format!("{}: skipped: {reason}", wanted.label));
                report.add_absent(wanted.label, reason);
            }
        }
    }
    present
}

/// Tells every chapter to every client, a few at a time; chapters share nothing but the server.
fn tell_all(server: &Server, clients: &[Client]) -> Vec<Telling> {
    let chapters = chapters::ALL.iter().filter(|chapter| is_asked_for("CHAPTERS", chapter.name));
    let jobs: VecDeque<_> = chapters.flat_map(|chapter| clients.iter().map(move |client| (chapter, client))).collect();
    let jobs = Mutex::new(jobs);
    let told = Mutex::new(Vec::new());
    let next = || jobs.lock().expect("no worker panics").pop_front();
    thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                while let Some((chapter, client)) = next() {
                    let telling = tell(server, chapter, client);
                    told.lock().expect("no worker panics").push(telling);
                }
            });
        }
    });
    told.into_inner().expect("no worker panics")
}

fn tell(server: &Server, chapter: &Chapter, client: &Client) -> Telling {
    let stage = Stage::new(server, client, chapter.name);
    Telling::of(chapter.name, client, |telling| (chapter.tell)(&stage, telling))
}

/// One more than there are processors: some chapters wait.
fn workers() -> usize {
    thread::available_parallelism().map_or(2, NonZero::get) + 1
}

/// Whether a comma-separated list in the environment names it; without the list, everything is asked for.
fn is_asked_for(variable: &str, name: &str) -> bool {
    std::env::var(variable).map_or(true, |list| list.split(',').any(|one| one.trim() == name))
}
