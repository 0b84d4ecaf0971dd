//! Which file is the README.

/// The README of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readme {
    /// Its name in the top folder.
    pub file_name: String,
    /// Its text, with the replacement character for bytes that are not UTF-8; cut at
    /// [`ArchiveLimits::readme_bytes`](super::ArchiveLimits::readme_bytes).
    pub text: String,
}

impl Readme {
    pub(super) fn new(file_name: &str, bytes: &[u8]) -> Self {
        Self { file_name: file_name.to_owned(), text: lossy(bytes) }
    }
}

/// Replaces what is not UTF-8, but for a character that the cut has halved.
fn lossy(bytes: &[u8]) -> String {
    let end = match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

/// How well a file in the top folder serves as README; `None` if it is none. As npm: any case, Markdown before the
/// bare name before other texts; and plain `README.md` before translations.
pub(super) fn rank(file_name: &str) -> Option<u8> {
    let lower = file_name.to_ascii_lowercase();
    match lower.strip_prefix("readme")? {
        ".md" => Some(4),
        ".markdown" | ".mdown" | ".mkdn" | ".mkd" => Some(3),
        "" => Some(2),
        rest if rest.starts_with('.') => Some(1),
        _ => None,
    }
}
