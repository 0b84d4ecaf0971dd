//! The report that npm 6, yarn 1 and pnpm up to 10 print (`protocol.md` 7.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::advisories::{Advisory, Severity};
use crate::clock::to_npm_time;
use crate::names::VersionNumber;

use super::tree::{Place, Tree};

/// More than anybody reads: a made-up tree could hold one vulnerable package in twenty thousand places.
const MOST_FINDINGS: usize = 5000;

/// A vulnerable package in the tree.
struct Finding<'a> {
    advisory: &'a Advisory,
    place: &'a Place<'a>,
    version: VersionNumber,
}

/// Holds the advisories against the tree.
pub(super) fn report(tree: &Tree, advisories: &[Arc<Advisory>]) -> Value {
    let places = tree.places();
    let findings = findings(&places, advisories);
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for finding in &findings {
        *counts.entry(finding.advisory.severity).or_default() += 1;
    }
    let vulnerabilities: Map<String, Value> = Severity::ALL
        .iter()
        .map(|severity| (severity.as_str().into(), counts.get(severity).copied().unwrap_or_default().into()))
        .collect();
    let count = |is: fn(&Place<'_>) -> bool| places.iter().filter(|place| is(place)).count();
    json!({
        "actions": actions(&findings),
        "advisories": described(&findings),
        "muted": [],
        "metadata": {
            "vulnerabilities": vulnerabilities,
            "dependencies": count(|place| !place.dev && !place.optional),
            "devDependencies": count(|place| place.dev),
            "optionalDependencies": count(|place| place.optional && !place.dev),
            "totalDependencies": places.len(),
        },
    })
}

fn findings<'a>(places: &'a [Place<'a>], advisories: &'a [Arc<Advisory>]) -> Vec<Finding<'a>> {
    let mut by_name: BTreeMap<&str, Vec<&Advisory>> = BTreeMap::new();
    for advisory in advisories {
        by_name.entry(&advisory.package).or_default().push(advisory);
    }
    let mut findings = Vec::new();
    for place in places {
        let Ok(version) = place.version.parse::<VersionNumber>() else { continue };
        for advisory in by_name.get(place.name).into_iter().flatten() {
            if findings.len() < MOST_FINDINGS && advisory.affected.contains(&version) {
                findings.push(Finding { advisory, place, version: version.clone() });
            }
        }
    }
    findings
}

/// What to do: a direct dependency is installed anew where a fixed version is known; anything else is for people to
/// look at, since what other packages ask for is not known here.
fn actions(findings: &[Finding<'_>]) -> Vec<Value> {
    let mut actions: BTreeMap<(&str, Option<&VersionNumber>), Vec<&Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        let target = fix(finding).filter(|_| finding.place.path.len() == 1);
        actions.entry((finding.place.name, target)).or_default().push(finding);
    }
    let described = actions.into_iter().map(|((module, target), findings)| {
        let resolves: Vec<Value> = findings.iter().map(|finding| resolved(finding)).collect();
        match target {
            Some(target) => json!({
                "action": "install",
                "module": module,
                "target": target,
                "isMajor": findings.iter().any(|finding| breaks(&finding.version, target)),
                "resolves": resolves,
            }),
            None => json!({ "action": "review", "module": module, "resolves": resolves }),
        }
    });
    described.collect()
}

fn fix<'a>(finding: &Finding<'a>) -> Option<&'a VersionNumber> {
    finding.advisory.affected.fixed_after(&finding.version)
}

/// Whether a caret range of the one version leaves the other out.
fn breaks(from: &VersionNumber, to: &VersionNumber) -> bool {
    let numbers = |version: &VersionNumber| {
        let core = version.as_str().split(['-', '+']).next().unwrap_or_default();
        core.split('.').map(|number| number.parse().unwrap_or(0)).collect::<Vec<u64>>()
    };
    let (from, to) = (numbers(from), numbers(to));
    let significant = from.iter().position(|number| *number > 0).unwrap_or(2);
    from[..=significant] != to[..=significant]
}

fn resolved(Finding { advisory, place, .. }: &Finding<'_>) -> Value {
    json!({
        "id": advisory.id,
        "path": place.path.join(">"),
        "dev": place.dev,
        "optional": place.optional,
        "bundled": place.bundled,
    })
}

/// The advisories by their numbers, each with the places where it was found.
fn described(findings: &[Finding<'_>]) -> Map<String, Value> {
    let mut by_advisory: BTreeMap<i64, Vec<&Finding<'_>>> = BTreeMap::new();
    for finding in findings {
        by_advisory.entry(finding.advisory.id).or_default().push(finding);
    }
    by_advisory.into_iter().map(|(id, findings)| (id.to_string(), describe(&findings))).collect()
}

fn describe(findings: &[&Finding<'_>]) -> Value {
    let Some(Finding { advisory, .. }) = findings.first() else { return Value::Null };
    let mut versions: BTreeMap<&str, Vec<&Place<'_>>> = BTreeMap::new();
    for finding in findings {
        versions.entry(finding.place.version).or_default().push(finding.place);
    }
    let found = versions.into_iter().map(|(version, places)| {
        json!({
            "version": version,
            "paths": places.iter().map(|place| place.path.join(">")).collect::<Vec<_>>(),
            "dev": places.iter().all(|place| place.dev),
            "optional": places.iter().all(|place| place.optional),
            "bundled": places.iter().all(|place| place.bundled),
        })
    });
    let patched = advisory.affected.patched_range();
    let recommendation = match &*patched {
        "<0.0.0" => "No fix is known.".to_owned(),
        patched => format!("Upgrade to a version {patched}."),
    };
    json!({
        "findings": found.collect::<Vec<_>>(),
        "id": advisory.id,
        "created": to_npm_time(advisory.published_at),
        "updated": to_npm_time(advisory.modified_at),
        "deleted": null,
        "title": advisory.title,
        "found_by": { "name": "" },
        "reported_by": { "name": "" },
        "module_name": advisory.package,
        "cves": advisory.cves,
        "vulnerable_versions": advisory.affected.to_string(),
        "patched_versions": patched,
        "overview": advisory.details,
        "recommendation": recommendation,
        "references": advisory.url,
        "access": "public",
        "severity": advisory.severity.as_str(),
        "cwe": advisory.cwes,
        "cvss": { "score": advisory.cvss_score, "vectorString": advisory.cvss_vector },
        "github_advisory_id": advisory.url.rsplit('/').next().filter(|id| id.starts_with("GHSA-")),
        "metadata": null,
        "url": advisory.url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_breaks_where_a_caret_range_ends() {
        for (from, to, expected) in [
            ("1.0.0", "1.9.0", false),
            ("1.0.0", "2.0.0", true),
            ("0.1.0", "0.1.9", false),
            ("0.1.0", "0.2.0", true),
            ("0.0.1", "0.0.2", true),
            ("1.0.0-rc.1", "1.0.0", false),
        ] {
            assert_eq!(breaks(&from.parse().unwrap(), &to.parse().unwrap()), expected, "{from} {to}");
        }
    }
}
