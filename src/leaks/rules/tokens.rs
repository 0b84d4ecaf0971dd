//! Tokens that begin with what names their issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memmem;
use serde_json::Value;

use super::super::material::looks_random;

/// Which characters a token has behind its prefix.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Plain,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Letters, digits, `-`, `_` and `.`.
    Dotted,
    /// Letters, digits and `/`.
    Path,
    /// Digits and capitals.
    Capitals,
    /// Hexadecimal.
    Hex,
    /// Base64 with its padding.
    Base64,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Self::Path => byte.is_ascii_alphanumeric() || byte == b'/',
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='),
        }
    }
}

/// A prefix, and what must stand behind it: characters of an alphabet, at least and at most so many.
struct Shape {
    kind: &'static str,
    prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    most: usize,
}

const fn shape(kind: &'static str, prefix: &'static str, alphabet: Alphabet, least: usize, most: usize) -> Shape {
    Shape { kind, prefix, alphabet, least, most }
}

const SHAPES: [Shape; 34] = [
    shape("npm token", "npm_", Alphabet::Plain, 36, 36),
    shape("GitHub token", "ghp_", Alphabet::Plain, 36, 36),
    shape("GitHub token", "gho_", Alphabet::Plain, 36, 36),
    shape("GitHub token", "ghu_", Alphabet::Plain, 36, 36),
    shape("GitHub token", "ghs_", Alphabet::Plain, 36, 36),
    shape("GitHub token", "ghr_", Alphabet::Plain, 36, 76),
    shape("GitHub token", "github_pat_", Alphabet::Url, 82, 82),
    shape("GitLab token", "glpat-", Alphabet::Dotted, 20, 64),
    shape("GitLab token", "gldt-", Alphabet::Dotted, 20, 64),
    shape("AWS access key", "AKIA", Alphabet::Capitals, 16, 16),
    shape("AWS access key", "ASIA", Alphabet::Capitals, 16, 16),
    shape("Slack token", "xoxb-", Alphabet::Url, 24, 200),
    shape("Slack token", "xoxp-", Alphabet::Url, 24, 200),
    shape("Slack token", "xoxa-", Alphabet::Url, 24, 200),
    shape("Slack token", "xoxs-", Alphabet::Url, 24, 200),
    shape("Slack token", "xapp-", Alphabet::Url, 24, 200),
    shape("Slack webhook", "hooks.slack.com/services/T", Alphabet::Path, 36, 60),
    shape("Stripe key", "sk_live_", Alphabet::Plain, 24, 200),
    shape("Stripe key", "rk_live_", Alphabet::Plain, 24, 200),
    shape("Stripe webhook secret", "whsec_", Alphabet::Base64, 32, 64),
    shape("Google API key", "AIza", Alphabet::Url, 35, 35),
    shape("Google OAuth secret", "GOCSPX-", Alphabet::Url, 28, 28),
    shape("SendGrid key", "SG.", Alphabet::Dotted, 66, 66),
    shape("PyPI token", "pypi-AgE", Alphabet::Url, 50, 400),
    shape("Docker Hub token", "dckr_pat_", Alphabet::Url, 27, 27),
    shape("DigitalOcean token", "dop_v1_", Alphabet::Hex, 64, 64),
    shape("Hugging Face token", "hf_", Alphabet::Plain, 34, 34),
    shape("Shopify token", "shpat_", Alphabet::Hex, 32, 32),
    shape("Anthropic key", "sk-ant-", Alphabet::Url, 80, 200),
    shape("OpenAI key", "sk-proj-", Alphabet::Url, 40, 250),
    shape("Linear key", "lin_api_", Alphabet::Plain, 40, 40),
    shape("Doppler token", "dp.pt.", Alphabet::Plain, 40, 44),
    shape("Azure storage key", "AccountKey=", Alphabet::Base64, 88, 88),
    shape("Vault token", "hvs.", Alphabet::Url, 24, 200),
];

pub(super) fn find(text: &[u8]) -> Vec<(usize, &'static str)> {
    let by_shape = SHAPES.iter().flat_map(|shape| shape.find(text));
    by_shape.chain(web_tokens(text)).collect()
}

