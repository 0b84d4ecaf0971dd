//! The inside of a JSON string: UTF-8, escapes and surrogate pairs, across any split of the input.

/// A stretch of a string's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Bytes that stand for themselves; a character may be split between two pieces.
    Plain(&'a [u8]),
    /// What an escape stood for.
    Char(char),
    /// The closing quote.
    End,
}

/// Reads one string after another; begins just behind the opening quote.
#[derive(Debug, Default)]
pub(super) struct Text {
    utf8: Utf8,
    escape: Escape,
}

#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    /// Behind a backslash. `high` is a surrogate that waits for its second half.
    Backslash { high: Option<u16> },
    /// Inside `\uXXXX`.
    Hex { high: Option<u16>, digits: u8, value: u16 },
    /// Behind a high surrogate, where only `\uDC00` to `\uDFFF` may follow.
    Pair { high: u16 },
}

const LONE_SURROGATE: &str = "half of a surrogate pair stands alone in a string";

impl Text {
    /// Takes the next piece off `input`; `None` when it is used up.
    ///
    /// # Errors
    /// A sentence; `input` then begins with the byte that is wrong.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, &'static str> {
        while let Some((&byte, rest)) = input.split_first() {
            if matches!(self.escape, Escape::None) && !matches!(byte, b'"' | b'\\') {
                return self.plain(input).map(Some);
            }
            let piece = match self.escape {
                Escape::None => self.quote_or_backslash(byte)?,
                Escape::Backslash { high } => self.escaped(byte, high)?,
                Escape::Pair { high } => self.pair(byte, high)?,
                Escape::Hex { high, digits, value } => self.hex(byte, high, digits, value)?,
            };
            *input = rest;
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    /// The longest run of bytes that need no decoding.
    fn plain<'a>(&mut self, input: &mut &'a [u8]) -> Result<Piece<'a>, &'static str> {
        let mut length = 0;
        for &byte in *input {
            if self.utf8.is_complete() {
                match byte {
                    b'"' | b'\\' => break,
                    0..0x20 => {
                        *input = input.get(length..).unwrap_or_default();
                        return Err("a control character stands unescaped in a string");
                    }
                    _ => {}
                }
            }
            if !self.utf8.accept(byte) {
                *input = input.get(length..).unwrap_or_default();
                return Err("a string is not valid UTF-8");
            }
            length += 1;
        }
        let (run, rest) = input.split_at(length);
        *input = rest;
        Ok(Piece::Plain(run))
    }

    fn quote_or_backslash(&mut self, byte: u8) -> Result<Option<Piece<'static>>, &'static str> {
        if !self.utf8.is_complete() {
            return Err("a string is not valid UTF-8");
        }
        if byte == b'"' {
            return Ok(Some(Piece::End));
        }
        self.escape = Escape::Backslash { high: None };
        Ok(None)
    }

    fn escaped(&mut self, byte: u8, high: Option<u16>) -> Result<Option<Piece<'static>>, &'static str> {
        if byte == b'u' {
            self.escape = Escape::Hex { high, digits: 0, value: 0 };
            return Ok(None);
        }
        if high.is_some() {
            return Err(LONE_SURROGATE);
        }
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return Err("a string holds an escape that JSON does not know"),
        };
        self.escape = Escape::None;
        Ok(Some(Piece::Char(character)))
    }

    fn pair(&mut self, byte: u8, high: u16) -> Result<Option<Piece<'static>>, &'static str> {
        if byte != b'\\' {
            return Err(LONE_SURROGATE);
        }
        self.escape = Escape::Backslash { high: Some(high) };
        Ok(None)
    }

    fn hex(
        &mut self,
        byte: u8,
        high: Option<u16>,
        digits: u8,
        value: u16,
    ) -> Result<Option<Piece<'static>>, &'static str> {
        let digit = hex_digit(byte).ok_or("\\u is not followed by four hexadecimal digits")?;
        let value = value << 4 | digit;
        if digits < 3 {
            let digits = digits + 1;
            self.escape = Escape::Hex { high, digits, value };
            return Ok(None);
        }
        if high.is_none() && (0xD800..0xDC00).contains(&value) {
            self.escape = Escape::Pair { high: value };
            return Ok(None);
        }
        self.escape = Escape::None;
        let units = high.into_iter().chain([value]);
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(Some(Piece::Char(character))),
            _ => Err(LONE_SURROGATE),
        }
    }
}

fn hex_digit(byte: u8) -> Option<u16> {
    let digit = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    };
    Some(u16::from(digit))
}

/// Checks UTF-8 one byte at a time, as the table 3-7 of the Unicode standard has it.
#[derive(Debug, Default)]
struct Utf8 {
    /// Bytes the current character still needs.
    missing: u8,
    /// Bounds of the next of them; not the whole continuation range behind `E0`, `ED`, `F0`, `F4`.
    low: u8,
    high: u8,
}

impl Utf8 {
    fn is_complete(&self) -> bool {
        self.missing == 0
    }

    fn accept(&mut self, byte: u8) -> bool {
        if self.missing == 0 {
            return byte.is_ascii() || self.begin(byte);
        }
        let fits = (self.low..=self.high).contains(&byte);
        (self.missing, self.low, self.high) = (self.missing - 1, 0x80, 0xBF);
        fits
    }

    fn begin(&mut self, byte: u8) -> bool {
        (self.missing, self.low, self.high) = match byte {
            0xC2..=0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            0xE1..=0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            0xF1..=0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => return false,
        };
        true
    }
}
