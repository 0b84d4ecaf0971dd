//! What a manifest says of its version, as far as a page tells it. All of it is a stranger's text: cut to size, rid of
//! characters that mislead, and links only where they lead to a web site.

use serde_json::{Map, Value};

use crate::names::is_misleading;

/// Characters of one text, and how many of a list are told.
const TEXT: usize = 500;
const WORD: usize = 100;
const KEYWORDS: usize = 20;
const DEPENDENCIES: usize = 500;

/// Hosts for which npm has short names.
const SHORT_HOSTS: [(&str, &str); 3] =
    [("github:", "https://github.com/"), ("gitlab:", "https://gitlab.com/"), ("bitbucket:", "https://bitbucket.org/")];

/// What a manifest says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What it is.
    pub description: Option<String>,
    /// Words for it.
    pub keywords: Vec<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Its home page.
    pub homepage: Option<Link>,
    /// Where its source is.
    pub repository: Option<Link>,
    /// Where its bugs are told.
    pub bugs: Option<Link>,
    /// What it runs on: names with ranges.
    pub engines: Vec<(String, String)>,
    /// The commands that it brings.
    pub commands: Vec<String>,
    /// Whether it can be imported as a module of the language's own kind.
    pub is_module: bool,
    /// Whether it brings types.
    pub has_types: bool,
    /// Whether it runs something of its own when it is installed.
    pub has_install_script: bool,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
}

/// A link to a web site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its address.
    pub url: String,
    /// The address in short.
    pub text: String,
}

/// Something that a version needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The member of the manifest that says so.
    pub kind: &'static str,
    /// The package.
    pub name: String,
    /// Which versions fit.
    pub range: String,
}

impl About {
    /// Reads a stored manifest.
    pub(super) fn of(manifest: &str) -> Self {
        let Ok(Value::Object(manifest)) = serde_json::from_str(manifest) else { return Self::default() };
        Self {
            description: text(&manifest, "description", "", TEXT),
            keywords: keywords(&manifest),
            license: text(&manifest, "license", "type", WORD),
            author: text(&manifest, "author", "name", WORD),
            homepage: address(&manifest, "homepage").and_then(|url| link(&url)),
            repository: address(&manifest, "repository").and_then(|url| repository(&url)),
            bugs: address(&manifest, "bugs").and_then(|url| link(&url)),
            engines: pairs(&manifest, "engines").take(10).collect(),
            commands: commands(&manifest),
            is_module: manifest.get("type").and_then(Value::as_str) == Some("module")
                || ["module", "exports"].iter().any(|member| manifest.contains_key(*member)),
            has_types: has_types(&manifest),
            has_install_script: manifest.get("hasInstallScript") == Some(&Value::Bool(true))
                || ["preinstall", "install", "postinstall"]
                    .iter()
                    .any(|script| manifest.get("scripts").and_then(|scripts| scripts.get(script)).is_some()),
            dependencies: dependencies(&manifest),
        }
    }
}

/// A text of a stranger, cut and made harmless to look at.
fn tidy(text: &str, most: usize) -> Option<String> {
    let is_seen = |one: &char| !is_misleading(*one);
    let text: String =
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(is_seen).take(most).collect();
    (!text.trim().is_empty()).then_some(text)
}

fn member<'a>(manifest: &'a Map<String, Value>, name: &str, inner: &str) -> Option<&'a str> {
    match manifest.get(name)? {
        Value::Object(object) => object.get(inner)?.as_str(),
        other => other.as_str(),
    }
}

fn text(manifest: &Map<String, Value>, name: &str, inner: &str, most: usize) -> Option<String> {
    member(manifest, name, inner).and_then(|text| tidy(text, most))
}

fn address(manifest: &Map<String, Value>, name: &str) -> Option<String> {
    member(manifest, name, "url").map(|url| url.trim().to_owned())
}

fn keywords(manifest: &Map<String, Value>) -> Vec<String> {
    let words: Vec<&str> = match manifest.get("keywords") {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(words)) => words.split([',', ' ']).collect(),
        _ => Vec::new(),
    };
    words.into_iter().filter_map(|word| tidy(word, 50)).take(KEYWORDS).collect()
}

fn pairs<'a>(manifest: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = (String, String)> + use<'a> {
    let object = manifest.get(name).and_then(Value::as_object);
    object.into_iter().flatten().filter_map(|(key, value)| Some((tidy(key, 214)?, tidy(value.as_str()?, WORD)?)))
}

