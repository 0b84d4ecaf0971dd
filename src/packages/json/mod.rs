//! Strict JSON, for texts that several readers must take alike: publish documents and `package.json`.
//!
//! `text` and `number` read tokens, `scan` the grammar. Meaning is left to `serde_json`, which is handed only what
//! has passed here.

mod number;
mod scan;
mod text;

use std::borrow::Cow;

use thiserror::Error;

pub(crate) use self::scan::{Event, Scanner};

/// A text that is not the JSON it has to be: where, and a sentence saying why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("malformed JSON near byte {offset}: {reason}")]
pub struct Malformed {
    /// Bytes read before the fault.
    pub offset: u64,
    /// A sentence without a full stop, fit to be shown to the publisher.
    pub reason: Cow<'static, str>,
}

/// Checks that `text` is one JSON value and nothing else: valid UTF-8 and numbers, no member twice in one object, no
/// lone surrogates, at most 64 levels.
///
/// # Errors
/// The first fault.
pub(crate) fn check(text: &[u8]) -> Result<(), Malformed> {
    let mut scanner = Scanner::new();
    let mut rest = text;
    while scanner.next(&mut rest)?.is_some() {}
    scanner.finish()
}
