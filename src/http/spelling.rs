//! One spelling for scoped names in paths.
//!
//! Clients write `@acme%2fone`, `@acme%2Fone`, `@acme/one`, `%40acme%2fone` and `%40acme/one` (`protocol.md` 1.1). Here
//! they all become `@acme%2fone`, one segment, before the path is routed: so each route is written once. No redirect,
//! which would cost a round trip for each package.

use http::Uri;
use http::uri::PathAndQuery;

/// Rewrites the path in place, where it is not in the one spelling already.
pub(super) fn canonicalise(uri: &mut Uri) {
    if is_canonical(uri.path()) {
        return;
    }
    let mut text = canonical(uri.path());
    if let Some(query) = uri.query() {
        text.push('?');
        text.push_str(query);
    }
    if let Ok(path_and_query) = PathAndQuery::try_from(text) {
        let mut parts = std::mem::take(uri).into_parts();
        parts.path_and_query = Some(path_and_query);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
}

/// Whether a glance is enough: the path begins with a package in the one spelling, or with none, and nothing behind
/// could be another.
fn is_canonical(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/').filter(|path| !path.starts_with('/')) else { return false };
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let spelled = first.starts_with('@') && first.contains("%2f");
    let plain = |text: &str| !text.contains(['@', '%']);
    (spelled || plain(first)) && plain(rest)
}

fn canonical(path: &str) -> String {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let mut out = String::with_capacity(path.len() + 4);
    let mut at = 0;
    while at < segments.len() {
        out.push('/');
        if let Some(scoped) = Scoped::read(&segments, at) {
            out.push('@');
            out.push_str(scoped.scope);
            out.push_str("%2f");
            out.push_str(scoped.name);
            at += scoped.segments;
        } else {
            out.push_str(segments[at]);
            at += 1;
        }
    }
    out
}

/// A scoped name that begins at some segment, in whichever spelling.
struct Scoped<'a> {
    scope: &'a str,
    name: &'a str,
    segments: usize,
}

impl<'a> Scoped<'a> {
    fn read(segments: &[&'a str], at: usize) -> Option<Self> {
        let segment = segments[at];
        let rest = segment.strip_prefix('@').or_else(|| segment.strip_prefix("%40"))?;
        // The escaped slash decides first: what follows it is the name, whatever comes behind the segment.
        let escaped = rest.find("%2f").or_else(|| rest.find("%2F"));
        if let Some(slash) = escaped {
            return Some(Self { scope: &rest[..slash], name: &rest[slash + 3..], segments: 1 });
        }
        let name = *segments.get(at + 1)?;
        (takes_name(segments, at) && name != "-" && !name.is_empty()).then_some(Self { scope: rest, name, segments: 2 })
    }
}

/// Whether the route has a package or a tarball at this place; elsewhere (`/-/org/@acme/package`) a scope stands alone.
/// In what is no package's own address a package comes behind a segment that says so.
fn takes_name(segments: &[&str], at: usize) -> bool {
    match at {
        0 => true,
        _ if segments[0] == "-" => segments[at - 1] == "package" || segments[1..at] == ["npm", "v1", "attestations"],
        _ if segments[0] == "downloads" => at == 3,
        _ if matches!(segments[0], "versions" | "package") => at == 1,
        _ => segments[at - 1] == "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_becomes_one() {
        for (given, expected) in [
            ("/@acme%2fone", "/@acme%2fone"),
            ("/@acme%2Fone", "/@acme%2fone"),
            ("/@acme/one", "/@acme%2fone"),
            ("/%40acme%2fone", "/@acme%2fone"),
            ("/%40acme/one", "/@acme%2fone"),
            ("/@acme/one/1.0.0", "/@acme%2fone/1.0.0"),
            ("/-/stage/package/@acme/one", "/-/stage/package/@acme%2fone"),
            ("/-/strongroom/v1/package/@acme/one/access/bob", "/-/strongroom/v1/package/@acme%2fone/access/bob"),
            ("/@acme%2fone/-rev/3-x", "/@acme%2fone/-rev/3-x"),
            ("/@acme/one/-rev/3-x", "/@acme%2fone/-rev/3-x"),
            ("/@acme/one/-/one-1.0.0.tgz", "/@acme%2fone/-/one-1.0.0.tgz"),
            ("/@acme%2fone/-/one-1.0.0.tgz", "/@acme%2fone/-/one-1.0.0.tgz"),
            ("/@acme/one/-/@acme/one-1.0.0.tgz", "/@acme%2fone/-/@acme%2fone-1.0.0.tgz"),
            ("/-/package/@acme/one/access", "/-/package/@acme%2fone/access"),
            ("/-/package/%40acme%2Fone/access", "/-/package/@acme%2fone/access"),
            ("/-/npm/v1/attestations/@acme/one@1.0.0", "/-/npm/v1/attestations/@acme%2fone@1.0.0"),
            ("/-/npm/v1/attestations/%40acme%2Fone%401.0.0", "/-/npm/v1/attestations/@acme%2fone%401.0.0"),
            ("/-/stage/package/@acme/one", "/-/stage/package/@acme%2fone"),
            ("/-/npm/v1/oidc/token/exchange/package/@acme/one", "/-/npm/v1/oidc/token/exchange/package/@acme%2fone"),
            ("/-/user/package/@acme/one/star", "/-/user/package/@acme%2fone/star"),
            ("/-/strongroom/v1/package/@acme/one/restore", "/-/strongroom/v1/package/@acme%2fone/restore"),
            ("/@acme/one/-/one-1.0.0.tgz/-rev/3-x", "/@acme%2fone/-/one-1.0.0.tgz/-rev/3-x"),
            ("/-/org/@acme/package", "/-/org/@acme/package"),
            ("/package/@acme/one", "/package/@acme%2fone"),
            ("/package/@acme/one/code/src/@types/index.d.ts", "/package/@acme%2fone/code/src/@types/index.d.ts"),
            ("/downloads/point/last-week/@acme/one", "/downloads/point/last-week/@acme%2fone"),
            ("/versions/@acme/one/last-week", "/versions/@acme%2fone/last-week"),
            ("/lodash/1.0.0", "/lodash/1.0.0"),
            ("/@acme", "/@acme"),
            ("/@acme/-/x", "/@acme/-/x"),
            ("/", "/"),
        ] {
            assert_eq!(canonical(given), expected, "{given}");
            assert!(!is_canonical(given) || given == expected, "{given}");
        }
    }

    #[test]
    fn what_installs_ask_for_is_seen_at_a_glance() {
        for path in ["/@acme%2fone", "/@acme%2fone/1.0.0", "/-/ping", "/"] {
            assert!(is_canonical(path), "{path}");
        }
        for path in ["//-/ping", "", "*"] {
            assert!(!is_canonical(path), "{path}");
        }
    }

    #[test]
    fn the_query_stays() {
        let mut uri: Uri = "/@acme/one?write=true".parse().unwrap();
        canonicalise(&mut uri);
        assert_eq!(uri, "/@acme%2fone?write=true");
    }
}
