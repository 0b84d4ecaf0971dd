//! Reminding collaborators who cannot install for want of a plan.

use chrono::TimeDelta;
use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::policy::{Administer, Intent, Permit};
use crate::users;

use super::{Access, existing, store};

/// How long nobody is reminded again of the same package, whoever asks for it.
const PAUSE: TimeDelta = TimeDelta::days(1);

/// Whether somebody who was reminded then, or never, may be reminded now.
pub(super) fn is_due(last: Option<Time>, now: Time) -> bool {
    last.is_none_or(|last| last + PAUSE <= now)
}

impl Access {
    /// Has somebody reminded who was given access and cannot use it for want of a plan. The line in the audit log is what
    /// the room `notices` writes the letter by.
    ///
    /// # Errors
    /// `NotFound` for somebody who was given nothing, `Unprocessable` for who needs no plan, `TooManyRequests` for who was
    /// reminded of this package within a day.
    pub async fn remind(&self, permit: &Permit<Administer>, user: &AccountName) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        let (package, name, now) = (existing(&facts)?.id, &facts.name, self.clock.now());
        let account = store::find_user(&mut transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        let given = store::find_reminder(&mut transaction, package, account.id, now).await?;
        let given = given.ok_or_else(|| Error::NotFound(format!("{user} was given nothing on {name}.").into()))?;
        if !self.lacks_plan(&facts, &account)? {
            let sentence = format!("{user} needs no other plan to install {name}. Nothing was sent.");
            return Err(Error::Unprocessable(sentence.into()));
        }
        if let Some(last) = given.reminded_at.filter(|last| !is_due(Some(*last), now)) {
            let next = last + PAUSE;
            let sentence = format!(
                "{user} was last reminded of {name} on {}. That is done once a day at most: again from {}.",
                last.format("%-d %B at %H:%M UTC"),
                next.format("%-d %B at %H:%M UTC"),
            );
            let retry_after_secs = u64::try_from((next - now).num_seconds()).unwrap_or_default();
            return Err(Error::TooManyRequests { sentence: sentence.into(), retry_after_secs });
        }
        store::note_reminder(&mut transaction, package, account.id, now).await?;
        let event = audit::Event {
            action: "access.remind",
            subject: name.as_str(),
            scope: permit.owner(),
            outcome: Outcome::Done,
            detail: json!({ "user": user, "shared_by": given.given_by }),
        };
        audit::record(&mut transaction, &By::from(permit.actor()), &event, now).await?;
        transaction.commit().await
    }
}
