//! A Postgres on this machine: where its programs are, and whether they start.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest and newest major versions that strongroom is tested with.
pub(super) const SUPPORTED: std::ops::RangeInclusive<u32> = 15..=18;

/// Which rule of the search chose the binaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinariesRule {
    /// The operator named the directory.
    Named,
    /// It lies beside the executable.
    Bundled,
    /// It is installed on the system.
    System,
    /// It is the npm package pinned by this release, kept in the data directory.
    Package,
}

impl fmt::Display for BinariesRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Named => "named by --postgres-bin",
            Self::Bundled => "bundled with strongroom",
            Self::System => "installed on this system",
            Self::Package => "pinned npm package",
        })
    }
}

/// A directory with a `postgres` that starts on this machine, and an `initdb`.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) directory: PathBuf,
    pub(super) rule: BinariesRule,
    /// As Postgres writes it, such as `18.4` or `15.18`.
    pub(super) version: String,
    pub(super) major: u32,
}

impl Binaries {
    /// Starts `postgres --version`. A library or C library floor that this machine does not meet shows here, as a
    /// reason to pass the candidate over.
    pub(super) fn probe(directory: &Path, rule: BinariesRule) -> Result<Self, String> {
        let version = version_of(&directory.join("postgres"))?;
        let major = major_of(&version).ok_or_else(|| format!("unknown version {version:?}"))?;
        if !SUPPORTED.contains(&major) {
            return Err(format!("version {version} is not supported"));
        }
        if !directory.join("initdb").exists() {
            return Err("initdb is missing".to_owned());
        }
        Ok(Self { directory: directory.to_owned(), rule, version, major })
    }

    /// The path of a program in the directory.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Reads the `15.18` of `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version_of(postgres: &Path) -> Result<String, String> {
    let output = Command::new(postgres).arg("--version").output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.split_once("(PostgreSQL) ").map_or("", |(_, rest)| rest);
    Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Reads the `18` of `18.4`, also of `18beta1`.
fn major_of(version: &str) -> Option<u32> {
    let digits = version.split(|character: char| !character.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read_from_every_style_of_version() {
        assert_eq!(major_of("15.18"), Some(15));
        assert_eq!(major_of("18beta1"), Some(18));
        assert_eq!(major_of(""), None);
    }
}
