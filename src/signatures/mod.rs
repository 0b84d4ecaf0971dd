//! Registry signatures: the instance's own word that a version is what it serves (`protocol.md` 7.3).
//!
//! Owns the signing keys and what they signed. One key signs, for all nodes; those before it stay served, so that what
//! they signed stays valid. The private halves are sealed by the [`Vault`] and leave it in this room only.

mod key;
mod store;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sqlx::PgConnection;

use crate::access::Access;
use crate::audit::{self, By, Outcome};
use crate::blobs::integrity;
use crate::clock::{Clock, Time};
use crate::db::{Db, Transaction};
use crate::error::{Error, Result};
use crate::names::{PackageName, VersionId};
use crate::vault::Vault;

use key::Signer;
use store::{SealedKey, Unsigned};

/// How many unsigned versions are looked for at once.
const BATCH: i64 = 200;

/// A key as clients are given it.
#[derive(Debug, Clone)]
pub struct PublicKey {
    /// How signatures name it.
    pub key_id: String,
    /// DER `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: Time,
    /// When it ceased to sign; what was published before stays valid.
    pub expires_at: Option<Time>,
}

impl PublicKey {
    /// The key as the wire has it.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.public_key)
    }
}

/// Handle to the signatures.
#[derive(Debug, Clone)]
pub struct Signatures {
    db: Db,
    clock: Clock,
    vault: Vault,
    access: Access,
    /// The key that signed last, opened: the vault is asked once for each key.
    opened: Arc<ArcSwapOption<Signer>>,
}

impl Signatures {
    /// Sets the room up.
    pub fn new(db: Db, clock: Clock, vault: Vault, access: Access) -> Self {
        Self { db, clock, vault, access, opened: Arc::default() }
    }

    /// Signs a version in the transaction that inserts it; makes the instance's first key where there is none.
    ///
    /// # Errors
    /// The database's, and the vault's where it does not open the key.
    pub async fn sign(
        &self,
        transaction: &mut PgConnection,
        name: &PackageName,
        version: VersionId,
        number: &str,
        sha512: &[u8],
    ) -> Result<()> {
        let signer = self.signer(transaction).await?;
        let signature = signer.sign(&format!("{name}@{number}:{}", integrity(sha512)));
        store::insert_signature(transaction, version, &signer.key_id, &signature).await
    }

    /// The key that signs, held until the transaction ends.
    async fn signer(&self, transaction: &mut PgConnection) -> Result<Arc<Signer>> {
        let kept = match store::hold_signing_key(transaction).await? {
            Some(kept) => kept,
            None => self.make_key(transaction).await?,
        };
        if let Some(opened) = self.opened.load_full().filter(|opened| opened.key_id == kept.key_id) {
            return Ok(opened);
        }
        let opened =
            Arc::new(Signer::from_secret(&self.vault.open(&sealed_as(&kept.key_id), &kept.sealed_private_key)?)?);
        self.opened.store(Some(opened.clone()));
        Ok(opened)
    }

    /// Makes a key where none signs, and holds it, or the one that another node was faster to make.
    async fn make_key(&self, transaction: &mut PgConnection) -> Result<SealedKey> {
        let key = Signer::generate()?;
        let sealed = self.vault.seal(&sealed_as(&key.key_id), &key.secret())?;
        store::insert_key_if_none(transaction, &key, &sealed, self.clock.now()).await?;
        let kept = store::hold_signing_key(transaction).await?;
        kept.ok_or_else(|| Error::Unavailable("the signing key is being changed".into()))
    }

    /// Every key that ever signed, the present one first.
    ///
    /// # Errors
    /// The database's.
    pub async fn keys(&self) -> Result<Vec<PublicKey>> {
        store::list_keys(self.db.reads()).await
    }

    /// Puts a new key in the place of the one that signs. Returns its id.
    ///
    /// # Errors
    /// The database's.
    pub async fn rotate(&self, by: &By) -> Result<String> {
        let mut transaction = self.db.begin().await?;
        let now = self.clock.now();
        let expired = store::lock_signing_key(&mut transaction).await?;
        if let Some(expired) = &expired {
            store::expire_key(&mut transaction, expired, now).await?;
        }
        let key_id = self.make_key(&mut transaction).await?.key_id;
        let event = audit::Event {
            action: "keys.rotate",
            subject: &key_id,
            scope: None,
            outcome: Outcome::Done,
            detail: json!({ "expired": expired }),
        };
        audit::record(&mut transaction, by, &event, now).await?;
        transaction.commit().await?;
        Ok(key_id)
    }

    /// Signs what a release without signatures published. Returns how many versions that were.
    ///
    /// # Errors
    /// The database's; what was signed before stays signed.
    pub async fn sign_missing(&self) -> Result<usize> {
        let mut signed = 0;
        loop {
            let unsigned = store::list_unsigned(self.db.reads(), BATCH).await?;
            if unsigned.is_empty() {
                return Ok(signed);
            }
            signed += unsigned.len();
            for of_package in unsigned.chunk_by(|one, next| one.package == next.package) {
                self.sign_package(of_package).await?;
            }
        }
    }

    /// Signs versions of one package, which shows in its packument.
    async fn sign_package(&self, versions: &[Unsigned]) -> Result<()> {
        let Some(first) = versions.first() else { return Ok(()) };
        let mut transaction: Transaction = self.db.begin().await?;
        for Unsigned { name, version, number, sha512, .. } in versions {
            self.sign(&mut transaction, name, *version, number, sha512).await?;
        }
        self.access.bump_revision(&mut transaction, &first.name, first.package).await?;
        transaction.commit().await
    }
}

/// What the vault knows a private key by: of no use beside another public half.
fn sealed_as(key_id: &str) -> String {
    format!("signing-key:{key_id}")
}
