//! Strict JSON as a stream of events: a pushdown machine that keeps a stack and never recurses.
//!
//! Stricter than RFC 8259 where a second reader might decide otherwise: no member twice in one object, no lone
//! surrogates, no byte order mark, at most [`MAX_DEPTH`] levels.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::Malformed;
use super::number::Number;
use super::text::{Piece, Text};

/// Levels of arrays and objects a document may have.
pub(crate) const MAX_DEPTH: usize = 64;

/// What the scanner has just passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// A member's name *and* its colon; the name is in [`Scanner::key`].
    Key,
    TextStart,
    TextPart(&'a [u8]),
    TextChar(char),
    TextEnd,
    /// A number, `true`, `false` or `null`. It does not include the byte behind a number.
    Scalar,
}

impl Event<'_> {
    /// Whether a value may be complete with this event.
    pub(crate) fn ends_value(self) -> bool {
        matches!(self, Self::ObjectEnd | Self::ArrayEnd | Self::TextEnd | Self::Scalar)
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Done,
    Text { is_key: bool },
    Number(Number),
    Literal { rest: &'static [u8] },
}

#[derive(Debug)]
enum Level {
    Array,
    /// Hashes of the names seen. The hasher's secret is drawn per scanner, so nobody can aim at a collision, and
    /// a chance one in an object of a thousand members comes once in 10^13 documents.
    Object(HashSet<u64>),
}

/// Reads one JSON value, fed in any pieces.
#[derive(Debug)]
pub(crate) struct Scanner {
    offset: u64,
    state: State,
    levels: Vec<Level>,
    text: Text,
    key: Vec<u8>,
    hasher: RandomState,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            offset: 0,
            state: State::Value,
            levels: Vec::new(),
            text: Text::default(),
            key: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Objects and arrays now open.
    pub(crate) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// The name behind the latest [`Event::Key`].
    pub(crate) fn key(&self) -> &str {
        // The text machine has checked every byte; an empty name instead of a panic is for a bug in it.
        str::from_utf8(&self.key).unwrap_or_default()
    }

    /// A fault at the place the scanner stands.
    pub(crate) fn malformed(&self, reason: &'static str) -> Malformed {
        Malformed { offset: self.offset, reason: reason.into() }
    }

    /// Takes bytes off `input` up to the next event; `None` when all are used up.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, Malformed> {
        while !input.is_empty() {
            let before = input.len();
            let step = self.step(input);
            self.offset += (before - input.len()) as u64;
            match step {
                Ok(None) => {}
                Ok(event) => return Ok(event),
                Err(reason) => return Err(self.malformed(reason)),
            }
        }
        Ok(None)
    }

    /// To be called behind the last byte: whether the value was complete.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        match self.state {
            State::Done => Ok(()),
            State::Number(number) if self.levels.is_empty() && number.is_complete() => Ok(()),
            _ => Err(self.malformed("the document ends too early")),
        }
    }

    fn step<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, &'static str> {
        match self.state {
            State::Text { is_key } => self.step_text(is_key, input),
            State::Number(number) => self.step_number(number, input),
            State::Literal { rest } => self.step_literal(rest, input),
            _ => self.step_structure(input),
        }
    }

    fn step_structure(&mut self, input: &mut &[u8]) -> Result<Option<Event<'static>>, &'static str> {
        let Some((&byte, rest)) = input.split_first() else {
            return Ok(None);
        };
        let event = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => None,
            _ => self.structure(byte)?,
        };
        *input = rest;
        Ok(event)
    }

    fn structure(&mut self, byte: u8) -> Result<Option<Event<'static>>, &'static str> {
        match (self.state, byte) {
            (State::ValueOrEnd | State::CommaOrEnd, b']') => self.close_array().map(Some),
            (State::KeyOrEnd | State::CommaOrEnd, b'}') => self.close_object().map(Some),
            (State::Value | State::ValueOrEnd, _) => self.begin_value(byte),
            (State::Key | State::KeyOrEnd, b'"') => {
                self.key.clear();
                self.state = State::Text { is_key: true };
                Ok(None)
            }
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(Some(Event::Key))
            }
            (State::CommaOrEnd, b',') => {
                self.state = match self.levels.last() {
                    Some(Level::Object(_)) => State::Key,
                    _ => State::Value,
                };
                Ok(None)
            }
            (State::Key | State::KeyOrEnd, _) => Err("a member's name in double quotes is missing"),
            (State::Colon, _) => Err("a colon is missing behind a member's name"),
            (State::Done, _) => Err("something stands behind the end of the document"),
            _ => Err("a comma or a closing bracket is missing"),
        }
    }

    fn begin_value(&mut self, byte: u8) -> Result<Option<Event<'static>>, &'static str> {
        let literal = |rest| Ok((State::Literal { rest }, None));
        let (state, event) = match byte {
            b'{' => return self.open(Level::Object(HashSet::new())).map(Some),
            b'[' => return self.open(Level::Array).map(Some),
            b'"' => Ok((State::Text { is_key: false }, Some(Event::TextStart))),
            b't' => literal(b"rue"),
            b'f' => literal(b"alse"),
            b'n' => literal(b"ull"),
            _ => match Number::begin(byte) {
                Some(number) => Ok((State::Number(number), None)),
                None => Err("a value is missing or begins with a wrong character"),
            },
        }?;
        self.state = state;
        Ok(event)
    }

    fn open(&mut self, level: Level) -> Result<Event<'static>, &'static str> {
        if self.levels.len() == MAX_DEPTH {
            return Err("the document is nested deeper than 64 levels");
        }
        let (state, event) = match level {
            Level::Array => (State::ValueOrEnd, Event::ArrayStart),
            Level::Object(_) => (State::KeyOrEnd, Event::ObjectStart),
        };
        self.levels.push(level);
        self.state = state;
        Ok(event)
    }

    fn close_array(&mut self) -> Result<Event<'static>, &'static str> {
        match self.levels.pop() {
            Some(Level::Array) => self.after_value(),
            _ => return Err("a closing bracket does not match the opening one"),
        }
        Ok(Event::ArrayEnd)
    }

    fn close_object(&mut self) -> Result<Event<'static>, &'static str> {
        match self.levels.pop() {
            Some(Level::Object(_)) => self.after_value(),
            _ => return Err("a closing bracket does not match the opening one"),
        }
        Ok(Event::ObjectEnd)
    }

    fn after_value(&mut self) {
        self.state = if self.levels.is_empty() { State::Done } else { State::CommaOrEnd };
    }

    fn step_text<'a>(&mut self, is_key: bool, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, &'static str> {
        let Some(piece) = self.text.next(input)? else {
            return Ok(None);
        };
        if is_key {
            return self.key_piece(piece).map(|()| None);
        }
        Ok(Some(match piece {
            Piece::Plain(bytes) => Event::TextPart(bytes),
            Piece::Char(character) => Event::TextChar(character),
            Piece::End => {
                self.after_value();
                Event::TextEnd
            }
        }))
    }

    fn key_piece(&mut self, piece: Piece<'_>) -> Result<(), &'static str> {
        match piece {
            Piece::Plain(bytes) => self.key.extend_from_slice(bytes),
            Piece::Char(character) => {
                let mut buffer = [0; 4];
                self.key.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            }
            Piece::End => {
                let hash = self.hasher.hash_one(&self.key);
                if let Some(Level::Object(names)) = self.levels.last_mut()
                    && !names.insert(hash)
                {
                    return Err("an object has two members of the same name");
                }
                self.state = State::Colon;
            }
        }
        Ok(())
    }

    fn step_number<'a>(&mut self, number: Number, input: &mut &'a [u8]) -> Result<Option<Event<'a>>, &'static str> {
        let Some((&byte, rest)) = input.split_first() else {
            return Ok(None);
        };
        if let Some(next) = number.next(byte) {
            self.state = State::Number(next);
            *input = rest;
            return Ok(None);
        }
        if !number.is_complete() {
            return Err("a number is malformed");
        }
        self.after_value();
        Ok(Some(Event::Scalar))
    }

    fn step_literal<'a>(
        &mut self,
        rest: &'static [u8],
        input: &mut &'a [u8],
    ) -> Result<Option<Event<'a>>, &'static str> {
        let (Some((&byte, input_rest)), Some((&expected, rest))) = (input.split_first(), rest.split_first()) else {
            return Ok(None);
        };
        if byte != expected {
            return Err("only true, false and null are words of JSON");
        }
        *input = input_rest;
        self.state = State::Literal { rest };
        if !rest.is_empty() {
            return Ok(None);
        }
        self.after_value();
        Ok(Some(Event::Scalar))
    }
}
