//! Which versions of a package an advisory speaks of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::VersionNumber;

/// The affected versions, as spans that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Affected(Vec<Span>);

/// Versions from one on, up to another. Prereleases count as what they are: older than their release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Span {
    /// The first affected version; none means from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<VersionNumber>,
    /// Where it ends; none means that there is no end yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<End>,
}

/// The end of a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum End {
    /// The first version that is not affected any more.
    Below(VersionNumber),
    /// The last affected version.
    Through(VersionNumber),
}

impl Span {
    /// One version alone.
    pub(super) fn only(version: VersionNumber) -> Self {
        Self { from: Some(version.clone()), end: Some(End::Through(version)) }
    }

    fn contains(&self, version: &VersionNumber) -> bool {
        let begun = self.from.as_ref().is_none_or(|from| from <= version);
        let ended = match &self.end {
            Some(End::Below(end)) => version >= end,
            Some(End::Through(end)) => version > end,
            None => false,
        };
        begun && !ended
    }

    /// Whether the span is one version, and which.
    fn single(&self) -> Option<&VersionNumber> {
        match (&self.from, &self.end) {
            (Some(from), Some(End::Through(end))) if from == end => Some(from),
            _ => None,
        }
    }
}

impl Affected {
    pub(super) fn new(spans: Vec<Span>) -> Self {
        Self(spans)
    }

    /// Whether it speaks of no version at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it speaks of this version.
    pub fn contains(&self, version: &VersionNumber) -> bool {
        self.0.iter().any(|span| span.contains(version))
    }

    /// More spans of the same package.
    pub(super) fn extend(&mut self, other: Self) {
        for span in other.0 {
            if !self.0.contains(&span) {
                self.0.push(span);
            }
        }
    }

    /// The first version without the fault after an affected one, where there is one.
    pub fn fixed_after(&self, version: &VersionNumber) -> Option<&VersionNumber> {
        let ends = self.0.iter().filter_map(|span| match &span.end {
            Some(End::Below(end)) => Some(end),
            Some(End::Through(_)) | None => None,
        });
        ends.filter(|end| *end > version && !self.contains(end)).min()
    }

    /// The range of versions without the fault, as npm's advisories write it: nothing at all is `<0.0.0`.
    pub fn patched_range(&self) -> String {
        let open = self.0.iter().any(|span| span.end.is_none());
        let last = self.0.iter().filter_map(|span| span.end.as_ref()).max_by_key(|end| match end {
            End::Below(version) | End::Through(version) => version.clone(),
        });
        match last {
            Some(End::Below(version)) if !open => format!(">={version}"),
            Some(End::Through(version)) if !open => format!(">{version}"),
            _ => "<0.0.0".into(),
        }
    }
}

/// As a range that npm's semver reads.
impl fmt::Display for Affected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, span) in self.0.iter().enumerate() {
            if at > 0 {
                formatter.write_str(" || ")?;
            }
            span.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(version) = self.single() {
            return write!(formatter, "{version}");
        }
        match (&self.from, &self.end) {
            (None, None) => formatter.write_str("*"),
            (None, Some(end)) => end.fmt(formatter),
            (Some(from), None) => write!(formatter, ">={from}"),
            (Some(from), Some(end)) => write!(formatter, ">={from} {end}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(version) => write!(formatter, "<{version}"),
            Self::Through(version) => write!(formatter, "<={version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> VersionNumber {
        text.parse().unwrap()
    }

    fn span(from: Option<&str>, end: Option<End>) -> Span {
        Span { from: from.map(version), end }
    }

    #[test]
    fn a_range_reads_as_npm_writes_it_and_holds_what_it_says() {
        let below = |text| Some(End::Below(version(text)));
        let through = |text| Some(End::Through(version(text)));
        for (spans, text, inside, outside) in [
            (vec![span(None, None)], "*", vec!["0.0.1", "9.9.9-rc.1"], vec![]),
            (vec![span(None, below("1.2.3"))], "<1.2.3", vec!["1.2.3-rc.1", "0.1.0"], vec!["1.2.3", "1.2.4-0"]),
            (vec![span(Some("1.0.0"), through("1.4.0"))], ">=1.0.0 <=1.4.0", vec!["1.4.0"], vec!["1.4.1", "1.0.0-a"]),
            (vec![span(Some("2.0.0"), None)], ">=2.0.0", vec!["2.0.0", "10.0.0"], vec!["1.9.9"]),
            (
                vec![span(None, below("1.1.0")), span(Some("2.0.0"), below("2.0.5")), Span::only(version("3.0.0"))],
                "<1.1.0 || >=2.0.0 <2.0.5 || 3.0.0",
                vec!["1.0.0", "2.0.4", "3.0.0"],
                vec!["1.1.0", "2.0.5", "3.0.1"],
            ),
        ] {
            let affected = Affected::new(spans);
            assert_eq!(affected.to_string(), text);
            for one in inside {
                assert!(affected.contains(&version(one)), "{text} {one}");
            }
            for one in outside {
                assert!(!affected.contains(&version(one)), "{text} {one}");
            }
            let kept = serde_json::to_string(&affected).unwrap();
            assert_eq!(serde_json::from_str::<Affected>(&kept).unwrap(), affected, "{kept}");
        }
    }

    #[test]
    fn what_is_fixed_is_said_where_it_is() {
        let affected = Affected::new(vec![
            span(None, Some(End::Below(version("1.1.0")))),
            span(Some("2.0.0"), Some(End::Below(version("2.0.5")))),
        ]);
        assert_eq!(affected.fixed_after(&version("1.0.0")), Some(&version("1.1.0")));
        assert_eq!(affected.fixed_after(&version("2.0.0")), Some(&version("2.0.5")));
        assert_eq!(affected.patched_range(), ">=2.0.5");
        assert_eq!(Affected::new(vec![span(None, None)]).patched_range(), "<0.0.0");
        assert_eq!(Affected::new(vec![Span::only(version("3.0.0"))]).patched_range(), ">3.0.0");
    }
}
