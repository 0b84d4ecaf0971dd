//! Identifiers that outsiders hold: random, so that they tell neither order nor number.

use std::fmt::Write as _;
use std::str::FromStr;

use super::text::{InvalidName, text_newtype};

/// A random UUID (version 4) in its usual spelling; clients check the form before they send one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RandomId(Box<str>);

text_newtype!(RandomId);

impl RandomId {
    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// The system's, where it has no randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let _ = write!(text, "{byte:02x}");
        }
        Ok(Self(text.into()))
    }
}

impl FromStr for RandomId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_in_place = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        if text.len() == 36 && text.bytes().enumerate().all(is_in_place) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(InvalidName::new("Not an id. Give the whole id, such as 1f0e4d7c-52b4-4b8e-9d5a-0c6d7a1b2c3d."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_random_and_reads_back() {
        let (one, two) = (RandomId::generate().unwrap(), RandomId::generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.as_str().as_bytes()[14], b'4');
        assert_eq!(one.as_str().to_ascii_uppercase().parse(), Ok(one));
        for text in [
            "",
            "x",
            "1f0e4d7c-52b4-4b8e-9d5a-0c6d7a1b2c3",
            "1f0e4d7c_52b4-4b8e-9d5a-0c6d7a1b2c3d",
            "../../../../../../../../../../../../..",
        ] {
            assert!(text.parse::<RandomId>().is_err(), "{text}");
        }
    }
}
