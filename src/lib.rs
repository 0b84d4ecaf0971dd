//! strongroom: a private npm registry that anyone can run.
//!
//! The modules stand in rank order: each may use those above it, never those below. `docs/architecture.md` has the map.

pub mod access; // 4  visibility and collaborators; permits
pub mod app; // 5  builds every room once
pub mod audit; // 3  who did what
pub mod billing; // 4  the billing flag
pub mod blobs; // 3  package files by the hash of their bytes
pub mod cli;
pub mod clock; // 1  the time, as a value
pub mod config; // 3  defaults, file, environment, flags
pub mod db; // 3  Postgres: pools, migrations, the channel of changes, the embedded one
pub mod error; // 3  what can go wrong, seen from outside
pub mod http; // 5  what the faces share: who asks, bodies, errors, the server
pub mod names; // 1  words as types, each with one parser
pub mod ops; // 6  face: health
pub mod packages; // 4  publish, packument, tarball; what is kept in memory
pub mod policy; // 2  may this actor do this to this package?
pub mod registry;
pub mod telemetry; // 3  log lines
pub mod tokens; // 4  credential to actor
pub mod users; // 4  accounts and passwords // 6  face: npm's clients // 7  face: the command line
