//! The settings of the private Postgres, given as arguments so that each start has those of this release.

use std::path::Path;

use super::Profile;
use super::sockets::PORT;

/// Reached through a private socket only, frugal, quiet about data.
const COMMON: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("jit", "off"),
    // Containers often have 64 MB of shared memory, which parallel workers exhaust.
    ("max_parallel_workers_per_gather", "0"),
    ("max_parallel_maintenance_workers", "0"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_line_prefix", "[%p] "),
    // Neither statements nor the values that broke a constraint belong in a log.
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
];

/// What a server's data asks for.
const DURABLE: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("full_page_writes", "on"),
    ("synchronous_commit", "on"),
    ("max_connections", "40"),
    ("shared_buffers", "64MB"),
];

/// What tests ask for: fast, and worth nothing after a crash.
const DISPOSABLE: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("max_connections", "300"),
    ("shared_buffers", "128MB"),
    ("checkpoint_timeout", "1h"),
    ("max_wal_size", "4GB"),
    // Tests provoke errors by the hundred.
    ("log_min_messages", "log"),
];

/// The arguments of `postgres` for its socket directory and a profile.
pub(super) fn arguments(sockets: &Path, profile: Profile) -> Vec<String> {
    let of_profile = match profile {
        Profile::Durable => DURABLE,
        Profile::Disposable => DISPOSABLE,
    };
    let mut arguments = Vec::new();
    let mut set = |name: &str, value: &str| {
        arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    };
    set("unix_socket_directories", &sockets.to_string_lossy());
    set("port", &PORT.to_string());
    for (name, value) in COMMON.iter().chain(of_profile) {
        set(name, value);
    }
    arguments
}
