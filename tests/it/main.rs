//! The integration tests, in one binary.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says aloud what it skips"
)]

#[path = "../support/mod.rs"]
mod support;

mod access_page;
mod account;
mod account_tokens;
mod advisories;
mod arriving;
mod bad_input;
mod batches;
mod causes;
mod chores;
mod contents;
mod counting;
mod databases;
mod dist_tags;
mod exports;
mod feeding;
mod first_setup;
mod hooks;
mod inviting;
mod leaks;
mod mail;
mod manual;
mod noticing;
mod organizations;
mod package_pages;
mod package_settings;
mod pages;
mod passkeys;
mod policy_table;
mod profile;
mod provenance;
mod publishing;
mod ranks;
mod reading;
mod recovery;
mod routes;
mod searching;
mod second_factor;
mod second_factor_table;
mod session;
mod sharing;
mod signatures;
mod staging;
mod stars;
mod storage;
mod terminal_login;
mod tokens;
mod trust;
mod unpublishing;
mod web_access;
mod web_admin;
mod web_home;
mod web_organizations;
mod web_package_settings;
mod web_routes;
