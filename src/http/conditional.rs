//! Conditional requests (RFC 9110, 13). The decision comes before them, always.

use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};

use crate::clock::Time;

/// The validators of a representation.
#[derive(Debug)]
pub struct Validators {
    /// The strong entity tag, quotes included.
    pub etag: HeaderValue,
    /// The first whole second after the last change; none while that second has not passed, because another change
    /// could still fall into it.
    pub last_modified: Option<HttpDate>,
}

/// A moment as HTTP writes it.
#[derive(Debug, Clone, Copy)]
pub struct HttpDate(Time);

impl HttpDate {
    /// The validator for what changed at `modified`, looked at `now`. Rounded up, since clients take it for an upper
    /// bound of the age of a release (`protocol.md` 2.6).
    pub fn after(modified: Time, now: Time) -> Option<Self> {
        let second = chrono::DateTime::from_timestamp(modified.timestamp() + 1, 0)?;
        (second <= now).then_some(Self(second))
    }

    /// As a header.
    pub fn to_header(self) -> Option<HeaderValue> {
        HeaderValue::try_from(httpdate::fmt_http_date(self.0.into())).ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let parsed = chrono::DateTime::parse_from_rfc2822(text.trim()).ok()?;
        Some(Self(parsed.to_utc()))
    }
}

/// Whether the client has this representation already. `If-None-Match` wins over `If-Modified-Since`.
pub fn not_modified(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        let lines = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
        let own = comparable(validators.etag.to_str().unwrap_or_default());
        return lines.flat_map(|line| line.split(',')).any(|tag| tag.trim() == "*" || comparable(tag) == own);
    }
    let since = headers.get(IF_MODIFIED_SINCE).and_then(|value| HttpDate::parse(value.to_str().ok()?));
    match (since, validators.last_modified) {
        (Some(since), Some(modified)) => modified.0 <= since.0,
        _ => false,
    }
}

/// Weak comparison; the encoding's suffix does not count either, since all encodings hold the same document.
fn comparable(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
    ["-gzip", "-br", "-zstd"].iter().find_map(|suffix| tag.strip_suffix(suffix)).unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validators() -> Validators {
        let time = |text: &str| text.parse::<Time>().unwrap();
        Validators {
            etag: HeaderValue::from_static("\"abc-gzip\""),
            last_modified: HttpDate::after(time("2026-05-01T12:00:00.300Z"), time("2026-05-01T12:00:05Z")),
        }
    }

    fn matches(name: &'static str, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        not_modified(&headers, &validators())
    }

    #[test]
    fn tags_compare_weakly_and_across_encodings() {
        for tag in ["\"abc-gzip\"", "W/\"abc-br\"", "\"x\", \"abc\"", "*"] {
            assert!(matches("if-none-match", tag), "{tag}");
        }
        for tag in ["\"abcd\"", "\"\"", "\"x\""] {
            assert!(!matches("if-none-match", tag), "{tag}");
        }
    }

    #[test]
    fn the_date_is_rounded_up_and_not_sent_while_its_second_lasts() {
        assert!(matches("if-modified-since", "Fri, 01 May 2026 12:00:01 GMT"));
        assert!(!matches("if-modified-since", "Fri, 01 May 2026 12:00:00 GMT"));
        assert!(!matches("if-modified-since", "yesterday"));
        let modified = "2026-05-01T12:00:00.300Z".parse().unwrap();
        assert!(HttpDate::after(modified, "2026-05-01T12:00:00.900Z".parse().unwrap()).is_none());
    }
}
