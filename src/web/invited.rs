//! What became of inviting several people at once, as far as a sentence cannot say it.

use crate::error::Result;
use crate::invitations::Sent;

/// Who was invited and who was not, each by the name they were given, and the links that are shown this once.
#[derive(Default)]
pub(super) struct Invited {
    pub(super) sent: i64,
    /// To be handed over, where no mail is sent.
    pub(super) links: Vec<(String, String)>,
    /// With the reason.
    pub(super) refused: Vec<(String, String)>,
}

impl Invited {
    /// Notes what came of one of them.
    pub(super) fn note(&mut self, who: impl Into<String>, outcome: Result<Sent>) {
        match outcome {
            Ok(sent) => {
                self.sent += 1;
                self.links.extend(sent.url.map(|url| (who.into(), url)));
            }
            Err(refusal) => self.refused.push((who.into(), refusal.to_string())),
        }
    }

    /// Whether there is nothing to be told but how many they are.
    pub(super) fn is_told(&self) -> bool {
        self.links.is_empty() && self.refused.is_empty()
    }
}
