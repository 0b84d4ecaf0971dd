//! The small part of a package document: everything but the attachments.

use serde_json::value::RawValue;

/// The top-level members of a package document other than `_attachments`, each as the text the client sent; without
/// `versions` where that alone is longer than what is remembered.
///
/// Their syntax has been checked strictly (no member twice in any object, valid UTF-8, at most 64 levels); their
/// meaning has not. Together they are no longer than [`Limits::document_bytes`](super::Limits::document_bytes).
#[derive(Debug, Clone, Default)]
pub struct Document {
    members: Vec<(String, Box<RawValue>)>,
}

impl Document {
    /// The value of a member; a member that is `null` is present.
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        let mut members = self.members();
        members.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All members, in the order they came.
    pub fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        let members = self.members.iter();
        members.map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.members.retain(|(key, _)| key != name);
    }

    pub(super) fn push(&mut self, name: String, value: Box<RawValue>) {
        self.members.push((name, value));
    }
}
