//! strongroom: a private npm registry that anyone can run.
//!
//! The modules stand in rank order: each may use those above it, never those below. `docs/architecture.md` has the map.

pub mod names; // 1  words as types, each with one parser
pub mod clock; // 1  the time, as a value
pub mod policy; // 2  may this actor do this to this package?
pub mod error; // 3  what can go wrong, seen from outside
pub mod config; // 3  defaults, file, environment, flags
pub mod db; // 3  Postgres: pools, migrations, the channel of changes, the embedded one
pub mod blobs; // 3  package files by the hash of their bytes
pub mod audit; // 3  who did what
pub mod users; // 4  accounts and passwords
pub mod billing; // 4  the billing flag
pub mod tokens; // 4  credential to actor
pub mod access; // 4  visibility and collaborators; permits
pub mod packages; // 4  publish, packument, tarball; what is kept in memory
