//! A package with everything that was published of it.

use crate::blobs::{BlobStream, ByteRange};
use crate::error::{Error, Result};
use crate::names::{AccountId, PackageName};
use crate::packages::{Encoding, Form, Opened, TarballFacts};
use crate::policy::{Actor, Intent};

use super::store::{self, StoredVersion};
use super::tape::Tape;
use super::{BATCH, Exports, papers};

impl Exports {
    pub(super) async fn write_package(
        &self,
        account: AccountId,
        actor: &Actor,
        name: &PackageName,
        tape: &mut Tape,
    ) -> Result<()> {
        let actor = self.living(actor).await?;
        let opened = match self.packages.open(&actor, name, Intent::EXPORT).await {
            Ok(opened) => opened,
            // Removed, or given away, since it was listed.
            Err(Error::NotFound(_) | Error::Conflict(_) | Error::Lacking { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let document = self.packages.document(&opened, Form::Full).await?;
        let packument = self.packages.encoded(&opened, &document, Encoding::Identity).await?;
        tape.file(&format!("packages/{name}/packument.json"), packument).await?;
        let collaborators = self.access.list_collaborators(&opened.permit).await?;
        let access = papers::access(opened.visibility(), &collaborators);
        tape.file(&format!("packages/{name}/access.json"), access).await?;
        let mut after = 0;
        loop {
            let versions = store::list_versions(self.db.reads(), name, after, BATCH).await?;
            for version in &versions {
                self.renew_turn(account, tape).await?;
                self.write_tarball(&opened, version, tape).await?;
            }
            match versions.last() {
                Some(last) => after = last.id,
                None => return Ok(()),
            }
        }
    }

    async fn write_tarball(&self, opened: &Opened, version: &StoredVersion, tape: &mut Tape) -> Result<()> {
        let name = opened.permit.name();
        let facts = TarballFacts { digest: version.digest.clone(), size_bytes: version.size_bytes };
        let blob = self.packages.tarball_bytes(opened, &facts).await?;
        let path = format!("packages/{name}/{}-{}.tgz", name.unscoped(), version.version);
        tape.begin_file(&path, facts.size_bytes, version.published_at).await?;
        match blob.into_stream(ByteRange { start: 0, length: facts.size_bytes }) {
            BlobStream::Memory(bytes) => tape.piece(bytes).await?,
            BlobStream::File(stream) => tape.pieces(stream).await?,
        }
        tape.end_file().await
    }
}
