//! Secrets in settings: what an environment is given, what clients show a registry, passwords in addresses.

use memchr::memmem;

use super::super::material::{is_placeholder, looks_random};

/// Settings of clients whose values are secrets.
const CREDENTIALS: [&str; 6] = ["_authtoken", "_auth", "_password", "npmauthtoken", "npmauthident", "token"];

/// The longest password in an address.
const MOST_PASSWORD: usize = 128;

/// The first variable of an environment file that has a value of its own: the file as a whole should not go out.
pub(super) fn first_assignment(text: &[u8]) -> Option<(usize, &'static str)> {
    let assigned = |(at, line): (usize, &[u8])| {
        let (name, value) = split(line, b'=')?;
        let name = name.strip_prefix(b"export ").unwrap_or(name).trim_ascii();
        let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let value = unquoted(value);
        (is_name && value.len() >= 4 && !is_placeholder(value)).then_some((at, "environment file"))
    };
    lines(text).find_map(assigned)
}

/// Tokens and passwords for a registry that stand there in clear.
pub(super) fn registry_credentials(text: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    lines(text).filter_map(|(at, line)| {
        let (name, value) = split(line, b'=').or_else(|| split(line, b':'))?;
        let name = String::from_utf8_lossy(name.rsplit(|byte| *byte == b':').next()?).trim().to_lowercase();
        let value = unquoted(value);
        let is_secret = CREDENTIALS.contains(&name.trim_matches('"')) && value.len() >= 8 && !is_placeholder(value);
        is_secret.then_some((at, "registry credentials"))
    })
}

/// `scheme://user:password@host`, where the password is none that a manual would have.
pub(super) fn passwords_in_urls(text: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    memmem::find_iter(text, b"://").filter(|at| has_password(text, *at)).map(|at| (at, "password in an address"))
}

fn has_password(text: &[u8], at: usize) -> bool {
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if !at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(is_scheme) {
        return false;
    }
    let rest = text.get(at + 3..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(2 * MOST_PASSWORD)).unwrap_or_default();
    let ends =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'?');
    let authority = rest.split(ends).next().unwrap_or_default();
    let Some(sign) = authority.iter().rposition(|byte| *byte == b'@') else { return false };
    let (user, host) = authority.split_at(sign);
    let Some((_, password)) = split(user, b':') else { return false };
    let host = host.get(1..).unwrap_or_default();
    let is_near =
        host.starts_with(b"127.") || host.starts_with(b"0.0.0.0") || memmem::find(host, b"example.").is_some();
    let is_real_host = host.contains(&b'.') && !is_near;
    is_real_host && (8..=MOST_PASSWORD).contains(&password.len()) && is_chosen(password)
}

/// A password that somebody chose or drew, and not one of an example: `pass`, `${PASSWORD}`, `hunter`.
fn is_chosen(password: &[u8]) -> bool {
    let has = |is: fn(&u8) -> bool| password.iter().any(is);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    is_mixed && (password.len() < 16 || looks_random(password)) && !is_placeholder(password)
}

fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let begins = at;
        at += line.len() + 1;
        let first = line.trim_ascii().first()?;
        (!matches!(first, b'#' | b';')).then_some((begins, line.trim_ascii()))
    })
}

fn split(line: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr::memchr(at, line)?;
    Some((line.get(..place)?, line.get(place + 1..)?))
}

fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let quote = value.first().filter(|byte| matches!(byte, b'"' | b'\''));
    let inner = quote.and_then(|quote| value.get(1..)?.strip_suffix(std::slice::from_ref(quote)));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_with_values_is_found_at_its_first() {
        let text = b"# settings\nPORT=80\nAPI_URL=\nexport DATABASE_PASSWORD='s3cr-battery'\nB=longer\n";
        assert_eq!(first_assignment(text), Some((28, "environment file")));
        for text in
            ["", "# A=secret-value", "A=\nB=${C}\n", "TOKEN=your-token-here", "PASSWORD=changeme", "no assignment"]
        {
            assert_eq!(first_assignment(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_clients_show_a_registry_is_found() {
        for text in [
            "//registry.test/:_authToken=9f86d081884c7d65",
            "_auth=YWRhOmhvcnNlLWJhdHRlcnk=",
            "//registry.test/:_password = \"aG9yc2UtYmF0dGVyeQ==\"",
            "npmAuthToken: 9f86d081884c7d65",
        ] {
            assert_eq!(registry_credentials(text.as_bytes()).count(), 1, "{text}");
        }
        for text in [
            "registry=https://registry.test/",
            "//registry.test/:_authToken=${NPM_TOKEN}",
            "; _auth=YWRhOmhvcnNlLWJhdHRlcnk=",
            "//registry.test/:username=ada",
            "npmAuthToken: \"${NPM_TOKEN}\"",
        ] {
            assert_eq!(registry_credentials(text.as_bytes()).count(), 0, "{text}");
        }
    }

    #[test]
    fn passwords_in_addresses_are_found_where_they_are_real() {
        for text in [
            "postgres://app:v3ry-l0ng-horse@db1.prod.acme.io:5432/app",
            "x = 'https://ci:9f86d081884c7d65@git.acme.io/x'",
        ] {
            assert_eq!(passwords_in_urls(text.as_bytes()).count(), 1, "{text}");
        }
        for text in [
            "postgres://user:password@localhost/db",
            "postgres://user:passw0rd1@db.example.com/x",
            "https://user:${PASSWORD}@git.acme.io",
            "git+ssh://git@github.com:acme/one.git",
            "https://registry.test/@acme/one",
            "see https://a.test:8080/x@y",
            "http://www.w3.org/2000/svg",
        ] {
            assert_eq!(passwords_in_urls(text.as_bytes()).count(), 0, "{text}");
        }
    }
}
