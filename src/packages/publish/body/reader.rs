//! Walks a package document as it arrives: captures the small members, hands attachments on.

use serde_json::value::RawValue;

use super::Limits;
use super::attachments::{Attachments, Fault};
use super::document::Document;
use super::error::{BodyError, Limit};
use super::outline::{Outline, OutlinedVersion};
use crate::packages::json::{Event, Malformed, Scanner};

const NO_OBJECT: &str = "a package document is a JSON object";

/// The member that may be longer than what is remembered.
const VERSIONS: &str = "versions";

/// What is left of a document once it has been read.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) document: Document,
    pub(super) versions: Option<Vec<OutlinedVersion>>,
    pub(super) attachments: Attachments,
    pub(super) has_attachments: bool,
}

/// Where in the document the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the document's opening brace.
    Start,
    /// Between top-level members.
    Members,
    /// In the value of a top-level member.
    Member,
    /// Before the opening brace of `_attachments`.
    AttachmentsValue,
    /// Between attachments.
    Attachments,
    /// Before the opening brace of one attachment.
    Attachment,
    /// Between the members of an attachment.
    Fields,
    /// In the value of such a member.
    Field,
    /// In the value of its `data`.
    Data,
    /// Behind the document's closing brace.
    End,
}

/// Turns body bytes into a [`Document`] and [`Attachments`]; knows nothing of tasks and sinks.
#[derive(Debug)]
pub(super) struct Reader {
    limits: Limits,
    scanner: Scanner,
    place: Place,
    /// Bytes so far that are not the content of a `data`.
    read_bytes: u64,
    /// Bytes so far that this reader remembers, the outline aside.
    kept_bytes: u64,
    name: String,
    captured: Vec<u8>,
    document: Document,
    outline: Outline,
    /// What is remembered of the member `versions` as text.
    versions_bytes: u64,
    /// The member `versions` is too long to be kept: no publish, but perhaps a packument that came back.
    without_versions: bool,
    attachments: Attachments,
    has_attachments: bool,
}

