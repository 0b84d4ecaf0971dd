//! Whether a user still wants to be shown their first steps.

use crate::error::Result;
use crate::policy::AccountPermit;

use super::{Users, store};

impl Users {
    /// Whether the user has put the checklist of their home page away.
    ///
    /// # Errors
    /// The database's.
    pub async fn has_dismissed_checklist(&self, permit: &AccountPermit) -> Result<bool> {
        store::has_dismissed_checklist(self.db.reads(), permit.account().id).await
    }

    /// Puts the checklist away, for good.
    ///
    /// # Errors
    /// The database's.
    pub async fn dismiss_checklist(&self, permit: &AccountPermit) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::dismiss_checklist(&mut transaction, permit.account().id, self.clock.now()).await?;
        transaction.commit().await
    }
}
