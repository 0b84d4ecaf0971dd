//! Going on under another name. A name belongs to its scope for good and every tarball carries it, so that nothing can be
//! renamed: what moves is published anew, and who installs it under its old name is told of the new one.

use crate::error::{Error, Result};
use crate::names::PackageName;
use crate::policy::{Administer, Intent, Permit};

use super::super::publish::body::OutlinedVersion;
use super::{Deprecations, Packages, compare, store};

const BEFORE: &str = "Moved to ";
const AFTER: &str = ".";

/// The name that a package goes by now, where the message of a deprecation says so as [`Packages::announce_move`] does.
pub fn moved_to(message: &str) -> Option<PackageName> {
    message.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.parse().ok()
}

impl Packages {
    /// Says of every version that the package goes by another name now, under which it has been published. Returns how many
    /// versions there are.
    ///
    /// # Errors
    /// `Unprocessable` for its own name, and for one of a package that is not there or that the actor may not see; else as
    /// [`Packages::deprecate`].
    pub async fn announce_move(&self, permit: &Permit<Administer>, to: &PackageName) -> Result<usize> {
        let name = permit.name();
        if name == to {
            return Err(Error::Unprocessable(format!("{name} has this name already. Give the new one.").into()));
        }
        match self.open(permit.actor(), to, Intent::INSPECT).await {
            Ok(_) => {}
            Err(Error::NotFound(_)) => {
                let sentence =
                    format!("There is no package {to} that you can see. Publish it under its new name first.");
                return Err(Error::Unprocessable(sentence.into()));
            }
            Err(refusal) => return Err(refusal),
        }
        let mut transaction = self.db.begin().await?;
        let (permit, facts) =
            self.access.lock_and_permit(&mut transaction, permit.actor(), name, Intent::TRANSFER).await?;
        let permit = self.access.permit_on(permit.actor(), &facts, Intent::DEPRECATE)?;
        let package = super::super::existing(&facts)?;
        let rows = store::list(&mut transaction, package).await?;
        let message = format!("{BEFORE}{to}{AFTER}");
        let living = rows.iter().filter(|row| !row.unpublished);
        let outlined =
            living.map(|row| OutlinedVersion { number: row.version.clone(), deprecated: Some(message.clone()) });
        let versions: Vec<OutlinedVersion> = outlined.collect();
        let count = versions.len();
        let change = compare(name, &rows, Deprecations { read: None, versions })?;
        if !change.ids.is_empty() {
            self.carry_out(&mut transaction, &permit, package, &change).await?;
        }
        transaction.commit().await?;
        Ok(count)
    }
}
