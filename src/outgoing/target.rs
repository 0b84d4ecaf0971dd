//! The address of a request, taken apart once.

use std::str::FromStr;

use http::Uri;

use super::OutgoingError;

/// The longest address that is taken.
const LONGEST: usize = 2048;

/// An `http` or `https` address without a credential or a fragment in it.
///
/// Parsing one says nothing about where it leads: that is judged when the connection is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) secure: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the `Host` header has it.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl FromStr for Target {
    type Err = OutgoingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use OutgoingError::Address;
        if text.len() > LONGEST {
            return Err(Address("it is longer than 2048 characters"));
        }
        if text.contains('#') {
            return Err(Address("it has a fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| Address("it is not a URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(Address("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or(Address("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(Address("it carries a user name or password"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") if secure => 443,
            Some("") => 80,
            rest => rest
                .and_then(|rest| rest.strip_prefix(':')?.parse().ok())
                .ok_or(Address("its port is not a number below 65536"))?,
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(Address("it names no host"));
        }
        Ok(Self {
            secure,
            host: host.to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            path: uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(bool, String, u16, String)> {
        let target: Target = text.parse().ok()?;
        Some((target.secure, target.host, target.port, target.path))
    }

    #[test]
    fn the_parts_are_read_as_a_client_would() {
        let parts = |secure, host: &str, port, path: &str| Some((secure, host.to_owned(), port, path.to_owned()));
        assert_eq!(parse("https://hooks.example/a?b=c"), parts(true, "hooks.example", 443, "/a?b=c"));
        assert_eq!(parse("http://hooks.example"), parts(false, "hooks.example", 80, "/"));
        assert_eq!(parse("http://[::1]:8080/x"), parts(false, "::1", 8080, "/x"));
    }

    #[test]
    fn what_is_no_plain_web_address_is_refused() {
        let long = format!("https://a.example/{}", "x".repeat(LONGEST));
        for text in [
            "",
            "/path",
            "a.example",
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://a.example",
            "https://",
            "https://user:password@a.example/",
            "https://user@a.example/",
            "https://a.example/#part",
            "https://a.example/ b",
            "https://a.example/\r\nx: y",
            "https://a.example:99999/",
            &long,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
