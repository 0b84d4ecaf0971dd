//! What administrators say on every page.

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::Change;
use crate::error::{Error, Result};
use crate::policy::InstancePermit;

use super::{Instance, store};

use std::sync::Arc;

const MOST_CHARACTERS: usize = 300;

/// A sentence for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// The sentence.
    pub sentence: String,
    /// Whether it is about something that is wrong.
    pub urgent: bool,
    /// The first moment at which it is no longer shown.
    pub until: Option<Time>,
}

impl Instance {
    /// What is to be said on every page now. While the database does not answer, that is nothing: no page fails for it.
    pub async fn banner(&self) -> Option<Arc<Banner>> {
        let said = self.said().await.unwrap_or_default();
        said.banner.filter(|banner| banner.until.is_none_or(|until| self.clock.now() < until))
    }

    /// Says something on every page, or nothing more.
    ///
    /// # Errors
    /// `Unprocessable` for what is no sentence, or is over already.
    pub async fn announce(&self, permit: &InstancePermit, banner: Option<&Banner>) -> Result<()> {
        let now = self.clock.now();
        if let Some(banner) = banner {
            check(banner, now)?;
        }
        let mut transaction = self.db.begin().await?;
        store::keep_banner(&mut transaction, banner, now).await?;
        let event = audit::Event {
            action: "instance.banner",
            subject: "every page",
            scope: None,
            outcome: Outcome::Done,
            detail: json!({ "sentence": banner.map(|banner| &banner.sentence) }),
        };
        audit::record(&mut transaction, &By::from(permit.actor()), &event, now).await?;
        transaction.announce(Change::Instance);
        transaction.commit().await
    }
}

fn check(banner: &Banner, now: Time) -> Result<()> {
    let length = banner.sentence.chars().count();
    if length == 0 || length > MOST_CHARACTERS || banner.sentence.chars().any(char::is_control) {
        return Err(Error::Unprocessable(
            format!("A message is one line of 1 to {MOST_CHARACTERS} characters. Change it and send it again.").into(),
        ));
    }
    if banner.until.is_some_and(|until| until <= now) {
        return Err(Error::Unprocessable("The end given has passed. Give a later one, or none.".into()));
    }
    Ok(())
}
