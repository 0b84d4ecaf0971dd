//! The directories in which a Postgres may lie, without a look at whether it starts.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};

/// Where a release archive puts its Postgres.
pub(super) fn beside_executable() -> Vec<PathBuf> {
    let executable = env::current_exe().ok();
    let Some(beside) = executable.as_deref().and_then(Path::parent) else {
        return Vec::new();
    };
    ["postgres/bin", "../lib/strongroom/postgres/bin"].map(|relative| beside.join(relative)).into()
}

/// Directories in which systems keep a directory for each version: Debian, Red Hat, Homebrew, Postgres.app.
const VERSIONS_SIDE_BY_SIDE: [&str; 5] = [
    "/usr/lib/postgresql",
    "/usr",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/Applications/Postgres.app/Contents/Versions",
];

/// Where systems put theirs. Debian does not put `initdb` on the path, so the path alone is not enough; there
/// a `postgres` on the path is often a link, which is followed to where `initdb` lies.
pub(super) fn of_system() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path)
        .map(|directory| directory.join("postgres"))
        .filter_map(|postgres| postgres.canonicalize().ok()?.parent().map(Path::to_owned));
    let mut directories: Vec<_> = on_path.collect();
    for parent in VERSIONS_SIDE_BY_SIDE {
        let versions = children(Path::new(parent)).filter(|child| is_postgres(child));
        directories.extend(versions.map(|version| version.join("bin")));
    }
    let mut seen = HashSet::new();
    directories.retain(|directory| seen.insert(directory.clone()));
    directories
}

fn children(parent: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(parent).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path()))
}

/// Whether a child of a system directory is named as a Postgres of some version: `15`, `pgsql-17`,
/// `postgresql@16`.
fn is_postgres(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("pgsql-") || name.starts_with("postgresql") || name.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_own_style_of_name() {
        for name in ["/usr/lib/postgresql/15", "/usr/pgsql-17", "/opt/homebrew/opt/postgresql@16"] {
            assert!(is_postgres(Path::new(name)), "{name}");
        }
        assert!(!is_postgres(Path::new("/usr/local")));
    }
}
