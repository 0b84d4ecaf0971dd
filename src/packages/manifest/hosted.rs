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
    let Some((place, commit)) = shortcut(place)
        .map(|place| (place, commit))
        .or_else(|| url(place, commit))
    else {
        return Cow::Borrowed(specifier);
    };
    Cow::Owned(match commit {
        Some(commit) if !commit.is_empty() => format!("{place}#{commit}"),
        _ => place,
    })
}

/// `user/repo` or `github:user/repo`.
fn shortcut(place: &str) -> Option<String> {
    let host = SHORTCUTS.iter().find(|host| place.starts_with(**host));
    if host.is_some() {
        return Some(without_git(place).to_owned());
    }
    let (user, repository) = place.split_once('/')?;
    let is_plain = !place.contains([':', '@', ' ', '\t']) && !place.starts_with(['.', '~', '/']);
    let is_pair = !user.is_empty() && !repository.is_empty() && !repository.contains('/');
    let repository = without_git(repository);
    (is_plain && is_pair).then(|| format!("github:{user}/{repository}"))
}

/// A URL of a known host, or its `git@host:user/repo` form.
fn url<'a>(place: &'a str, commit: Option<&'a str>) -> Option<(String, Option<&'a str>)> {
    let (scheme, authority, path) = split_url(place)?;
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = host.strip_prefix("www.").unwrap_or(host);
    let (path, commit) = repository(host, path, commit)?;
    let secret = if login.is_empty() {
        String::new()
    } else {
        format!("{login}@")
    };
    let place = match scheme {
        "https" | "git+https" => format!("git+https://{secret}{host}/{path}.git"),
        "git" => format!("git://{secret}{host}/{path}.git"),
        // hosted-git-info knows no plain http and turns it into ssh too.
        "ssh" | "git+ssh" | "http" => format!("git+ssh://git@{host}/{path}.git"),
        _ => return None,
    };
    Some((place, commit))
}

fn split_url(place: &str) -> Option<(&str, &str, &str)> {
    if let Some((scheme, rest)) = place.split_once("://") {
        let (authority, path) = rest.split_once('/')?;
        // `git+ssh://git@host:user/repo` is a common slip that npm reads as a path.
        return match authority.rsplit_once('@') {
            None | Some(_) if !path.is_empty() => Some((scheme, authority, path)),
            _ => None,
        };
    }
    let (authority, path) = place.split_once(':')?;
    let is_login = authority.contains('@') && !authority.contains('/');
    is_login.then_some(("ssh", authority, path))
}

/// The path of a repository on a known host, and the commit if the path holds it.
fn repository<'a>(
    host: &str,
    path: &'a str,
    commit: Option<&'a str>,
) -> Option<(&'a str, Option<&'a str>)> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let whole = without_git(path.trim_end_matches('/'));
    match (host, segments.as_slice()) {
        ("github.com" | "bitbucket.org" | "git.sr.ht", [_, _]) => Some((whole, commit)),
        ("github.com", [user, repository, "tree", branch]) if commit.is_none() => {
            let length = user.len() + 1 + repository.len();
            Some((without_git(path.get(..length)?), Some(branch)))
        }
        ("gist.github.com", [id] | [_, id]) => Some((without_git(id), commit)),
        ("gitlab.com", [_, _, ..]) if !segments.contains(&"-") => Some((whole, commit)),
        _ => None,
    }
}

fn without_git(text: &str) -> &str {
    text.strip_suffix(".git").unwrap_or(text)
}
