//! Reminding somebody of what they cannot use yet.

use crate::billing;
use crate::error::{Error, Result};
use crate::mail::Way;
use crate::names::AccountName;
use crate::policy::{AccountKind, Administer, Debtor, Permit};

use super::Notices;

impl Notices {
    /// Reminds a collaborator who has no plan that they cannot install the package yet, by mail where they take such mail.
    ///
    /// # Errors
    /// `Unprocessable` where no mail is sent; else as [`crate::access::Access::remind`].
    pub async fn remind(&self, permit: &Permit<Administer>, user: &AccountName) -> Result<()> {
        if self.mail.way() == Way::Nowhere {
            let page = billing::address(&Debtor { name: user.clone(), kind: AccountKind::User }, &self.public_url);
            let sentence = format!("This registry sends no mail. Tell {user} to pick a plan at {page}");
            return Err(Error::Unprocessable(sentence.into()));
        }
        self.access.remind(permit, user).await
    }
}
