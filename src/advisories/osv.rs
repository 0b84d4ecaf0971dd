//! Advisories as files: the Open Source Vulnerability format, of which every other one can be had.
//!
//! Read generously, since the files are many and of many hands: what is not needed is not looked at. Only entries of
//! the ecosystem `npm` count.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::clock::Time;
use crate::names::VersionNumber;

use super::Severity;
use super::affected::{Affected, End, Span};
use super::cvss;

/// The most text that is kept of a description.
const DETAILS_BYTES: usize = 16 * 1024;
const TITLE_BYTES: usize = 300;

/// What a file says.
#[derive(Debug)]
pub enum Document {
    /// An advisory about packages of npm.
    Advisory(Box<NewAdvisory>),
    /// An advisory that was taken back.
    Withdrawn {
        /// Which one.
        osv_id: String,
        /// When that was.
        modified_at: Time,
    },
    /// An advisory about something else.
    Elsewhere,
}

/// An advisory to be kept.
#[derive(Debug)]
pub struct NewAdvisory {
    pub(super) osv_id: String,
    pub(super) title: String,
    pub(super) details: String,
    pub(super) severity: Severity,
    pub(super) cwes: Vec<String>,
    pub(super) cves: Vec<String>,
    pub(super) cvss_score: f64,
    pub(super) cvss_vector: Option<String>,
    pub(super) url: String,
    pub(super) published_at: Time,
    pub(super) modified_at: Time,
    pub(super) packages: BTreeMap<String, Affected>,
}

#[derive(Debug, Deserialize)]
struct File {
    id: String,
    modified: Time,
    published: Option<Time>,
    withdrawn: Option<Time>,
    summary: Option<String>,
    details: Option<String>,
    aliases: Option<Vec<String>>,
    severity: Option<Vec<Rating>>,
    affected: Option<Vec<Entry>>,
    references: Option<Vec<Reference>>,
    database_specific: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Rating {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

#[derive(Debug, Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    package: Option<Package>,
    ranges: Option<Vec<Range>>,
    versions: Option<Vec<String>>,
    severity: Option<Vec<Rating>>,
    database_specific: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

/// Reads a file.
///
/// # Errors
/// A sentence saying what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Document, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|cause| format!("it is no OSV advisory: {cause}"))?;
    if file.id.is_empty()
        || file.id.len() > 200
        || file.id.contains(|one: char| one.is_whitespace() || one.is_control())
    {
        return Err("its id is empty, too long, or has a space in it".into());
    }
    let modified_at = whole_micros(file.modified);
    if file.withdrawn.is_some() {
        return Ok(Document::Withdrawn { osv_id: file.id, modified_at });
    }
    let mut packages: BTreeMap<String, Affected> = BTreeMap::new();
    for entry in file.affected.iter().flatten() {
        let Some(package) = entry.package.as_ref().filter(|package| package.ecosystem == "npm") else { continue };
        let affected = entry.affected().map_err(|cause| format!("{}: {cause}", package.name))?;
        if !affected.is_empty() {
            packages.entry(package.name.clone()).or_default().extend(affected);
        }
    }
    if packages.is_empty() {
        return Ok(Document::Elsewhere);
    }
    let (cvss_score, cvss_vector) = file.cvss();
    Ok(Document::Advisory(Box::new(NewAdvisory {
        title: file.title(),
        details: shortened(file.details.as_deref().unwrap_or_default(), DETAILS_BYTES),
        severity: file.severity_word(cvss_score),
        cwes: file.cwes(),
        cves: file.names().filter(|name| name.starts_with("CVE-")).map(ToOwned::to_owned).collect(),
        cvss_score: cvss_score.unwrap_or_default(),
        cvss_vector,
        url: file.url(),
        published_at: whole_micros(file.published.unwrap_or(file.modified)),
        modified_at,
        packages,
        osv_id: file.id,
    })))
}

/// The database keeps no more, and the times are compared.
fn whole_micros(time: Time) -> Time {
    chrono::DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// Postgres keeps every character in text but NUL.
fn shortened(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].replace('\0', "\u{fffd}")
}

impl File {
    /// The id and its aliases.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(self.aliases.iter().flatten()).map(String::as_str)
    }

    fn title(&self) -> String {
        let summary = self.summary.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let first_line = || self.details.as_deref()?.lines().map(str::trim).find(|line| !line.is_empty());
        let title = summary.or_else(first_line).unwrap_or(&self.id);
        shortened(title, TITLE_BYTES)
    }