impl Reader {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            scanner: Scanner::new(),
            place: Place::Start,
            read_bytes: 0,
            kept_bytes: 0,
            name: String::new(),
            captured: Vec::new(),
            document: Document::default(),
            outline: Outline::new(),
            versions_bytes: 0,
            without_versions: false,
            attachments: Attachments::new(limits),
            has_attachments: false,
        }
    }

    /// What the attachments have come to so far.
    pub(super) fn attachments(&mut self) -> &mut Attachments {
        &mut self.attachments
    }

    /// Reads on.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        let mut rest = bytes;
        loop {
            let before = rest;
            let event = self.scanner.next(&mut rest)?;
            let (eaten, _) = before.split_at(before.len() - rest.len());
            self.account(eaten, event)?;
            match event {
                Some(event) => self.on(event).map_err(|fault| self.locate(fault))?,
                None => return Ok(()),
            }
        }
    }

    /// To be called behind the last byte.
    pub(super) fn finish(self) -> Result<Parts, Malformed> {
        self.scanner.finish()?;
        if self.place != Place::End {
            // A bare number is complete only here, without an event.
            return Err(self.scanner.malformed(NO_OBJECT));
        }
        Ok(Parts {
            document: self.document,
            versions: self.outline.into_versions(),
            attachments: self.attachments,
            has_attachments: self.has_attachments,
        })
    }

    /// Counts and, inside a value that is to be kept, remembers the bytes of one step.
    fn account(&mut self, eaten: &[u8], event: Option<Event<'_>>) -> Result<(), BodyError> {
        if self.place == Place::Data && !matches!(event, Some(Event::TextEnd)) {
            return Ok(());
        }
        let bytes = eaten.len() as u64;
        self.read_bytes += bytes;
        check(self.read_bytes, self.limits.packument_bytes)?;
        if self.in_versions() {
            if let Some(event) = event {
                let taken = self.outline.take(event, self.scanner.depth(), self.scanner.key());
                taken.map_err(|reason| self.scanner.malformed(reason))?;
            }
            if !self.without_versions {
                self.captured.extend_from_slice(eaten);
                self.versions_bytes += bytes;
            }
        } else {
            // The names of members are remembered too.
            self.kept_bytes += bytes;
            if matches!(self.place, Place::Member | Place::Field) {
                self.captured.extend_from_slice(eaten);
            }
        }
        self.keep_within_bounds()
    }

    fn in_versions(&self) -> bool {
        self.place == Place::Member && self.name == VERSIONS
    }

    /// Lets `versions` go where it is more than may be remembered. A publish needs it, and is refused then.
    fn keep_within_bounds(&mut self) -> Result<(), BodyError> {
        let limit_bytes = self.limits.document_bytes;
        let others = self.kept_bytes + self.outline.bytes();
        if !self.without_versions && others + self.versions_bytes > limit_bytes {
            self.without_versions = true;
            self.versions_bytes = 0;
            self.document.remove(VERSIONS);
            if self.in_versions() {
                self.captured = Vec::new();
            }
        }
        if self.without_versions && self.has_attachments {
            return Err(BodyError::TooLarge { limit: Limit::Document, limit_bytes });
        }
        check(others, limit_bytes)
    }

    fn locate(&self, fault: Fault) -> BodyError {
        match fault {
            Fault::Malformed(reason) => self.scanner.malformed(reason).into(),
            Fault::Other(error) => error,
        }
    }

    fn on(&mut self, event: Event<'_>) -> Result<(), Fault> {
        self.place = match (self.place, event) {
            (Place::Start, Event::ObjectStart) => Place::Members,
            (Place::Start, _) => return Err(NO_OBJECT.into()),
            (Place::Members, Event::Key) => self.begin_member(),
            (Place::Members | Place::End, _) => Place::End,
            (Place::Member, event) => self.captured(event, 1, Place::Members)?,
            (Place::AttachmentsValue, Event::ObjectStart) => Place::Attachments,
            (Place::AttachmentsValue, _) => return Err("_attachments is not an object".into()),
            (Place::Attachments, Event::Key) => self.begin_attachment()?,
            (Place::Attachments, _) => Place::Members,
            (Place::Attachment, Event::ObjectStart) => Place::Fields,
            (Place::Attachment, _) => return Err("an attachment is not an object".into()),
            (Place::Fields, Event::Key) => self.begin_field(),
            (Place::Fields, _) => {
                self.attachments.end()?;
                Place::Attachments
            }
            (Place::Field, event) => self.captured(event, 3, Place::Fields)?,
            (Place::Data, event) => self.data(event)?,
        };
        Ok(())
    }

    fn begin_member(&mut self) -> Place {
        if self.scanner.key() == "_attachments" {
            return Place::AttachmentsValue;
        }
        self.remember_name();
        Place::Member
    }

    fn begin_attachment(&mut self) -> Result<Place, Fault> {
        if !self.limits.takes_attachments {
            return Err(BodyError::Attachment.into());
        }
        self.has_attachments = true;
        self.attachments.begin(self.scanner.key())?;
        Ok(Place::Attachment)
    }

    fn begin_field(&mut self) -> Place {
        if self.scanner.key() == "data" {
            return Place::Data;
        }
        self.remember_name();
        Place::Field
    }

    fn remember_name(&mut self) {
        self.name = self.scanner.key().to_owned();
        self.captured.clear();
    }

    /// Goes on in a captured value; `depth` is that of the object it belongs to, `after` the place behind it.
    fn captured(&mut self, event: Event<'_>, depth: usize, after: Place) -> Result<Place, Fault> {
        if self.scanner.depth() > depth || !event.ends_value() {
            return Ok(self.place);
        }
        if self.without_versions && self.in_versions() {
            return Ok(after);
        }
        let value = raw_value(std::mem::take(&mut self.captured))?;
        let name = std::mem::take(&mut self.name);
        if self.place == Place::Field {
            self.attachments.field(&name, &value)?;
        } else {
            self.document.push(name, value);
        }
        Ok(after)
    }

    fn data(&mut self, event: Event<'_>) -> Result<Place, Fault> {
        match event {
            Event::TextStart => self.attachments.begin_data(),
            Event::TextPart(bytes) => self.attachments.data(bytes)?,
            Event::TextChar(character) => {
                let mut buffer = [0; 4];
                let text = character.encode_utf8(&mut buffer);
                self.attachments.data(text.as_bytes())?;
            }
            Event::TextEnd => return Ok(Place::Fields),
            _ => return Err("an attachment's data is not a string".into()),
        }
        Ok(Place::Data)
    }
}

fn check(bytes: u64, limit_bytes: u64) -> Result<(), BodyError> {
    if bytes > limit_bytes {
        return Err(BodyError::TooLarge { limit: Limit::Document, limit_bytes });
    }
    Ok(())
}

/// The scanner's verdict is confirmed by `serde_json`, which reads the value from now on.
fn raw_value(bytes: Vec<u8>) -> Result<Box<RawValue>, Fault> {
    let text = String::from_utf8(bytes).map_err(|_| "a value is not valid UTF-8")?;
    RawValue::from_string(text).map_err(|_| "a value is not valid JSON".into())
}
