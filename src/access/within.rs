//! Giving access to who accepts an invitation: in the caller's transaction.

use crate::db::Transaction;
use crate::error::Result;
use crate::names::{AccountName, PackageName};
use crate::policy::{Actor, Intent};
use crate::users;

use super::collaborators::Way;
use super::{Access, Term};

impl Access {
    /// Gives a user who said yes to it access, in a caller's transaction, as `actor`, decided there. Who has as much already
    /// keeps it.
    ///
    /// # Errors
    /// As [`Access::grant`], and the refusal.
    pub async fn grant_within(
        &self,
        transaction: &mut Transaction,
        actor: &Actor,
        name: &PackageName,
        user: &AccountName,
        term: Term,
    ) -> Result<()> {
        let (permit, facts) = self.lock_and_permit(transaction, actor, name, Intent::GRANT).await?;
        let account = users::find_user(transaction, user).await?.ok_or_else(|| users::no_user(user))?;
        if facts.permission_of(account, self.clock.now()) >= Some(term.permission) {
            return Ok(());
        }
        self.insert_grant(transaction, &permit, &facts, user, term, Way::Invited).await
    }
}
