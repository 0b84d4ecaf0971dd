use super::osv::{Document, NewAdvisory, read};

fn advisory(text: &str) -> NewAdvisory {
    match read(text.as_bytes()) {
        Ok(Document::Advisory(advisory)) => *advisory,
        other => panic!("{other:?}"),
    }
}

const GITHUB: &str = r#"{
  "schema_version": "1.4.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-02-01T10:00:00.123456789Z",
  "published": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-1"], "summary": "Prototype pollution",
  "details": "Long text.", "severity": [{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"},
    {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
  "affected": [
    {"package": {"ecosystem": "npm", "name": "left"}, "ranges": [{"type": "SEMVER", "events":
      [{"fixed": "2.0.5"}, {"introduced": "2.0.0"}, {"introduced": "0"}, {"fixed": "1.1.0"}]}]},
    {"package": {"ecosystem": "npm", "name": "left"}, "versions": ["3.0.0", "odd"]},
    {"package": {"ecosystem": "npm", "name": "right"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}]}],
     "database_specific": {"last_known_affected_version_range": "<= 1.5.0"}},
    {"package": {"ecosystem": "PyPI", "name": "left"}, "versions": ["9.0.0"]},
    {"package": {"ecosystem": "npm", "name": "git-only"}, "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}
  ],
  "references": [{"type": "WEB", "url": "https://example.com/a"}],
  "database_specific": {"cwe_ids": ["CWE-1321"], "severity": "MODERATE"}
}"#;

#[test]
fn an_advisory_of_github_says_what_it_says_there() {
    let advisory = advisory(GITHUB);
    let packages: Vec<_> =
        advisory.packages.iter().map(|(name, affected)| (name.as_str(), affected.to_string())).collect();
    let expected = [("left", "<1.1.0 || >=2.0.0 <2.0.5 || 3.0.0"), ("right", ">=1.0.0 <=1.5.0")];
    assert_eq!(packages, expected.map(|(name, range)| (name, range.to_owned())));
    assert_eq!(advisory.severity.as_str(), "moderate");
    assert!((advisory.cvss_score - 9.8).abs() < 0.01);
    assert_eq!(advisory.cwes, ["CWE-1321"]);
    assert_eq!(advisory.cves, ["CVE-2026-1"]);
    assert_eq!(advisory.url, "https://github.com/advisories/GHSA-aaaa-bbbb-cccc");
    assert_eq!(advisory.title, "Prototype pollution");
}

#[test]
fn little_is_enough_and_what_is_missing_is_made_up_for() {
    let advisory = advisory(
        r#"{"id": "OURS-1", "modified": "2026-01-01T00:00:00Z", "details": "\nFirst line.\nSecond.",
            "references": [{"url": "javascript:alert(1)"}, {"url": "https://wiki.example/1"}],
            "affected": [{"package": {"ecosystem": "npm", "name": "@acme/one"},
                          "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#,
    );
    assert_eq!(advisory.title, "First line.");
    assert_eq!(advisory.severity.as_str(), "high");
    assert_eq!(advisory.url, "https://wiki.example/1");
    assert_eq!(advisory.packages["@acme/one"].to_string(), "*");
    assert_eq!(advisory.published_at, advisory.modified_at);
}

#[test]
fn a_score_speaks_where_no_word_was_said() {
    let text = GITHUB.replace(", \"severity\": \"MODERATE\"", "");
    assert_eq!(advisory(&text).severity.as_str(), "critical");
}

#[test]
fn what_is_no_advisory_of_npms_is_told_apart() {
    let withdrawn = GITHUB.replace("\"aliases\"", "\"withdrawn\": \"2026-03-01T00:00:00Z\", \"aliases\"");
    assert!(
        matches!(read(withdrawn.as_bytes()), Ok(Document::Withdrawn { osv_id, .. }) if osv_id == "GHSA-aaaa-bbbb-cccc")
    );
    let elsewhere = GITHUB.replace("\"npm\"", "\"Go\"");
    assert!(matches!(read(elsewhere.as_bytes()), Ok(Document::Elsewhere)));
    for (text, reason) in [
        ("", "no OSV advisory"),
        ("[]", "no OSV advisory"),
        ("{\"id\": \"X-1\"}", "modified"),
        (&GITHUB.replace("2.0.5", "two"), "\"two\" is no version"),
        (&GITHUB.replace("GHSA-aaaa-bbbb-cccc", "a b"), "id"),
    ] {
        let refused = read(text.as_bytes()).expect_err("a reason");
        assert!(refused.contains(reason), "{reason}: {refused}");
    }
}
