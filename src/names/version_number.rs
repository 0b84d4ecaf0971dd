use std::cmp::Ordering;
use std::str::FromStr;

use super::text::InvalidName;

/// npm's limits: the length of a version, and the largest number that JavaScript counts exactly.
const MAX_BYTES: usize = 256;
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A strict semver 2.0 version, as npm's clients send it after cleaning.
///
/// Build metadata (`+build`) is dropped as npm's own registry does: two versions that differ only there are one version
/// (`domain.md`, "Names"). Ordered by semver precedence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionNumber {
    text: Box<str>,
    parsed: semver::Version,
}

impl VersionNumber {
    /// The text without build metadata.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it comes before a release, such as `1.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.parsed.pre.is_empty()
    }
}

impl FromStr for VersionNumber {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refused = |sentence: &str| InvalidName::new(format!("Not a valid version: {sentence}."));
        if text.len() > MAX_BYTES {
            return Err(refused("it has more than 256 characters"));
        }
        let mut parsed = semver::Version::parse(text).map_err(|cause| refused(&cause.to_string()))?;
        if [parsed.major, parsed.minor, parsed.patch].iter().any(|number| *number > MAX_NUMBER) {
            return Err(refused("a number in it is larger than 9007199254740991"));
        }
        parsed.build = semver::BuildMetadata::EMPTY;
        Ok(Self { text: parsed.to_string().into(), parsed })
    }
}

impl PartialOrd for VersionNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VersionNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parsed.cmp_precedence(&other.parsed)
    }
}

impl std::fmt::Display for VersionNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl serde::Serialize for VersionNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for VersionNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_semver_precedence() {
        let version = |text: &str| text.parse::<VersionNumber>().unwrap();
        assert!(version("1.10.0") > version("1.9.0"));
        assert!(version("1.0.0") > version("1.0.0-rc.1"));
        assert!(version("1.0.0-rc.10") > version("1.0.0-rc.9"));
    }

    #[test]
    fn versions_that_differ_only_in_build_metadata_are_one() {
        assert_eq!("1.0.0+a".parse::<VersionNumber>(), "1.0.0+b".parse());
        assert_eq!("1.0.0+a".parse::<VersionNumber>().unwrap().as_str(), "1.0.0");
    }

    #[test]
    fn only_strict_semver_is_a_version() {
        for text in ["", "1", "1.0", "v1.0.0", " 1.0.0", "01.0.0", "1.0.0-01", "9007199254740992.0.0"] {
            assert!(text.parse::<VersionNumber>().is_err(), "{text:?}");
        }
        assert!(format!("1.0.0-{}", "a".repeat(251)).parse::<VersionNumber>().is_err());
    }
}
