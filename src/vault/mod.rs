//! Secrets that must be read again: kept sealed, so that a copy of the database alone gives none of them away.
//!
//! Passwords and tokens are not here: of those only hashes are kept. What is: seeds of one-time codes, secrets that
//! deliveries are signed with, the private half of the registry's signing key. All nodes of an instance share one key, from
//! `secrets.key` or `secrets.key_file`; without either, a file is made in the data folder.

mod key;

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::db::Db;
use crate::error::{Error, Result};

pub use key::{KeyError, VaultKey};

/// Says how a sealed text is made; another number comes with another way.
const FORM: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Context and text of the sample in the database.
const CHECK: &str = "vault-check";

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: Arc<XChaCha20Poly1305>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Vault")
    }
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: &VaultKey) -> Self {
        Self { cipher: Arc::new(XChaCha20Poly1305::new(key.bytes().into())) }
    }

    /// Seals a secret. `context` says what it is and whose, such as `totp:17`: it must be given again to open it, so that
    /// a sealed text moved to another row is of no use there.
    ///
    /// # Errors
    /// `Internal` where the system gives no random numbers.
    pub fn seal(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(Error::internal)?;
        let payload = Payload { msg: secret, aad: context.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| broken("sealed"))?;
        Ok([&[FORM][..], &nonce, &sealed].concat())
    }

    /// Opens what [`Vault::seal`] made in the same context.
    ///
    /// # Errors
    /// `Internal` where the key is another one, or the text was changed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let [FORM, rest @ ..] = sealed else { return Err(broken("opened")) };
        let (nonce, text) = rest.split_at_checked(NONCE_BYTES).ok_or_else(|| broken("opened"))?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(Error::internal)?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        self.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| broken("opened"))
    }

    /// Holds the key against the database: the first node leaves a sealed text there, and every other one must be able to
    /// open it. With two keys around, secrets of one node would be lost to the others.
    ///
    /// # Errors
    /// `Internal` where the database was used with another key; the database's.
    pub async fn check(&self, db: &Db) -> Result<()> {
        let sealed = self.seal(CHECK, CHECK.as_bytes())?;
        let mut transaction = db.begin().await?;
        let kept = sqlx::query_scalar!(
            r#"insert into vault_check (sealed) values ($1)
               on conflict (one) do update set sealed = vault_check.sealed
               returning sealed"#,
            sealed,
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.open(CHECK, &kept).map(drop)
    }
}

fn broken(deed: &str) -> Error {
    Error::internal(format!("a secret could not be {deed}: is secrets.key the one that this database was used with?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(&VaultKey::from([byte; 32]))
    }

    #[test]
    fn a_secret_comes_back_only_with_its_key_and_its_context() {
        let sealed = vault(1).seal("totp:17", b"seed").unwrap();
        assert_eq!(vault(1).open("totp:17", &sealed).unwrap(), b"seed");
        assert!(vault(1).open("totp:18", &sealed).is_err());
        assert!(vault(2).open("totp:17", &sealed).is_err());
        assert!(!sealed.windows(4).any(|part| part == b"seed"));
    }

    #[test]
    fn what_was_changed_or_cut_is_refused() {
        let sealed = vault(1).seal("x", b"seed").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault(1).open("x", &changed).is_err(), "byte {at}");
            assert!(vault(1).open("x", &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
