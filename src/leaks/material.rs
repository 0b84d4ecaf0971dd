//! Whether text could be a secret, or only stands where one would.

/// Words that stand in for a secret.
const PLACEHOLDERS: [&str; 15] = [
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change_me",
    "your",
    "dummy",
    "redacted",
    "secret",
    "password",
    "token",
    "xxxx",
    "****",
    "....",
    "todo",
];

/// Whether somebody wrote it to be replaced: a word, a variable, dots.
pub(super) fn is_placeholder(text: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(text).to_lowercase();
    let is_variable = lower.starts_with(['$', '<', '{', '%', '[']) || lower.contains("${") || lower.contains("{{");
    is_variable || PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

/// Whether the characters look drawn by lot: many different ones, none many times over, not in a row as on a keyboard.
pub(super) fn looks_random(text: &[u8]) -> bool {
    let mut seen = [0_usize; 256];
    for byte in text {
        seen[usize::from(*byte)] += 1;
    }
    let different = seen.iter().filter(|count| **count > 0).count();
    let most = seen.iter().max().copied().unwrap_or_default();
    // Of n characters drawn from 16 (hexadecimal) or more, about this many differ.
    let enough = if text.len() < 24 { text.len() / 2 } else { 10 };
    different >= enough && most * 3 <= text.len() && longest_row(text) < 8 && !is_placeholder(text)
}

/// The longest stretch in which each character is the same as the one before it, or the next one after it.
fn longest_row(text: &[u8]) -> usize {
    let (mut longest, mut length) = (0, 1);
    for pair in text.windows(2) {
        let [one, next] = pair else { continue };
        length = if next == one || *next == one.wrapping_add(1) { length + 1 } else { 1 };
        longest = longest.max(length);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_are_told_from_words() {
        for secret in ["aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5", "9f86d081884c7d659a2feaa0c55ad015", "Q7XW2ZP4R6T3V5YB"] {
            assert!(looks_random(secret.as_bytes()), "{secret}");
        }
        for text in [
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "IOSFODNN7EXAMPLE",
            "0000000000000000",
            "YOUR_TOKEN_GOES_HERE_AND_NOWHERE_ELSE",
        ] {
            assert!(!looks_random(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn variables_are_no_secrets() {
        for text in ["${NPM_TOKEN}", "$NPM_TOKEN", "<token>", "{{ token }}", "changeme", "your-token-here"] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        assert!(!is_placeholder(b"hunter2-horse-battery"));
    }
}
