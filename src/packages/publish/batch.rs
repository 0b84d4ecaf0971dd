//! Publishing many packages at once (`protocol.md` 3.10): all of them or none.

use std::collections::HashSet;
use std::error::Error as StdError;

use bytes::Bytes;
use futures_util::Stream;

use crate::blobs::Staged;
use crate::error::{Error, Result};
use crate::names::{InvalidName, PackageName};
use crate::packages::Packages;
use crate::policy::{Actor, Intent, PackageFacts, Permit, Write};

use super::body::{Documents, Received};
use super::commit::about;
use super::{Checked, Publication, Reach, Sender, in_time, refuse_body};

/// What the manifests and READMEs of a batch may be together: they are in memory until the last one is there.
const REMEMBERED_BYTES: usize = 32 << 20;

/// What somebody confirms with their second factor: one yes is for all of the batch, and says so.
const SUBJECT: &str = "a batch of packages";

impl Packages {
    /// Receives and publishes a version each of many packages, in one transaction.
    ///
    /// # Errors
    /// Those of [`Packages::publish`], with the name of the package that stands in the way; `Unprocessable` for a package
    /// that comes twice.
    pub async fn publish_batch<S, E>(
        &self,
        actor: &Actor,
        body: S,
        sender: Sender,
    ) -> Result<Vec<(PackageName, Publication)>>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let _turn = self.uploads.turn(actor.account_id()).await?;
        let blobs = self.blobs.clone();
        let limits = self.limits.of_body(Reach::Publish);
        let mut batch = Batch {
            packages: self,
            actor: actor.clone(),
            sender,
            ready: Vec::new(),
            names: HashSet::new(),
            remembered: 0,
        };
        let mut documents = Documents::new(body, limits, self.limits.batch_bytes, move || blobs.stage());
        while let Some(received) = documents.next().await.map_err(refuse_body)? {
            batch.take(received).await?;
        }
        if batch.ready.is_empty() {
            return Err(Error::Malformed("The batch holds no package. Publish one at least.".into()));
        }
        in_time(self.commit_all(batch.ready)).await
    }
}

/// What a publish is: a package that does not exist is to be created; how visible, the body will say.
pub fn intent_to_publish(facts: &PackageFacts) -> Intent<Write> {
    if facts.package.is_some() { Intent::PUBLISH } else { Intent::CREATE }
}

/// The documents of a batch so far.
struct Batch<'a> {
    packages: &'a Packages,
    /// Who asks; with a second factor, once it was asked for.
    actor: Actor,
    sender: Sender,
    ready: Vec<(Permit<Write>, Checked)>,
    names: HashSet<PackageName>,
    remembered: usize,
}

impl Batch<'_> {
    /// Checks one more document; the first that is not in order ends the batch.
    async fn take(&mut self, received: Received<Staged>) -> Result<()> {
        let most = self.packages.limits.batch_packages;
        if self.ready.len() >= most {
            return Err(Error::TooLarge(format!("The batch holds more than {most} packages. Publish fewer.").into()));
        }
        let name = name_of(&received)?;
        if !self.names.insert(name.clone()) {
            return Err(Error::Unprocessable(format!("The batch holds {name} twice. Publish it once.").into()));
        }
        let (permit, checked) = self.check(&name, received).await.map_err(|cause| about(&name, cause))?;
        self.remembered += checked.memory_bytes();
        if self.remembered > REMEMBERED_BYTES {
            return Err(Error::TooLarge("The batch holds too much metadata. Publish fewer packages at once.".into()));
        }
        self.ready.push((permit, checked));
        Ok(())
    }

    /// The rights to each package, then what is in its document; its file is durable then, and nothing points at it.
    async fn check(&mut self, name: &PackageName, received: Received<Staged>) -> Result<(Permit<Write>, Checked)> {
        let access = &self.packages.access;
        let facts = access.load_facts_for(&self.actor, name).await?;
        let permit = access.permit_for(&self.actor, &facts, intent_to_publish(&facts), SUBJECT).await?;
        self.actor = permit.actor().clone();
        let checked = self.packages.look_into(&permit, received, self.sender).await?;
        Ok((permit, checked))
    }
}

fn name_of(received: &Received<Staged>) -> Result<PackageName> {
    let name = received.document.get("name").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let name =
        name.ok_or_else(|| Error::Malformed("A document of the batch has no name. Nothing was changed.".into()))?;
    name.parse().map_err(|cause: InvalidName| {
        let shown: String = name.chars().filter(|one| !one.is_control()).take(80).collect();
        Error::Unprocessable(format!("{shown}: {cause}").into())
    })
}
