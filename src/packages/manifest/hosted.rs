//! The ways to write one git repository in a dependency.
//!
//! npm rewrites a specifier that points at a known host (`user/repo` to `github:user/repo`, `https:` to
//! `git+https:`) in the manifest, and leaves the tarball's `package.json` alone. Other clients rewrite nothing.

use std::borrow::Cow;

const SHORTCUTS: [&str; 5] = ["github:", "gitlab:", "bitbucket:", "gist:", "sourcehut:"];

/// One spelling for each repository, transport and commit; other specifiers are only trimmed.
///
/// The transport is kept, since it decides whom a client trusts for the bytes.
pub(super) fn canonical(specifier: &str) -> Cow<'_, str> {
    let specifier = specifier.trim();
    let (place, commit) = match specifier.split_once('#') {
        Some((place, commit)) => (place, Some(commit)),
        None => (specifier, None),
    };
    let Some((place, commit)) = shortcut(place).map(|place| (place, commit)).or_else(|| url(place, commit)) else {
        return Cow::Borrowed(specifier);
    };
    Cow::Owned(match commit {
        Some(commit) if !commit.is_empty() => format!("{place}#{commit}"),
        _ => place,
    })
}

/// `user/repo` or `github:user/repo`.
fn shortcut(place: &str) -> Option<String> {
    if let Some(host) = SHORTCUTS.iter().find(|host| place.starts_with(**host)) {
        let path = place.strip_prefix(host)?;
        let (_login, path) = path.rsplit_once('@').unwrap_or(("", path));
        // The owner of a gist is decoration.
        let is_gist = *host == "gist:";
        let path = path.rsplit('/').next().filter(|_| is_gist).unwrap_or(path);
        return Some(format!("{host}{}", without_git(path)));
    }
    let (user, repository) = place.split_once('/')?;
    let is_plain = !place.contains([':', '@', ' ', '\t']) && !place.starts_with('.');
    let is_pair = !user.is_empty() && !repository.is_empty() && !repository.contains('/');
    let repository = without_git(repository);
    (is_plain && is_pair).then(|| format!("github:{user}/{repository}"))
}

/// A URL of a known host, or its `git@host:user/repo` form.
fn url<'a>(place: &'a str, commit: Option<&'a str>) -> Option<(String, Option<&'a str>)> {
    let (scheme, login, host, path) = split_url(place)?;
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let (path, commit) = repository(host, path.trim_end_matches('/'), commit)?;
    let login = login.map_or_else(String::new, |login| format!("{login}@"));
    let place = match scheme {
        "https" | "git+https" => format!("git+https://{login}{host}/{path}.git"),
        "git" => format!("git://{login}{host}/{path}.git"),
        // npm knows no plain http and turns it into ssh too.
        "ssh" | "git+ssh" | "http" => format!("git+ssh://git@{host}/{path}.git"),
        _ => return None,
    };
    Some((place, commit))
}

/// Scheme, login, host and path of `scheme://login@host/path`, `login@host:path` and what lies between.
fn split_url(place: &str) -> Option<(&str, Option<&str>, &str, &str)> {
    let (scheme, rest) = match place.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None if place.contains('@') => ("ssh", place),
        None => return None,
    };
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) if !login.contains('/') => (Some(login), rest),
        _ => (None, rest),
    };
    let (host, path) = rest.split_once([':', '/'])?;
    Some((scheme, login, host, path))
}

/// The path of a repository on a known host, and the commit if the path holds it.
fn repository<'a>(host: &str, path: &'a str, commit: Option<&'a str>) -> Option<(String, Option<&'a str>)> {
    let segments: Vec<&str> = path.split('/').collect();
    if segments.contains(&"") {
        return None;
    }
    let pair = |user: &str, repository: &str| format!("{user}/{}", without_git(repository));
    match (host, segments.as_slice()) {
        ("github.com", [user, name]) => Some((pair(user, name), commit)),
        ("github.com", [user, name, "tree", branch, ..]) => Some((pair(user, name), commit.or(Some(branch)))),
        ("bitbucket.org", [user, name, rest @ ..]) if rest.first() != Some(&"get") => Some((pair(user, name), commit)),
        ("gist.github.com", [id] | [_, id]) => Some((without_git(id).to_owned(), commit)),
        ("gitlab.com", [_, _, ..]) if !segments.contains(&"-") && !path.ends_with(".tar.gz") => {
            Some((without_git(path).to_owned(), commit))
        }
        _ => None,
    }
}

fn without_git(text: &str) -> &str {
    text.strip_suffix(".git").unwrap_or(text)
}
