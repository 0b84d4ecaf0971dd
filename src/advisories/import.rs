//! Importing advisories: again and again from the same files, and only what changed is written.

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::{Change, Transaction};
use crate::error::Result;

use super::osv::{self, Document};
use super::{Advisories, store};

/// A file, by its name, and what it says: an advisory, or why it could not be read.
#[derive(Debug)]
pub struct Item {
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub document: Result<Document, String>,
}

impl Item {
    /// Reads a file's bytes.
    pub fn read(name: String, bytes: Result<Vec<u8>, String>) -> Self {
        Self { name, document: bytes.and_then(|bytes| osv::read(&bytes)) }
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new, or newer than what was kept.
    Imported,
    /// The same, or a newer one, is kept already.
    Unchanged,
    /// It was taken back, and is gone.
    Removed,
    /// It speaks of no package of npm's, or was taken back before it was ever kept.
    Skipped,
    /// It cannot be read.
    Failed(String),
}

impl Advisories {
    /// Imports some files in one transaction, and says of each what became of it. With `dry_run` nothing is written.
    ///
    /// # Errors
    /// The database's; nothing of these files was then imported.
    pub async fn import(&self, items: &[Item], dry_run: bool, by: &By) -> Result<Vec<Fate>> {
        let mut transaction = self.db.begin().await?;
        let ids: Vec<String> = items.iter().filter_map(|item| item.document.as_ref().ok()?.osv_id()).collect();
        let mut kept = store::list_modified(&mut transaction, &ids).await?;
        let mut fates = Vec::with_capacity(items.len());
        for item in items {
            let fate = fate(&item.document, |id| kept.get(id).copied());
            match (&item.document, &fate) {
                (Ok(Document::Advisory(new)), Fate::Imported) => {
                    store::upsert(&mut transaction, new, self.clock.now()).await?;
                    kept.insert(new.osv_id.clone(), new.modified_at);
                }
                (Ok(Document::Withdrawn { osv_id, .. }), Fate::Removed) => {
                    store::delete(&mut transaction, osv_id).await?;
                    kept.remove(osv_id);
                }
                _ => {}
            }
            fates.push(fate);
        }
        if !dry_run {
            self.finish(transaction, &fates, by).await?;
        }
        Ok(fates)
    }

    async fn finish(&self, mut transaction: Transaction, fates: &[Fate], by: &By) -> Result<()> {
        let count = |wanted: &Fate| fates.iter().filter(|fate| *fate == wanted).count();
        let (imported, removed) = (count(&Fate::Imported), count(&Fate::Removed));
        if imported + removed == 0 {
            return Ok(());
        }
        let event = audit::Event {
            action: "advisory.import",
            subject: "advisories",
            scope: None,
            outcome: Outcome::Done,
            detail: json!({ "imported": imported, "removed": removed }),
        };
        audit::record(&mut transaction, by, &event, self.clock.now()).await?;
        transaction.announce(Change::Advisories);
        transaction.commit().await
    }
}

impl Document {
    fn osv_id(&self) -> Option<String> {
        match self {
            Self::Advisory(new) => Some(new.osv_id.clone()),
            Self::Withdrawn { osv_id, .. } => Some(osv_id.clone()),
            Self::Elsewhere => None,
        }
    }
}

/// What is to become of a file, where `kept` tells of which time the kept one is.
fn fate(document: &Result<Document, String>, kept: impl Fn(&str) -> Option<Time>) -> Fate {
    match document {
        Err(reason) => Fate::Failed(reason.clone()),
        Ok(Document::Elsewhere) => Fate::Skipped,
        Ok(Document::Advisory(new)) => match kept(&new.osv_id) {
            Some(modified_at) if modified_at >= new.modified_at => Fate::Unchanged,
            _ => Fate::Imported,
        },
        Ok(Document::Withdrawn { osv_id, modified_at }) => match kept(osv_id) {
            Some(kept_at) if kept_at > *modified_at => Fate::Unchanged,
            Some(_) => Fate::Removed,
            None => Fate::Skipped,
        },
    }
}
