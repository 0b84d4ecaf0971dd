//! What the claims of a token must say, for a trusted publisher to be meant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

use super::issuers::Kind;

/// The most rules of one publisher, and the longest name or value in them.
const MANY_RULES: usize = 20;
const LONGEST: usize = 512;

/// Claims that every token has and that say nothing of who made it.
const SAYS_NOTHING: [&str; 6] = ["iss", "aud", "exp", "iat", "nbf", "jti"];

/// The claim of `CircleCI` that names the organization, which its issuer names too.
pub(super) const CIRCLECI_ORGANIZATION: &str = "oidc.circleci.com/org-id";

/// What one claim must say. Written as npm writes it (`protocol.md` 7.6), and as a glob in our own wider form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Rule {
    /// `"acme/one"`: exactly this; of a list, one of its items.
    Exact(String),
    /// `{"file": "ci.yml"}`: this workflow file in the repository that the token is for.
    File(File),
    /// `{"glob": "refs/tags/v*"}`: a star stands for any characters.
    Glob(Glob),
    /// `["a", "b"]`: a list that has each of these.
    Each(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    file: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Glob {
    glob: String,
}

/// The rules of one publisher, by claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimRules(BTreeMap<String, Rule>);

impl ClaimRules {
    /// Reads and checks the `claims` of a publisher of this kind.
    ///
    /// # Errors
    /// `Unprocessable`, where a rule has no known form or all of them together would let anybody in.
    pub(super) fn read(kind: Kind, claims: &Map<String, Value>) -> Result<Self> {
        let mut rules = BTreeMap::new();
        for (claim, value) in claims {
            rules.insert(claim.clone(), read_rule(kind, claim, value)?);
        }
        let rules = Self(rules);
        rules.check_size()?;
        rules.check_narrowness(kind)?;
        Ok(rules)
    }

    fn check_size(&self) -> Result<()> {
        let texts = |rule: &Rule| match rule {
            Rule::Exact(text) | Rule::File(File { file: text }) | Rule::Glob(Glob { glob: text }) => vec![text.clone()],
            Rule::Each(texts) => texts.clone(),
        };
        let is_sound = |text: &String| !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_control);
        let sound = self.0.iter().all(|(claim, rule)| {
            let texts = texts(rule);
            is_sound(claim) && !texts.is_empty() && texts.len() <= MANY_RULES && texts.iter().all(is_sound)
        });
        if sound && self.0.len() <= MANY_RULES {
            return Ok(());
        }
        Err(unprocessable("it has more than 20 claims, or one that is empty or longer than 512 characters"))
    }

    /// Refuses rules that would trust everybody whom the issuer signs for: on a public service, that is the world.
    fn check_narrowness(&self, kind: Kind) -> Result<()> {
        let one_of = |claims: &[&str]| claims.iter().any(|claim| self.pins(claim));
        let (is_narrow, wanted) = match kind {
            Kind::GitHub => (
                one_of(&["repository", "repository_id", "repository_owner", "repository_owner_id"]),
                "claims must say repository, or repository_owner",
            ),
            Kind::GitLab => (
                one_of(&["project_path", "project_id", "namespace_path", "namespace_id"]),
                "claims must say project_path, or namespace_path",
            ),
            Kind::CircleCi => (
                matches!(self.0.get(CIRCLECI_ORGANIZATION), Some(Rule::Exact(_))),
                "claims must say oidc.circleci.com/org-id",
            ),
            Kind::Oidc => (
                self.0.keys().any(|claim| !SAYS_NOTHING.contains(&claim.as_str()) && self.pins(claim)),
                "claims must say something that only the publisher's tokens have, such as sub",
            ),
        };
        if is_narrow { Ok(()) } else { Err(unprocessable(wanted)) }
    }

    /// Whether a rule keeps anybody out at all.
    fn pins(&self, claim: &str) -> bool {
        self.0.get(claim).is_some_and(|rule| match rule {
            Rule::Glob(Glob { glob }) => glob.chars().any(|one| one.is_ascii_alphanumeric()),
            Rule::Exact(_) | Rule::File(_) | Rule::Each(_) => true,
        })
    }

    /// The value of a claim that must be exactly so.
    pub(super) fn exact(&self, claim: &str) -> Option<&str> {
        match self.0.get(claim)? {
            Rule::Exact(text) => Some(text),
            _ => None,
        }
    }

    /// The claims that are looked at.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether the claims of a token say all that they must.
    pub(super) fn accept(&self, kind: Kind, claims: &Map<String, Value>) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|(claim, rule)| match rule {
                Rule::Exact(wanted) => says(claims.get(claim), |said| same(kind, claim, said, wanted)),
                Rule::Glob(Glob { glob }) => says(claims.get(claim), |said| matches_glob(glob, said)),
                Rule::File(File { file }) => is_from_file(kind, claims, claim, file),
                Rule::Each(wanted) => wanted.iter().all(|wanted| says(claims.get(claim), |said| said == wanted)),
            })
    }
}

