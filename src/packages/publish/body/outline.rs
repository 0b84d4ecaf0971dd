//! What a document says of its versions, however long it is: their numbers, and which it calls deprecated.
//!
//! `npm deprecate` and `npm unpublish` send a whole packument back to change a word in it. It may be as large as all
//! manifests of a package are together, so nothing else of it is remembered.

use crate::packages::json::Event;

/// What remembering a version costs beside its text.
const VERSION_BYTES: u64 = 64;

/// One entry of `versions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinedVersion {
    /// Its key; not checked.
    pub number: String,
    /// Its `deprecated`, where that is text.
    pub deprecated: Option<String>,
}

/// Where in `versions` the scanner stands; the depth is that of the open objects, the document's own being 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Elsewhere,
    /// Behind the key `deprecated` of a version.
    Expecting,
    /// Inside its text.
    Message,
}

/// Collects [`OutlinedVersion`]s from the events of the member `versions`.
#[derive(Debug)]
pub(super) struct Outline {
    versions: Vec<OutlinedVersion>,
    /// What is not an object says nothing of versions: an unpublish must not take it for "none are left".
    is_object: bool,
    place: Place,
    message: Vec<u8>,
    bytes: u64,
}

impl Outline {
    pub(super) fn new() -> Self {
        Self { versions: Vec::new(), is_object: false, place: Place::Elsewhere, message: Vec::new(), bytes: 0 }
    }

    /// What is remembered, in bytes of memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The versions, in the order they came; `None` where the member was missing or no object.
    pub(super) fn into_versions(self) -> Option<Vec<OutlinedVersion>> {
        self.is_object.then_some(self.versions)
    }

    /// Takes one event; `depth` is the number of objects and arrays open behind it, `key` the latest member's name.
    pub(super) fn take(&mut self, event: Event<'_>, depth: usize, key: &str) -> Result<(), &'static str> {
        match (self.place, event) {
            (_, Event::ObjectStart) if depth == 2 => self.is_object = true,
            (_, Event::Key) if depth == 2 => self.begin_version(key),
            (_, Event::Key) => {
                let is_message = depth == 3 && key == "deprecated";
                self.place = if is_message { Place::Expecting } else { Place::Elsewhere };
            }
            (Place::Expecting, Event::TextStart) => self.place = Place::Message,
            (Place::Message, Event::TextPart(bytes)) => self.message_part(bytes),
            (Place::Message, Event::TextChar(character)) => {
                let mut buffer = [0; 4];
                self.message_part(character.encode_utf8(&mut buffer).as_bytes());
            }
            (Place::Message, Event::TextEnd) => self.end_message()?,
            (Place::Expecting, _) => self.place = Place::Elsewhere,
            _ => {}
        }
        Ok(())
    }

    fn begin_version(&mut self, number: &str) {
        self.place = Place::Elsewhere;
        self.bytes += number.len() as u64 + VERSION_BYTES;
        self.versions.push(OutlinedVersion { number: number.to_owned(), deprecated: None });
    }

    fn message_part(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.message.extend_from_slice(bytes);
    }

    fn end_message(&mut self) -> Result<(), &'static str> {
        self.place = Place::Elsewhere;
        let message = String::from_utf8(std::mem::take(&mut self.message));
        let message = message.map_err(|_| "a value is not valid UTF-8")?;
        if let Some(version) = self.versions.last_mut() {
            version.deprecated = Some(message);
        }
        Ok(())
    }
}
