//! Stars: `npm star`, `unstar` and `stars` (`protocol.md` 3.7 and 8.3). Who may read a package may give it one.

mod store;

use serde_json::json;

use crate::error::Result;
use crate::names::{AccountName, PackageName};
use crate::policy::{Actor, Intent, Permit, Read};

use super::{Packages, packument};

impl Packages {
    /// Gives the package the actor's star, or takes it away; nobody else's is touched. Returns the `_rev` it then has.
    ///
    /// # Errors
    /// The refusal, where the permit no longer holds.
    pub async fn star(&self, permit: &Permit<Read>, starred: bool) -> Result<String> {
        let mut transaction = self.db.begin().await?;
        let name = permit.name();
        let (permit, facts) = self.access.lock_and_permit(&mut transaction, permit.actor(), name, Intent::STAR).await?;
        let package = super::existing(&facts)?;
        let user = super::account_of(permit.actor())?.id;
        let is_news = if starred {
            store::insert(&mut transaction, package, user, self.clock.now()).await?
        } else {
            store::delete(&mut transaction, package, user).await?
        };
        if !is_news {
            return Ok(packument::rev_text(name, super::revision_of(&facts)?));
        }
        let revision = self.record(&mut transaction, &permit, package, json!({ "starred": starred })).await?;
        transaction.commit().await?;
        Ok(packument::rev_text(name, revision))
    }

    /// The packages that `user` gave a star, as far as `viewer` may see them. Of an unknown user: none.
    ///
    /// # Errors
    /// The database's.
    pub async fn starred_by(&self, user: &AccountName, viewer: &Actor) -> Result<Vec<PackageName>> {
        let packages = store::list_packages(self.db.reads(), user).await?;
        self.access.visible_among(&packages, viewer).await
    }

    /// Who gave the package a star.
    ///
    /// # Errors
    /// The database's.
    pub async fn stargazers(&self, permit: &Permit<Read>) -> Result<Vec<AccountName>> {
        match permit.package() {
            Some(package) => store::list_users(self.db.reads(), package).await,
            None => Ok(Vec::new()),
        }
    }
}