fn read_rule(kind: Kind, claim: &str, value: &Value) -> Result<Rule> {
    let rule: Rule = serde_json::from_value(value.clone())
        .map_err(|_| unprocessable("a claim is text, a list of texts, {\"file\": \"ci.yml\"} or {\"glob\": \"v*\"}"))?;
    if let Rule::File(File { file }) = &rule {
        let names_files = matches!(
            (kind, claim),
            (Kind::GitHub, "workflow_ref" | "job_workflow_ref") | (Kind::GitLab, "ci_config_ref_uri")
        );
        if !names_files || file.starts_with('/') || file.contains('@') || file.contains("//") {
            return Err(unprocessable("a file is only known of workflow_ref and ci_config_ref_uri, as a plain name"));
        }
    }
    Ok(rule)
}

fn unprocessable(reason: &str) -> Error {
    Error::Unprocessable(format!("This trusted publisher was refused: {reason}. Nothing was changed.").into())
}

/// Whether a claim, or an item of a claim that is a list, passes.
fn says(claim: Option<&Value>, passes: impl Fn(&str) -> bool) -> bool {
    let one = |value: &Value| match value {
        Value::String(text) => passes(text),
        Value::Number(number) => passes(&number.to_string()),
        Value::Bool(word) => passes(if *word { "true" } else { "false" }),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    match claim {
        Some(Value::Array(items)) => items.iter().any(one),
        Some(value) => one(value),
        None => false,
    }
}

/// Names on GitHub are the same in any case, and nobody can have one that differs by case alone.
fn same(kind: Kind, claim: &str, said: &str, wanted: &str) -> bool {
    match (kind, claim) {
        (Kind::GitHub, "repository" | "repository_owner") => said.eq_ignore_ascii_case(wanted),
        _ => said == wanted,
    }
}

/// Whether the workflow stands in this file of the very repository that the token is for, at whatever commit:
/// `acme/one/.github/workflows/ci.yml@refs/heads/main`, or `gitlab.example/acme/one//.gitlab-ci.yml@refs/heads/main`.
fn is_from_file(kind: Kind, claims: &Map<String, Value>, claim: &str, file: &str) -> bool {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    let Some(path) = text(claim) else { return false };
    let begins = |rest: &str, file: &str| rest.strip_prefix(file).is_some_and(|rest| rest.starts_with('@'));
    match kind {
        // A reusable workflow may be another repository's, which the rule for `repository` does not speak of.
        Kind::GitHub if claim == "workflow_ref" => text("repository").is_some_and(|repository| {
            let folder = format!("{repository}/.github/workflows/");
            path.strip_prefix(&folder).is_some_and(|rest| begins(rest, file))
        }),
        Kind::GitHub => path.split_once("/.github/workflows/").is_some_and(|(_, rest)| begins(rest, file)),
        Kind::GitLab => text("project_path").is_some_and(|project| {
            path.split_once("//").is_some_and(|(place, rest)| {
                place.strip_suffix(project).is_some_and(|host| host.ends_with('/')) && begins(rest, file)
            })
        }),
        Kind::CircleCi | Kind::Oidc => false,
    }
}

/// Whether `text` fits a pattern in which a star stands for any characters, also none.
fn matches_glob(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // The earliest place for each part leaves the most for those behind it.
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    fn accept(kind: Kind, rules: &Value, claims: &Value) -> bool {
        ClaimRules::read(kind, object(rules)).unwrap().accept(kind, object(claims))
    }

    #[test]
    fn a_workflow_of_github_is_known_by_repository_and_file() {
        let rules = json!({ "repository": "acme/one", "workflow_ref": { "file": "ci.yml" } });
        let claims = |repository: &str, workflow: &str| json!({ "repository": repository, "workflow_ref": workflow });
        let accepts = |repository, workflow| accept(Kind::GitHub, &rules, &claims(repository, workflow));
        assert!(accepts("acme/one", "acme/one/.github/workflows/ci.yml@refs/heads/main"));
        assert!(accepts("Acme/One", "Acme/One/.github/workflows/ci.yml@refs/heads/main"));
        assert!(!accepts("acme/two", "acme/two/.github/workflows/ci.yml@refs/heads/main"));
        assert!(!accepts("acme/one", "acme/one/.github/workflows/other.yml@refs/heads/main"));
        assert!(!accepts("acme/one", "acme/one/.github/workflows/ci.yml.yml@refs/heads/main"));
        assert!(!accepts("acme/one", "acme/one/.github/workflows/ci.yml"));
        assert!(!accepts("acme/one", "mallory/x/.github/workflows/ci.yml@acme/one/.github/workflows/ci.yml@x"));
        assert!(!accept(Kind::GitHub, &rules, &json!({ "repository": "acme/one", "workflow_ref": null })));
        assert!(!accept(Kind::GitHub, &rules, &json!({ "repository": "acme/one" })));
    }

    #[test]
    fn an_environment_must_be_there_where_it_is_asked_for() {
        let rules = json!({ "repository": "acme/one", "environment": "release" });
        assert!(accept(Kind::GitHub, &rules, &json!({ "repository": "acme/one", "environment": "release" })));
        assert!(!accept(Kind::GitHub, &rules, &json!({ "repository": "acme/one", "environment": "test" })));
        assert!(!accept(Kind::GitHub, &rules, &json!({ "repository": "acme/one" })));
    }

    #[test]
    fn a_pipeline_of_gitlab_is_known_by_project_and_file() {
        let rules = json!({ "project_path": "acme/sub/one", "ci_config_ref_uri": { "file": ".gitlab-ci.yml" } });
        let accepts = |project: &str, uri: &str| {
            accept(Kind::GitLab, &rules, &json!({ "project_path": project, "ci_config_ref_uri": uri }))
        };
        assert!(accepts("acme/sub/one", "gitlab.example/acme/sub/one//.gitlab-ci.yml@refs/heads/main"));
        assert!(accepts("acme/sub/one", "gitlab.example/git/acme/sub/one//.gitlab-ci.yml@refs/heads/main"));
        assert!(!accepts("acme/sub/one", "gitlab.example/mallory/acme//.gitlab-ci.yml@refs/heads/main"));
        assert!(!accepts("acme/sub/one", "gitlab.example/xacme/sub/one//.gitlab-ci.yml@refs/heads/main"));
        assert!(!accepts("acme/sub/one", "gitlab.example/acme/sub/one//other.yml@refs/heads/main"));
        assert!(!accepts("acme/two", "gitlab.example/acme/two//.gitlab-ci.yml@refs/heads/main"));
    }

    #[test]
    fn every_context_of_circleci_must_be_there() {
        let rules = json!({ "oidc.circleci.com/org-id": "o", "oidc.circleci.com/context-ids": ["a", "b"] });
        let accepts = |contexts: &Value| {
            let claims = json!({ "oidc.circleci.com/org-id": "o", "oidc.circleci.com/context-ids": contexts });
            accept(Kind::CircleCi, &rules, &claims)
        };
        assert!(accepts(&json!(["b", "c", "a"])));
        assert!(!accepts(&json!(["a"])));
        assert!(!accepts(&json!([])));
        assert!(!accepts(&json!(null)));
    }

    #[test]
    fn claims_of_any_issuer_are_compared_as_text_or_glob() {
        let rules = json!({ "sub": "job/release", "branch": { "glob": "release/*" }, "protected": "true", "id": "7" });
        let claims = json!({ "sub": "job/release", "branch": "release/1", "protected": true, "id": 7 });
        assert!(accept(Kind::Oidc, &rules, &claims));
        for (claim, value) in
            [("sub", json!("job/other")), ("branch", json!("main")), ("protected", json!(false)), ("id", json!(8))]
        {
            let mut other = claims.clone();
            other[claim] = value;
            assert!(!accept(Kind::Oidc, &rules, &other), "{claim}");
        }
    }

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for (glob, text, fits) in [
            ("refs/tags/v*", "refs/tags/v1.0.0", true),
            ("refs/tags/v*", "refs/heads/v1", false),
            ("*/main", "refs/heads/main", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("a.c", "abc", false),
            ("abc", "abc", true),
            ("*", "", true),
        ] {
            assert_eq!(matches_glob(glob, text), fits, "{glob} {text}");
        }
    }

    #[test]
    fn rules_that_would_let_anybody_in_are_refused() {
        let long = "x".repeat(LONGEST + 1);
        for (kind, rules) in [
            (Kind::GitHub, json!({})),
            (Kind::GitHub, json!({ "workflow_ref": { "file": "ci.yml" } })),
            (Kind::GitHub, json!({ "repository": { "glob": "*/*" } })),
            (Kind::GitLab, json!({ "ci_config_ref_uri": { "file": "ci.yml" } })),
            (Kind::CircleCi, json!({ "oidc.circleci.com/project-id": "p" })),
            (Kind::CircleCi, json!({ "oidc.circleci.com/org-id": { "glob": "a*" } })),
            (Kind::Oidc, json!({})),
            (Kind::Oidc, json!({ "aud": "npm:registry.example", "iss": "x" })),
            (Kind::Oidc, json!({ "sub": { "glob": "*" } })),
            (Kind::Oidc, json!({ "sub": { "file": "ci.yml" } })),
            (Kind::Oidc, json!({ "sub": "" })),
            (Kind::Oidc, json!({ "sub": [] })),
            (Kind::Oidc, json!({ "sub": long })),
            (Kind::Oidc, json!({ "sub": 7 })),
            (Kind::Oidc, json!({ "sub": { "glob": "a*", "file": "b" } })),
            (Kind::GitHub, json!({ "repository": "a/b", "workflow_ref": { "file": "ci.yml@x" } })),
        ] {
            assert_eq!(ClaimRules::read(kind, object(&rules)).unwrap_err().status(), 422, "{kind:?} {rules}");
        }
    }
}