fn commands(manifest: &Map<String, Value>) -> Vec<String> {
    match manifest.get("bin") {
        Some(Value::Object(bin)) => bin.keys().filter_map(|name| tidy(name, WORD)).take(10).collect(),
        Some(Value::String(_)) => {
            let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default();
            name.rsplit('/').next().and_then(|name| tidy(name, WORD)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn has_types(manifest: &Map<String, Value>) -> bool {
    let named = ["types", "typings"].iter().any(|member| manifest.get(*member).is_some_and(Value::is_string));
    named || manifest.get("exports").is_some_and(|exports| mentions_types(exports, 6))
}

fn mentions_types(exports: &Value, depth: usize) -> bool {
    let Value::Object(object) = exports else { return false };
    object.contains_key("types") || (depth > 0 && object.values().any(|inner| mentions_types(inner, depth - 1)))
}

fn dependencies(manifest: &Map<String, Value>) -> Vec<Dependency> {
    let kinds = ["dependencies", "peerDependencies", "optionalDependencies", "devDependencies"];
    // npm repeats what is optional among the rest.
    let is_optional = |name: &str| manifest.get("optionalDependencies").is_some_and(|all| all.get(name).is_some());
    let all = kinds.into_iter().flat_map(|kind| {
        let pairs = pairs(manifest, kind).filter(move |(name, _)| kind != "dependencies" || !is_optional(name));
        pairs.map(move |(name, range)| Dependency { kind, name, range })
    });
    all.take(DEPENDENCIES).collect()
}

/// A link, where the address is a web site's: nothing else is ever followed from here.
fn link(url: &str) -> Option<Link> {
    let is_plain = url.len() <= 1000 && !url.contains(|one: char| is_misleading(one) || one == '\\' || one == ' ');
    let parsed: http::Uri = url.parse().ok().filter(|_| is_plain)?;
    let scheme = parsed.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    // Who reads only the beginning must not take a name before an @ for the host.
    let authority = parsed.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let path = parsed.path().trim_end_matches('/');
    let text: String = format!("{authority}{path}").chars().take(60).collect();
    let rest = url.find("://").map_or("", |at| &url[at..]);
    Some(Link { url: format!("{scheme}{rest}"), text })
}

/// The web site of a repository: `git+https://…`, `git@host:path`, `github:a/b` and `a/b` all have one.
fn repository(url: &str) -> Option<Link> {
    let (place, _) = url.split_once('#').unwrap_or((url, ""));
    let short = SHORT_HOSTS.iter().find_map(|(prefix, host)| Some(format!("{host}{}", place.strip_prefix(prefix)?)));
    let is_pair = || place.split('/').count() == 2 && !place.contains([':', '@']);
    let ssh = || {
        let rest = place.trim_start_matches("git+").trim_start_matches("ssh://").strip_prefix("git@")?;
        Some(format!("https://{}", rest.replacen(':', "/", 1)))
    };
    let web = || {
        let rest = place.strip_prefix("git+").unwrap_or(place);
        let rest = rest.strip_prefix("git://").map_or_else(|| rest.to_owned(), |rest| format!("https://{rest}"));
        rest.starts_with("http").then_some(rest)
    };
    let pair = || is_pair().then(|| format!("https://github.com/{place}"));
    let address = short.or_else(ssh).or_else(web).or_else(pair)?;
    link(address.strip_suffix(".git").unwrap_or(&address))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn about(manifest: &Value) -> About {
        About::of(&manifest.to_string())
    }

    #[test]
    fn a_manifest_is_told_in_short() {
        let about = about(&json!({
            "name": "@ada/one", "description": " A\n thing ", "keywords": ["a", 1, "b"], "license": { "type": "MIT" },
            "author": { "name": "Ada" }, "homepage": "https://example.com/one/", "repository": "ada/one",
            "bugs": { "url": "https://example.com/bugs" }, "engines": { "node": ">=20" }, "bin": "cli.js",
            "type": "module", "exports": { ".": { "import": { "types": "./a.d.ts" } } },
            "dependencies": { "a": "1", "o": "2" }, "optionalDependencies": { "o": "2" }, "devDependencies": { "d": "*" },
            "scripts": { "postinstall": "x" }
        }));
        assert_eq!(about.description.as_deref(), Some("A thing"));
        assert_eq!(about.keywords, ["a", "b"]);
        assert_eq!((about.license.as_deref(), about.author.as_deref()), (Some("MIT"), Some("Ada")));
        assert_eq!(about.homepage.unwrap().text, "example.com/one");
        assert_eq!(about.repository.unwrap().url, "https://github.com/ada/one");
        assert_eq!(about.commands, ["one"]);
        assert!(about.is_module && about.has_types && about.has_install_script);
        let kinds: Vec<_> = about.dependencies.iter().map(|one| (one.name.as_str(), one.kind)).collect();
        assert_eq!(kinds, [("a", "dependencies"), ("o", "optionalDependencies"), ("d", "devDependencies")]);
    }

    #[test]
    fn only_web_sites_are_linked_to() {
        for (given, url) in [
            ("git+https://github.com/a/b.git", Some("https://github.com/a/b")),
            ("git://github.com/a/b.git#main", Some("https://github.com/a/b")),
            ("git+ssh://git@github.com/a/b.git", Some("https://github.com/a/b")),
            ("git@gitlab.example:a/b.git", Some("https://gitlab.example/a/b")),
            ("gitlab:a/b", Some("https://gitlab.com/a/b")),
            ("https://example.com/x", Some("https://example.com/x")),
            ("javascript:alert(1)", None),
            ("javascript://example.com/%0aalert(1)", None),
            ("data:text/html,x", None),
            ("https://good.example@evil.example/", None),
            ("https://exa\u{202e}mple.com", None),
            ("file:///etc/passwd", None),
            ("//example.com", None),
            ("", None),
        ] {
            assert_eq!(repository(given).map(|link| link.url).as_deref(), url, "{given}");
        }
    }

    #[test]
    fn strangers_texts_are_cut_and_cannot_turn_the_page_around() {
        let about = about(
            &json!({ "description": format!("\u{202e}x\u{200b}{}", "y".repeat(9000)), "keywords": vec!["k"; 99] }),
        );
        assert_eq!(about.description.map(|text| text.len()), Some(TEXT));
        assert_eq!(about.keywords.len(), KEYWORDS);
        assert_eq!(About::of("[]"), About::default());
        assert_eq!(About::of("not json"), About::default());
    }
}
