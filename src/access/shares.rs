//! What was shared with somebody, and by whom.

use crate::error::Result;
use crate::names::{AccountName, PackageId};
use crate::policy::AccountPermit;

use super::{Access, store};

/// One way in which a package came to a user.
#[derive(Debug, Clone)]
pub struct Share {
    /// Which package.
    pub package: PackageId,
    /// Who gave it, where they still have an account.
    pub by: Option<AccountName>,
    /// The team it comes through, as `organization:team`; `None` where the user was named.
    pub team: Option<String>,
}

impl Access {
    /// Everything that the user was given, by name first; whether it still holds is the decision's to say.
    ///
    /// # Errors
    /// The database's.
    pub async fn list_shares(&self, permit: &AccountPermit) -> Result<Vec<Share>> {
        store::list_shares(self.db.reads(), permit.account().id).await
    }
}
