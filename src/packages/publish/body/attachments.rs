//! The `_attachments` of a publish document: one tarball, and maybe one provenance bundle.

use serde_json::value::RawValue;

use super::base64::Base64;
use super::error::{BodyError, Limit};
use super::{Limits, Provenance};

/// What an attachment says about itself.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) content_type: Option<String>,
    pub(super) declared_length: Option<u64>,
}

/// Where the current attachment's `data` goes.
#[derive(Debug)]
enum Content {
    Tarball(Base64),
    Provenance(Vec<u8>),
}

#[derive(Debug)]
struct Current {
    facts: Facts,
    content: Content,
    has_data: bool,
}

/// Collects the attachments; bytes of the tarball are only passed through.
#[derive(Debug)]
pub(super) struct Attachments {
    limits: Limits,
    current: Option<Current>,
    tarball: Option<Facts>,
    tarball_begun: bool,
    tarball_bytes: u64,
    provenance: Option<Provenance>,
    decoded: Vec<u8>,
}

/// A fault in an attachment, to be given its place in the body by the reader.
pub(super) enum Fault {
    Malformed(&'static str),
    Other(BodyError),
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::Malformed(reason)
    }
}

impl From<BodyError> for Fault {
    fn from(error: BodyError) -> Self {
        Self::Other(error)
    }
}

impl Attachments {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            current: None,
            tarball: None,
            tarball_begun: false,
            tarball_bytes: 0,
            provenance: None,
            decoded: Vec::new(),
        }
    }

    /// Whether a tarball's `data` has begun, so that a sink is wanted.
    pub(super) fn tarball_begun(&self) -> bool {
        self.tarball_begun
    }

    /// Tarball bytes decoded since they were last taken.
    pub(super) fn decoded(&mut self) -> &mut Vec<u8> {
        &mut self.decoded
    }

    /// Everything, once the document is complete.
    pub(super) fn into_parts(self) -> (Option<Facts>, Option<Provenance>) {
        (self.tarball, self.provenance)
    }

    /// Begins the attachment of this name.
    pub(super) fn begin(&mut self, name: &str) -> Result<(), Fault> {
        let content = if has_suffix(name, ".tgz") {
            if self.tarball.is_some() {
                return Err("a publish document carries one tarball, not two".into());
            }
            Content::Tarball(Base64::default())
        } else if has_suffix(name, ".sigstore") {
            if self.provenance.is_some() {
                return Err("a publish document carries one provenance bundle, not two".into());
            }
            Content::Provenance(Vec::new())
        } else {
            return Err("an attachment's name ends neither in .tgz nor in .sigstore".into());
        };
        let facts = Facts { name: name.to_owned(), ..Facts::default() };
        self.current = Some(Current { facts, content, has_data: false });
        Ok(())
    }

    /// A member of the attachment other than `data`; unknown ones are ignored.
    pub(super) fn field(&mut self, name: &str, value: &RawValue) -> Result<(), Fault> {
        let Some(Current { facts, .. }) = &mut self.current else {
            return Ok(());
        };
        match name {
            "content_type" => {
                let parsed = serde_json::from_str(value.get());
                let wrong = |_| "an attachment's content_type is not a string";
                facts.content_type = Some(parsed.map_err(wrong)?);
            }
            "length" => {
                let parsed = serde_json::from_str(value.get());
                let wrong = |_| "an attachment's length is not a whole number";
                facts.declared_length = Some(parsed.map_err(wrong)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The opening quote of `data`.
    pub(super) fn begin_data(&mut self) {
        if let Some(current) = &mut self.current {
            current.has_data = true;
            self.tarball_begun |= matches!(current.content, Content::Tarball(_));
        }
    }

    /// A stretch of `data`, its JSON escapes resolved.
    pub(super) fn data(&mut self, text: &[u8]) -> Result<(), Fault> {
        match self.current.as_mut().map(|current| &mut current.content) {
            Some(Content::Tarball(base64)) => {
                let before = self.decoded.len();
                base64.decode(text, &mut self.decoded)?;
                self.tarball_bytes += (self.decoded.len() - before) as u64;
                check(Limit::Tarball, self.tarball_bytes, self.limits.tarball_bytes)
            }
            Some(Content::Provenance(buffer)) => {
                buffer.extend_from_slice(text);
                let limit_bytes = self.limits.provenance_bytes;
                check(Limit::Provenance, buffer.len() as u64, limit_bytes)
            }
            None => Ok(()),
        }
    }

    /// The end of the attachment's object.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        if !current.has_data {
            return Err("an attachment has no data".into());
        }
        match current.content {
            Content::Tarball(base64) => {
                base64.finish()?;
                check_length(&current.facts, self.tarball_bytes)?;
                self.tarball = Some(current.facts);
            }
            Content::Provenance(bytes) => {
                let wrong = |_| "a provenance bundle is not valid UTF-8";
                let text = String::from_utf8(bytes).map_err(wrong)?;
                // npm sends the bundle's `length` as JavaScript counts it.
                check_length(&current.facts, text.encode_utf16().count() as u64)?;
                self.provenance = Some(Provenance {
                    name: current.facts.name,
                    content_type: current.facts.content_type,
                    declared_length: current.facts.declared_length,
                    text,
                });
            }
        }
        Ok(())
    }
}

/// Whether a name ends so and has something before it; case counts, as in every client.
fn has_suffix(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|stem| !stem.is_empty())
}

fn check(limit: Limit, bytes: u64, limit_bytes: u64) -> Result<(), Fault> {
    if bytes > limit_bytes {
        return Err(BodyError::TooLarge { limit, limit_bytes }.into());
    }
    Ok(())
}

fn check_length(facts: &Facts, actual: u64) -> Result<(), Fault> {
    match facts.declared_length {
        Some(declared) if declared != actual => {
            let name = facts.name.clone();
            let error = BodyError::Length { name, declared, actual };
            Err(error.into())
        }
        _ => Ok(()),
    }
}
