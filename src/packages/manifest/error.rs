//! Why a manifest is refused.

use std::fmt;

use thiserror::Error;

use crate::packages::json::Malformed;

/// A field in which the manifest and the tarball's `package.json` disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `version`, `scripts.install`, `dependencies.left-pad`.
    pub field: String,
    /// The manifest's value as JSON; `None` if it has none.
    pub in_manifest: Option<String>,
    /// The tarball's value as JSON; `None` if it has none.
    pub in_tarball: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, in_manifest, in_tarball } = self;
        let (field, manifest) = (shorten(field), shown(in_manifest.as_deref()));
        let tarball = shown(in_tarball.as_deref());
        write!(formatter, "{field} is {manifest} in the manifest, {tarball} in the tarball")
    }
}

/// Characters of a name or value that are shown; both are the publisher's.
const SHOWN_CHARACTERS: usize = 80;

/// Differences that an error names.
const NAMED_DIFFERENCES: usize = 3;

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "absent".to_owned(), shorten)
}

fn shorten(text: &str) -> String {
    let clean = text.chars().filter(|character| !character.is_control());
    let mut short: String = clean.clone().take(SHOWN_CHARACTERS).collect();
    if clean.count() > SHOWN_CHARACTERS {
        short.push('…');
    }
    short
}

fn list(differences: &[Difference]) -> String {
    let named = differences.iter().take(NAMED_DIFFERENCES);
    let mut parts: Vec<String> = named.map(ToString::to_string).collect();
    if let Some(more @ 1..) = differences.len().checked_sub(NAMED_DIFFERENCES) {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// A manifest that cannot be published. All of it is the publisher's to mend: 422.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The tarball's `package.json` is not strict JSON.
    #[error("the tarball's package.json is refused: {0}")]
    PackageJson(#[source] Malformed),
    /// A manifest or `package.json` is something else than an object.
    #[error("a manifest is a JSON object")]
    NoObject,
    /// The manifest says something else than the tarball.
    #[error("the manifest differs from the tarball's package.json: {}", list(.0))]
    Differs(Vec<Difference>),
    /// `dist.integrity` or `dist.shasum` does not belong to the tarball.
    #[error("the manifest's dist.{field} does not match the tarball: {reason}")]
    Dist {
        /// `integrity` or `shasum`.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
}
