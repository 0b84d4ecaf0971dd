//! The stairs of the house go down only: a module uses those of the groups above its own in `src/lib.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms use each other in this order only, though they stand in one group.
const ROOMS: &[&str] = &[
    "users",
    "instance",
    "second_factor",
    "billing",
    "tokens",
    "recovery",
    "logins",
    "access",
    "organizations",
    "invitations",
    "signatures",
    "packages",
    "contents",
    "readmes",
    "dependencies",
    "leaks",
    "staging",
    "trust",
    "search",
    "downloads",
    "feeds",
    "hooks",
    "notices",
    "advisories",
    "exports",
];

/// The modules of `src/lib.rs` with the number of their group.
fn ranks(source: &Path) -> BTreeMap<String, usize> {
    let library = std::fs::read_to_string(source.join("lib.rs")).expect("src/lib.rs");
    let mut rank = 0;
    let mut ranks = BTreeMap::new();
    for line in library.lines() {
        if let Some(number) = line.strip_prefix("// ").and_then(|rest| rest.split(' ').next()?.parse().ok()) {
            rank = number;
        }
        if let Some(module) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            ranks.insert(module.to_owned(), rank);
        }
    }
    ranks
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The modules that a text names as `crate::module`.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|one: char| !one.is_ascii_alphanumeric() && one != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

fn may_use(ranks: &BTreeMap<String, usize>, user: &str, used: &str) -> bool {
    let room = |module: &str| ROOMS.iter().position(|room| *room == module);
    match (room(user), room(used)) {
        (Some(user), Some(used)) => used <= user,
        _ => ranks[used] <= ranks[user],
    }
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let ranks = ranks(&source);
    assert!(ranks.len() > 15, "{ranks:?}");
    let mut offenders = Vec::new();
    for path in files_below(&source) {
        let inside = path.strip_prefix(&source).expect("below src");
        let first = inside.iter().next().and_then(|part| part.to_str()).expect("a name").trim_end_matches(".rs");
        if !ranks.contains_key(first) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source file");
        for used in uses(&text).filter(|used| ranks.contains_key(*used)) {
            if !may_use(&ranks, first, used) {
                offenders.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(offenders.is_empty(), "{}", offenders.join("\n"));
}