    /// The page that people are sent to: clients print it beside the title.
    fn url(&self) -> String {
        if let Some(id) = self.names().find(|name| name.starts_with("GHSA-")) {
            return format!("https://github.com/advisories/{id}");
        }
        let pages = || self.references.iter().flatten().filter(|page| is_web_address(&page.url));
        let advisory = pages().find(|page| page.kind.as_deref() == Some("ADVISORY"));
        advisory.or_else(|| pages().next()).map(|page| page.url.clone()).unwrap_or_default()
    }

    fn ratings(&self) -> impl Iterator<Item = &Rating> {
        let of_packages = self.affected.iter().flatten().filter_map(|entry| entry.severity.as_ref());
        self.severity.iter().chain(of_packages).flatten()
    }

    /// The score and the vector; of a vector of version 4 the score is not computed.
    fn cvss(&self) -> (Option<f64>, Option<String>) {
        let scored = self.ratings().find_map(|rating| Some((cvss::base_score(&rating.score)?, rating.score.clone())));
        match scored {
            Some((score, vector)) => (Some(score), Some(vector)),
            None => (None, self.ratings().find(|rating| rating.kind.starts_with("CVSS")).map(|it| it.score.clone())),
        }
    }

    /// What the database says, else what the score says, else `high`: clients take a missing severity for that.
    fn severity_word(&self, score: Option<f64>) -> Severity {
        let of_packages = self.affected.iter().flatten().filter_map(|entry| entry.database_specific.as_ref());
        let said = self.database_specific.iter().chain(of_packages).find_map(|said| said.get("severity")?.as_str());
        let word = said.and_then(Severity::from_word);
        word.or_else(|| score.map(Severity::from_score)).unwrap_or(Severity::High)
    }

    fn cwes(&self) -> Vec<String> {
        let listed = self.database_specific.as_ref().and_then(|said| said.get("cwe_ids")?.as_array());
        listed.into_iter().flatten().filter_map(|cwe| cwe.as_str().map(ToOwned::to_owned)).take(50).collect()
    }
}

fn is_web_address(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() < 2000 && !url.contains(char::is_control)
}

impl Entry {
    fn affected(&self) -> Result<Affected, String> {
        let mut affected = Affected::default();
        for range in self.ranges.iter().flatten().filter(|range| matches!(&*range.kind, "SEMVER" | "ECOSYSTEM")) {
            affected.extend(Affected::new(self.spans(range)?));
        }
        // What is no version of npm's is not installed from here.
        let versions = self.versions.iter().flatten().filter_map(|text| text.parse().ok());
        let apart: Vec<Span> = versions.filter(|version| !affected.contains(version)).map(Span::only).collect();
        affected.extend(Affected::new(apart));
        Ok(affected)
    }

    /// The spans between the events of a range, in the order of the versions and not of the file.
    fn spans(&self, range: &Range) -> Result<Vec<Span>, String> {
        let mut events = range.events.iter().map(Event::parse).collect::<Result<Vec<_>, _>>()?;
        events.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut spans = Vec::new();
        let mut open: Option<Span> = None;
        for (version, kind) in events {
            let end = match (kind, version) {
                (EventKind::Introduced, from) => {
                    open.get_or_insert(Span { from, end: None });
                    continue;
                }
                (_, None) => continue,
                (EventKind::Fixed, Some(version)) => End::Below(version),
                (EventKind::LastAffected, Some(version)) => End::Through(version),
            };
            spans.extend(open.take().map(|span| Span { end: Some(end), ..span }));
        }
        spans.extend(open.map(|span| Span { end: self.last_known(), ..span }));
        Ok(spans)
    }

    /// Where a range has no end, GitHub's database may say which version was the last one known to be affected.
    fn last_known(&self) -> Option<End> {
        let said = self.database_specific.as_ref()?.get("last_known_affected_version_range")?.as_str()?;
        match said.trim().strip_prefix("<=") {
            Some(version) => version.trim().parse().ok().map(End::Through),
            None => said.trim().strip_prefix('<')?.trim().parse().ok().map(End::Below),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum EventKind {
    Introduced,
    Fixed,
    LastAffected,
}

impl Event {
    /// The version, where `0` is the beginning, and what happened there.
    fn parse(&self) -> Result<(Option<VersionNumber>, EventKind), String> {
        let (text, kind) = match (&self.introduced, &self.fixed, &self.last_affected) {
            (Some(text), _, _) => (text, EventKind::Introduced),
            (_, Some(text), _) => (text, EventKind::Fixed),
            (_, _, Some(text)) => (text, EventKind::LastAffected),
            (None, None, None) => return Ok((None, EventKind::Fixed)),
        };
        if text == "0" {
            return Ok((None, kind));
        }
        let version = text.parse().map_err(|_| format!("\"{}\" is no version", shortened(text, 80)))?;
        Ok((Some(version), kind))
    }
}