impl Shape {
    fn find(&self, text: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
        let places = memmem::find_iter(text, self.prefix);
        places.filter(|at| self.fits(text, *at)).map(|at| (at, self.kind))
    }

    fn fits(&self, text: &[u8], at: usize) -> bool {
        let behind = text.get(at + self.prefix.len()..).unwrap_or_default();
        let token = run(behind, |byte| self.alphabet.has(byte));
        let goes_on = behind.get(token.len()).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        begins_word(text, at) && (self.least..=self.most).contains(&token.len()) && !goes_on && looks_random(token)
    }
}

/// What an alphabet holds on to from the beginning.
fn run(text: &[u8], has: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !has(*byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whether nothing stands before it that it would be a part of.
fn begins_word(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'))
}

/// Signed JSON (RFC 7519): whoever holds one is whom it names.
fn web_tokens(text: &[u8]) -> impl Iterator<Item = (usize, &'static str)> {
    memmem::find_iter(text, b"eyJ").filter(|at| is_web_token(text, *at)).map(|at| (at, "JSON web token"))
}

fn is_web_token(text: &[u8], at: usize) -> bool {
    let token = run(text.get(at..).unwrap_or_default(), |byte| Alphabet::Dotted.has(byte));
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = parts[..] else { return false };
    if !begins_word(text, at) || signature.len() < 20 || token.len() > 8192 {
        return false;
    }
    let read = |part: &[u8]| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let signs = read(header).is_some_and(|header| header["alg"].as_str().is_some_and(|alg| alg != "none"));
    // The one that every manual shows.
    let is_shown_everywhere = |payload: &Value| payload["name"] == "John Doe" || payload["sub"] == "1234567890";
    signs && read(payload).is_some_and(|payload| payload.is_object() && !is_shown_everywhere(&payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text.as_bytes()).into_iter().map(|(_, kind)| kind).collect()
    }

    /// Characters as if drawn by lot, of an alphabet.
    fn lot(alphabet: Alphabet, length: usize) -> String {
        let mut state = 7_u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        let bytes = std::iter::repeat_with(&mut draw).filter(|byte| alphabet.has(*byte) && *byte != b'=');
        bytes.take(length).map(char::from).collect()
    }

    #[test]
    fn every_shape_knows_its_token_and_no_placeholder() {
        for shape in &SHAPES {
            let token = format!("{}{}", shape.prefix, lot(shape.alphabet, shape.least));
            assert!(kinds(&format!("const x = \"{token}\";")).contains(&shape.kind), "{token}");
            assert!(!kinds(&format!("a{token}")).contains(&shape.kind), "inside a word: {token}");
            let short = &token[..token.len() - 1];
            assert!(!kinds(&format!("x = '{short}'")).contains(&shape.kind), "too short: {short}");
            let faint = format!("{}{}", shape.prefix, "x".repeat(shape.least));
            assert!(kinds(&faint).is_empty(), "{faint}");
            if shape.least == shape.most {
                assert!(!kinds(&format!("{token}9")).contains(&shape.kind), "too long: {token}9");
            }
        }
    }

    #[test]
    fn examples_of_manuals_are_left_alone() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "npm_config_registry, npm_lifecycle_event and npm_package_version are set by the client",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "sk_live_YOUR_KEY_GOES_HERE_PLEASE_THANKS",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
            "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEuanMiXX0=",
        ] {
            assert!(kinds(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_web_token_is_read_and_not_guessed() {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let header = part("{\"alg\":\"RS256\",\"kid\":\"1\"}");
        let token = format!("{header}.{}.{}", part("{\"sub\":\"ada\",\"scope\":\"write\"}"), lot(Alphabet::Url, 43));
        assert_eq!(kinds(&format!("Authorization: Bearer {token}")), ["JSON web token"]);
        let unsigned = format!("{}.{}.{}", part("{\"alg\":\"none\"}"), part("{}"), lot(Alphabet::Url, 43));
        assert!(kinds(&unsigned).is_empty());
        assert!(kinds(&format!("{header}.notjson.{}", lot(Alphabet::Url, 43))).is_empty());
    }
}
