//! What can be told of a file while its bytes go by.

use sha2::{Digest as _, Sha256};

/// How much of the beginning tells text from anything else.
const HEAD_BYTES: usize = 8 * 1024;

/// Watches the bytes of one file.
#[derive(Default)]
pub(super) struct Sniffer {
    head: Vec<u8>,
    sha256: Sha256,
}

impl Sniffer {
    /// The next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        let room = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Whether it was text, and its SHA-256.
    pub(super) fn finish(self) -> (bool, [u8; 32]) {
        (is_text(&self.head), self.sha256.finalize().into())
    }
}

/// UTF-8 without a NUL, but for a character that the cut has halved.
fn is_text(head: &[u8]) -> bool {
    let is_utf8 = match str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && head.len() == HEAD_BYTES,
    };
    is_utf8 && memchr::memchr(0, head).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniff(bytes: &[u8]) -> bool {
        let mut sniffer = Sniffer::default();
        bytes.chunks(1000).for_each(|chunk| sniffer.update(chunk));
        sniffer.finish().0
    }

    #[test]
    fn text_is_told_by_its_beginning() {
        assert!(sniff(b""));
        assert!(sniff("schön\n".as_bytes()));
        assert!(sniff(&[&[b'x'; HEAD_BYTES - 1][..], "ü".as_bytes()].concat()));
        assert!(sniff(&[&[b'x'; HEAD_BYTES][..], b"\0"].concat()));
        assert!(!sniff(b"\x89PNG\r\n\x1a\n\0"));
        assert!(!sniff(b"text\0"));
        assert!(!sniff("halb\u{fc}".as_bytes().split_last().expect("bytes").1));
    }
}
