//! The program through good and bad days, as the processes that an operator runs.
//!
//! A binary of its own, because these tests hold the server to its times and want the machine to themselves.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says aloud what it skips"
)]

mod support;

mod clients;
mod crash;
mod embedded;
mod nodes;
mod outage;
mod races;
mod serve;
mod storage;
