//! strongroom: a private npm registry that anyone can run.
//!
//! The modules stand in groups, one for each rank: a module may use those of the groups above its own, and rooms (rank 4)
//! may use each other in the order that `tests/it/ranks.rs` gives. `docs/architecture.md` has the map.

// 1  words of the product, as types and values
pub mod clock;
pub mod names;

// 2  the one decision: may this actor do this to this package, now?
pub mod policy;

// 3  the ground that rooms stand on
pub mod audit;
pub mod blobs;
pub mod config;
pub mod db;
pub mod error;
pub mod mail;
pub mod outgoing;
pub mod telemetry;
pub mod vault;

// 4  rooms: what the product does
pub mod access;
pub mod advisories;
pub mod billing;
pub mod contents;
pub mod dependencies;
pub mod downloads;
pub mod exports;
pub mod feeds;
pub mod hooks;
pub mod instance;
pub mod invitations;
pub mod leaks;
pub mod logins;
pub mod notices;
pub mod organizations;
pub mod packages;
pub mod readmes;
pub mod recovery;
pub mod search;
pub mod second_factor;
pub mod signatures;
pub mod staging;
pub mod tokens;
pub mod trust;
pub mod users;

// 5  what the faces share
pub mod http;

// 6  every room, built once, and the work that goes on in the background
pub mod app;
pub mod chores;

// 7  faces: npm's clients, the operator's tools, and people with a browser
pub mod ops;
pub mod registry;
pub mod web;

// 8  face: the command line
pub mod cli;
