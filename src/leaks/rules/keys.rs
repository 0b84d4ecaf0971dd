//! Private keys in the form that every tool writes, and the key files of service accounts around them.

use memchr::memmem;

const BEGIN: &[u8] = b"-----BEGIN ";
const KEY: &[u8] = b"PRIVATE KEY";

/// How long the words between may be: `ENCRYPTED`, `OPENSSH`, `RSA`, `PGP … BLOCK`.
const TITLE_BYTES: usize = 40;

/// How much is read to see whether a key follows, and how much of a key must follow.
const LOOKED_AT: usize = 400;
const MATERIAL: usize = 48;

pub(super) fn find(text: &[u8]) -> Vec<(usize, &'static str)> {
    let keys: Vec<usize> = memmem::find_iter(text, BEGIN).filter(|at| is_key(text, *at)).collect();
    let is_account = !keys.is_empty() && is_service_account(text);
    let kind = if is_account { "service account key" } else { "private key" };
    keys.into_iter().map(|at| (at, kind)).collect()
}

/// Programs that read keys have the first line in them too; a key has more.
fn is_key(text: &[u8], at: usize) -> bool {
    let title = text.get(at + BEGIN.len()..).unwrap_or_default();
    let title = title.get(..TITLE_BYTES.min(title.len())).unwrap_or_default();
    let Some(end) = memmem::find(title, b"-----") else { return false };
    if memmem::find(title.get(..end).unwrap_or_default(), KEY).is_none() {
        return false;
    }
    let body = text.get(at + BEGIN.len() + end + 5..).unwrap_or_default();
    let body = body.get(..LOOKED_AT.min(body.len())).unwrap_or_default();
    material(body) >= MATERIAL
}

/// The longest stretch of base64 in the lines that follow, be they lines of a file or of a string with `\n` in it.
fn material(body: &[u8]) -> usize {
    let body = memmem::find(body, b"-----END").map_or(body, |end| body.get(..end).unwrap_or_default());
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    body.split(|byte| !is_base64(byte)).map(<[u8]>::len).max().unwrap_or_default()
}

fn is_service_account(text: &[u8]) -> bool {
    memmem::find(text, b"\"service_account\"").is_some() && memmem::find(text, b"\"private_key\"").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

    fn kinds(text: &str) -> Vec<&'static str> {
        find(text.as_bytes()).into_iter().map(|(_, kind)| kind).collect()
    }

    #[test]
    fn keys_are_known_in_every_dress() {
        for title in
            ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
        {
            let key = format!("-----BEGIN {title}-----\n{BODY}\n-----END {title}-----\n");
            assert_eq!(kinds(&key), ["private key"], "{title}");
            assert_eq!(kinds(&format!("const key = `{}`", key.replace('\n', "\\n"))), ["private key"], "{title}");
        }
        let account =
            format!("{{\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{BODY}\\n\"}}");
        assert_eq!(kinds(&account), ["service account key"]);
    }

    #[test]
    fn what_only_speaks_of_keys_is_left_alone() {
        for text in [
            "if (pem.startsWith('-----BEGIN PRIVATE KEY-----')) { return decode(pem.slice(27, -25).trim()) }",
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
            "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
            "-----BEGIN ",
        ] {
            assert!(kinds(text).is_empty(), "{text}");
        }
    }
}
