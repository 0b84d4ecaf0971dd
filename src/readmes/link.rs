//! Where the links and images of a README lead.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::contents::ImageKind;
use crate::names::is_misleading;

use super::Rules;

/// What is escaped in a segment of a path.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// What the name of every anchor in a README begins with.
pub(super) const PREFIX: &str = "readme-";

/// The longest address that is looked at.
const LONGEST: usize = 2000;

/// What an address means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A place in the README itself.
    Here(String),
    /// A file of the package.
    File {
        /// Its path.
        path: String,
        /// With its `#`, or empty.
        fragment: String,
    },
    /// Another site.
    Elsewhere {
        /// The whole address.
        url: String,
        /// Whose it is.
        host: String,
    },
    /// Somebody's mailbox.
    Mail(String),
}

/// Reads an address as a browser would; `None` for what leads nowhere that we send people.
pub(super) fn read(address: &str) -> Option<Target> {
    let address: String = address.trim().chars().filter(|one| !matches!(one, '\t' | '\n' | '\r')).collect();
    if address.len() > LONGEST || address.contains(is_misleading) || address.contains('\\') {
        return None;
    }
    if let Some(fragment) = address.strip_prefix('#') {
        return Some(Target::Here(fragment.to_owned()));
    }
    if let Some(rest) = address.strip_prefix("//") {
        return elsewhere(format!("https://{rest}"));
    }
    match scheme(&address) {
        None => file(&address),
        Some("http" | "https") => elsewhere(address),
        Some("mailto") => Some(Target::Mail(address)),
        Some(_) => None,
    }
}

/// In lower case. A colon behind anything but a scheme belongs to a path.
fn scheme(address: &str) -> Option<&'static str> {
    let (scheme, _) = address.split_once(':')?;
    let is_scheme = scheme.starts_with(|one: char| one.is_ascii_alphabetic())
        && scheme.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '+' | '-' | '.'));
    let known = ["http", "https", "mailto"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    is_scheme.then(|| known.unwrap_or("other"))
}

fn elsewhere(url: String) -> Option<Target> {
    let parsed: http::Uri = utf8_percent_encode(&url, CONTROLS_AND_BLANK).to_string().parse().ok()?;
    // Who sees only the beginning must not take a name before an @ for the host.
    let authority = parsed.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let host = authority.host().to_ascii_lowercase();
    (!host.is_empty() && parsed.scheme().is_some()).then_some(Target::Elsewhere { url, host })
}

const CONTROLS_AND_BLANK: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'|').add(b'^').add(b'#');

/// A path within the package, seen from its top folder.
fn file(address: &str) -> Option<Target> {
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (path, _) = address.split_once('?').unwrap_or((address, ""));
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/') {
        let segment = percent_decode_str(segment).decode_utf8().ok()?;
        match segment.as_ref() {
            "" | "." => {}
            ".." => drop(segments.pop()?),
            other if other.contains(['/', '\\']) || other.contains(char::is_control) => return None,
            other => segments.push(other.to_owned()),
        }
    }
    let fragment = match fragment {
        "" => String::new(),
        fragment => format!("#{}", utf8_percent_encode(fragment, SEGMENT)),
    };
    Some(Target::File { path: segments.join("/"), fragment })
}

/// The address of a link, as it stands on our page.
pub(super) fn href(address: &str, rules: &Rules) -> Option<String> {
    Some(match read(address)? {
        Target::Here(fragment) => format!("#{}", prefixed(&fragment)),
        Target::File { path, fragment } => format!("{}{fragment}", page(rules, "code", &path)),
        Target::Elsewhere { url, .. } | Target::Mail(url) => url,
    })
}

/// The address of an image that is shown, and not only linked to.
pub(super) fn image(target: &Target, rules: &Rules) -> Option<String> {
    match target {
        Target::File { path, .. } => ImageKind::of_path(path).map(|_| page(rules, "image", path)),
        Target::Elsewhere { url, host } => {
            (url.starts_with("https://") && rules.image_hosts.contains(host)).then(|| url.clone())
        }
        Target::Here(_) | Target::Mail(_) => None,
    }
}

/// The name of an anchor, which none of ours has.
pub(super) fn prefixed(id: &str) -> String {
    if id.starts_with(PREFIX) { id.to_owned() } else { format!("{PREFIX}{id}") }
}

fn page(rules: &Rules, what: &str, path: &str) -> String {
    let version = utf8_percent_encode(rules.version.as_str(), SEGMENT);
    let mut address = format!("/package/{}/v/{version}/{what}", rules.name);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        address.push('/');
        address.extend(utf8_percent_encode(segment, SEGMENT));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let image_hosts = ["img.example".to_owned()].into();
        Rules { name: "@ada/one".parse().unwrap(), version: "1.0.0".parse().unwrap(), image_hosts }
    }

    #[test]
    fn links_lead_to_the_same_version_or_elsewhere_by_name() {
        for (address, leads_to) in [
            ("docs/a.md", Some("/package/@ada/one/v/1.0.0/code/docs/a.md")),
            ("./docs/../LICENSE?raw=true", Some("/package/@ada/one/v/1.0.0/code/LICENSE")),
            ("/src/a b%20c.js#L10-L12", Some("/package/@ada/one/v/1.0.0/code/src/a%20b%20c.js#L10-L12")),
            ("a'b\"<c>&.md", Some("/package/@ada/one/v/1.0.0/code/a%27b%22%3Cc%3E%26.md")),
            ("", Some("/package/@ada/one/v/1.0.0/code")),
            ("#install", Some("#readme-install")),
            ("#readme-install", Some("#readme-install")),
            ("https://example.com/a#b", Some("https://example.com/a#b")),
            ("HTTPS://example.com", Some("HTTPS://example.com")),
            ("//example.com/a", Some("https://example.com/a")),
            ("mailto:a@example.com", Some("mailto:a@example.com")),
            ("../../etc/passwd", None),
            ("a/%2e%2e/%2e%2e/b", None),
            ("a%2fb", None),
            ("a%00b", None),
            ("javascript:alert(1)", None),
            ("java\nscript:alert(1)", None),
            (" \u{1}javascript:alert(1)", None),
            ("JaVaScRiPt:alert(1)", None),
            ("data:text/html,x", None),
            ("vbscript:x", None),
            ("blob:https://example.com/x", None),
            ("/\\example.com", None),
            ("\\\\example.com", None),
            ("https://bank.example@evil.example/", None),
            ("https://", None),
            ("https:example.com", None),
        ] {
            assert_eq!(href(address, &rules()).as_deref(), leads_to, "{address:?}");
        }
    }

    #[test]
    fn images_are_the_packages_own_or_from_where_the_operator_says() {
        let image = |address: &str| read(address).and_then(|target| image(&target, &rules()));
        assert_eq!(image("logo.png").as_deref(), Some("/package/@ada/one/v/1.0.0/image/logo.png"));
        assert_eq!(image("https://img.example/a").as_deref(), Some("https://img.example/a"));
        for other in
            ["page.html", "http://img.example/a", "https://other.example/a.png", "data:image/png;base64,x", "#a"]
        {
            assert_eq!(image(other), None, "{other}");
        }
    }
}
