//! The pages in a real browser: headless Chromium, driven by its `chromedriver`, against a registry that listens.
//!
//! [`catalogue`] lists every page in its states; what holds for all pages is asked of all of it. The journeys are played
//! from start to end, with the scripts of pages switched on and off. Chromium that cannot be had is skipped aloud.

mod axe;
mod browser;
mod catalogue;
mod checks;
#[path = "../support/ci.rs"]
#[expect(dead_code, reason = "the tests with clients have more services")]
mod ci;
mod driver;
mod elsewhere;
mod everywhere;
#[path = "../support/fetched.rs"]
mod fetched;
mod house;
mod journeys;
mod log;
mod npm;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "the tests with clients say more to them")]
mod process;
mod screenshots;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the other tests look at more")]
mod support;
#[path = "../support/terminal.rs"]
#[expect(dead_code, reason = "the tests with clients type more")]
mod terminal;
mod texts;
mod watching;
mod world;

use support::issuer;
