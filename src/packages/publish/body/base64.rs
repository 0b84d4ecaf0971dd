//! Strict base64 that arrives in pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const WRONG: &str = "a tarball's data is not strict base64 (standard alphabet, padded, no blanks)";

/// Decodes the standard alphabet with required padding; nothing may follow the padding, unused bits must be zero.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    /// Up to three characters that wait for their group of four.
    carried: Vec<u8>,
    is_padded: bool,
}

impl Base64 {
    /// Appends what `text` stands for to `output`.
    pub(super) fn decode(&mut self, mut text: &[u8], output: &mut Vec<u8>) -> Result<(), &'static str> {
        if !self.carried.is_empty() {
            let missing = (4 - self.carried.len()).min(text.len());
            let (head, rest) = text.split_at(missing);
            self.carried.extend_from_slice(head);
            text = rest;
            if self.carried.len() == 4 {
                let group = std::mem::take(&mut self.carried);
                self.groups(&group, output)?;
            }
        }
        let (groups, rest) = text.split_at(text.len() - text.len() % 4);
        self.groups(groups, output)?;
        self.carried.extend_from_slice(rest);
        Ok(())
    }

    /// To be called behind the last piece.
    pub(super) fn finish(self) -> Result<(), &'static str> {
        if self.carried.is_empty() { Ok(()) } else { Err(WRONG) }
    }

    fn groups(&mut self, groups: &[u8], output: &mut Vec<u8>) -> Result<(), &'static str> {
        if groups.is_empty() {
            return Ok(());
        }
        if self.is_padded {
            return Err(WRONG);
        }
        self.is_padded = groups.ends_with(b"=");
        STANDARD.decode_vec(groups, output).map_err(|_| WRONG)
    }
}
