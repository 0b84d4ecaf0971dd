//! Client by command: every client tries every command that it has words for.
//!
//! The people of a client are the same in all areas; each area has packages of its own. Whether a command did what it
//! should is seen on the wire, by another person, or in what is on disk afterwards.

mod account;
mod finding;
mod installing;
mod life;
mod organizations;
mod publishing;
mod session;
mod sharing;
mod signatures;
mod staging;
mod trust;

use std::thread;
use std::time::Duration;

use crate::cast::{Cast, Stage};
use crate::client::Client;
use crate::families::Family;
use crate::server::Server;
use crate::telling::Telling;

/// Commands that belong together.
pub(crate) struct Area {
    pub(crate) name: &'static str,
    tell: fn(&Scene<'_>, &mut Telling),
}

/// In the order of the table.
pub(crate) const ALL: &[Area] = &[
    Area { name: "session commands", tell: session::tell },
    Area { name: "publish commands", tell: publishing::tell },
    Area { name: "install commands", tell: installing::tell },
    Area { name: "life commands", tell: life::tell },
    Area { name: "sharing commands", tell: sharing::tell },
    Area { name: "organization commands", tell: organizations::tell },
    Area { name: "account commands", tell: account::tell },
    Area { name: "stage commands", tell: staging::tell },
    Area { name: "trust commands", tell: trust::tell },
    Area { name: "signature commands", tell: signatures::tell },
    Area { name: "finding commands", tell: finding::tell },
];

/// Where commands are tried: Alice owns what is published, Bob is let in, Carol is not.
struct Scene<'a> {
    stage: &'a Stage<'a>,
    client: &'a Client,
    cast: Cast<'a>,
}

impl Scene<'_> {
    /// vlt takes every answer for fresh for a second, whatever it is told; nothing but the time ends that.
    fn outlive_caches(&self) {
        if self.client.family == Family::Vlt {
            thread::sleep(Duration::from_secs(2));
        }
    }
}

/// Tries the commands of every area that is asked for.
pub(crate) fn tell(server: &Server, client: &Client, is_asked_for: impl Fn(&str) -> bool) -> Vec<Telling> {
    let areas: Vec<_> = ALL.iter().filter(|area| is_asked_for(area.name)).collect();
    if areas.is_empty() {
        return Vec::new();
    }
    let stage = Stage::new(server, client, "commands");
    let scene = Scene { stage: &stage, client, cast: stage.cast() };
    areas.into_iter().map(|area| Telling::of(area.name, client, |telling| (area.tell)(&scene, telling))).collect()
}
