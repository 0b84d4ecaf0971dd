use std::str::FromStr;

use super::text::{InvalidName, text_newtype};

const MAX_BYTES: usize = 214;

/// A dist-tag such as `latest` or `beta`: URL-safe text that npm could never take for a version range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DistTag(Box<str>);

text_newtype!(DistTag);

impl DistTag {
    /// The text of [`DistTag::latest`].
    pub const LATEST: &str = "latest";

    /// The tag that `npm install name` follows.
    pub fn latest() -> Self {
        Self(Self::LATEST.into())
    }
}

impl FromStr for DistTag {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refused = |sentence: &str| InvalidName::new(format!("Not a valid dist-tag: it {sentence}."));
        if text.is_empty() || text.len() > MAX_BYTES {
            return Err(refused("must have 1 to 214 characters"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)) {
            return Err(refused("may hold only letters, digits and the characters - _ . ! ~ * ' ( )"));
        }
        if text.starts_with('.') || node_semver::Range::parse(text).is_ok() {
            return Err(refused("must not look like a version or a range of versions"));
        }
        Ok(Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_tags_and_ranges_are_not() {
        for text in ["latest", "beta", "next-11", "v-next", "legacy.7"] {
            assert!(text.parse::<DistTag>().is_ok(), "{text:?}");
        }
        for text in ["", "1", "1.x", "v1.2", "1.0.0", "~1", "*", "x", "a/b", "a b", "../a", "a\0", "tag%20"] {
            assert!(text.parse::<DistTag>().is_err(), "{text:?}");
        }
    }
}
