//! Real clients against a listening server, from homes of their own.
//!
//! Each npm of [`client::WANTED`] lives through each chapter of [`chapters::ALL`]: the whole story, login to bill. Each
//! client, npm or not, tries each command it has of [`commands::ALL`]; what counts is the effect, not the exit code. A
//! table of clients and steps is printed at the end, whatever the test runner captures. Clients are fetched once, by the
//! npm of this machine, and kept under the target folder; one that cannot be had is skipped aloud.
//! `CLIENTS="npm 6,bun 1"` and `CHAPTERS=billing,sharing` run a part.

mod browser;
mod cast;
mod chapters;
#[path = "../support/ci.rs"]
mod ci;
mod client;
mod commands;
mod families;
mod fetch;
#[path = "../support/fetched.rs"]
mod fetched;
#[path = "../support/issuer.rs"]
#[expect(dead_code, reason = "the other tests change keys and have several kinds")]
mod issuer;
mod package;
mod person;
#[path = "../support/process.rs"]
mod process;
mod project;
mod report;
mod server;
mod telling;
#[path = "../support/terminal.rs"]
mod terminal;
mod totp;
mod wire;

use std::collections::VecDeque;
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use cast::Stage;
use chapters::Chapter;
use client::Client;
use process::say;
use report::Report;
use server::Server;
use telling::Telling;

#[test]
fn every_client_lives_through_every_chapter() {
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

/// What one worker does at a stretch.
enum Job<'a> {
    Chapter(&'static Chapter, &'a Client),
    Commands(&'a Client),
}

/// The long ones first. The npm of this machine is one of the others as a rule, and has their commands.
fn jobs(clients: &[Client]) -> VecDeque<Job<'_>> {
    let apart = clients.iter().filter(|client| client.start.program != Path::new("npm"));
    let commands = apart.map(Job::Commands);
    let chapters = chapters::ALL.iter().filter(|chapter| is_asked_for("CHAPTERS", chapter.name));
    let stories = chapters.flat_map(|chapter| {
        let npms = clients.iter().filter(|client| client.is_npm());
        npms.map(move |client| Job::Chapter(chapter, client))
    });
    commands.chain(stories).collect()
}

/// Does every job, a few at a time; they share nothing but the server.
fn tell_all(server: &Server, clients: &[Client]) -> Vec<Telling> {
    let jobs = Mutex::new(jobs(clients));
    let told = Mutex::new(Vec::new());
    let next = || jobs.lock().expect("no worker panics").pop_front();
    thread::scope(|scope| {
        for _ in 0..workers() {
            scope.spawn(|| {
                while let Some(job) = next() {
                    let tellings = tell(server, &job);
                    told.lock().expect("no worker panics").extend(tellings);
                }
            });
        }
    });
    told.into_inner().expect("no worker panics")
}

fn tell(server: &Server, job: &Job<'_>) -> Vec<Telling> {
    match *job {
        Job::Commands(client) => commands::tell(server, client, |area| is_asked_for("CHAPTERS", area)),
        Job::Chapter(chapter, client) => {
            let stage = Stage::new(server, client, chapter.name);
            vec![Telling::of(chapter.name, client, |telling| (chapter.tell)(&stage, telling))]
        }
    }
}

/// One more than there are processors: some chapters wait.
fn workers() -> usize {
    thread::available_parallelism().map_or(2, NonZero::get) + 1
}

/// Whether a comma-separated list in the environment names it; without the list, everything is asked for.
fn is_asked_for(variable: &str, name: &str) -> bool {
    std::env::var(variable).map_or(true, |list| list.split(',').any(|one| one.trim() == name))
}
