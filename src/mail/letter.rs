//! What a letter is made of.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::names::Email;

/// The longest of what users chose freely and letters repeat.
const MOST_QUOTED: usize = 80;

/// A letter to one person.
#[derive(Debug)]
pub struct Letter {
    pub(super) to: Email,
    pub(super) kind: &'static str,
    pub(super) worthless_at: Option<Time>,
    pub(super) text: Text,
}

/// What is sealed while it waits.
#[derive(Serialize, Deserialize)]
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) body: String,
}

impl std::fmt::Debug for Text {
    /// Never the body, which may hold a one-time link.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Text").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Letter {
    /// Begins a letter; `kind` is what logs call it, such as `recovery.link`.
    pub fn new(kind: &'static str, to: Email, subject: &str) -> Self {
        Self { to, kind, worthless_at: None, text: Text { subject: one_line(subject), body: String::new() } }
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(mut self, text: &str) -> Self {
        if !self.text.body.is_empty() {
            self.text.body.push('\n');
        }
        self.text.body.push_str(&one_line(text));
        self.text.body.push('\n');
        self
    }

    /// Adds an address on a line of its own, where no reader breaks it.
    #[must_use]
    pub fn link(self, url: &str) -> Self {
        self.paragraph(url)
    }

    /// Says when it is not worth sending any more, such as when its link has ended.
    #[must_use]
    pub fn worthless_at(mut self, end: Time) -> Self {
        self.worthless_at = Some(end);
        self
    }

    /// What users chose freely, such as the name of a token, as letters may repeat it: one short line, in quotes, which no
    /// reader takes for an address to follow.
    pub fn quoted(text: &str) -> String {
        let line = one_line(text).replace("://", ":/ /").replace('"', "'");
        let short: String = line.chars().take(MOST_QUOTED).collect();
        let dots = if short.len() < line.len() { "…" } else { "" };
        format!("\"{short}{dots}\"")
    }
}

/// Control characters could begin a header or a paragraph of their own: none gets in.
fn one_line(text: &str) -> String {
    let breaks = |one: char| one.is_control() || matches!(one, '\u{2028}' | '\u{2029}');
    text.chars().map(|one| if breaks(one) { ' ' } else { one }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_begins_a_line_of_its_own() {
        let to: Email = "ada@example.com".parse().unwrap();
        let letter =
            Letter::new("test", to, "Hi\r\nBcc: eve@example.com").paragraph("one\r\n.\r\ntwo").paragraph("three");
        assert_eq!(letter.text.subject, "Hi  Bcc: eve@example.com");
        assert_eq!(letter.text.body, "one  .  two\n\nthree\n");
    }

    #[test]
    fn what_is_quoted_is_short_and_leads_nowhere() {
        assert_eq!(Letter::quoted("ci \"now\" https://evil.example"), "\"ci 'now' https:/ /evil.example\"");
        assert_eq!(Letter::quoted(&"x".repeat(200)).chars().count(), MOST_QUOTED + 3);
    }

    #[test]
    fn a_letter_does_not_print_its_links() {
        let letter = Letter::new("test", "ada@example.com".parse().unwrap(), "Hi").link("http://r.test/forgot/secret");
        assert!(!format!("{letter:?}").contains("secret"));
    }
}
