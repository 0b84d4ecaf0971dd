//! Letters: written by rooms in the transaction of what they tell of, sent by a chore, by SMTP.
//!
//! A letter is plain text, since that is what every reader shows and no link in it can say one thing and lead to another.
//! Links are made from `server.public_url` alone. What waits is sealed by the vault: letters hold one-time links.

mod courier;
mod deliver;
mod letter;
mod store;

use std::sync::Arc;

use chrono::TimeDelta;

use crate::clock::{Clock, Time};
use crate::config;
use crate::db::{Db, Transaction};
use crate::error::{Error, Result};
use crate::names::RandomId;
use crate::vault::Vault;

pub use courier::CourierError;
pub use letter::Letter;
pub use store::FinishedLetter;

use courier::Courier;

/// How long a letter without an end of its own is worth sending.
const WORTH_SENDING: TimeDelta = TimeDelta::days(3);

/// Handle to the mail.
#[derive(Debug, Clone)]
pub struct Mail {
    db: Db,
    clock: Clock,
    vault: Vault,
    courier: Arc<Courier>,
}

/// How letters leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the configured server.
    Smtp,
    /// Into the log, secrets and all: for development.
    Log,
    /// Not at all: there is no server, and what rooms write is thrown away.
    Nowhere,
}

impl Mail {
    /// Sets mail up. Connects to nothing yet.
    ///
    /// # Errors
    /// [`CourierError`], where the sender, the server or the certificates cannot be what they are said to be.
    pub fn new(
        db: Db,
        clock: Clock,
        vault: Vault,
        settings: &config::Mail,
        certificates: Option<&std::path::Path>,
        public_url: &str,
    ) -> Result<Self, CourierError> {
        let courier = Arc::new(Courier::new(settings, certificates, public_url)?);
        Ok(Self { db, clock, vault, courier })
    }

    /// How letters leave: what pages ask before they promise one.
    pub fn way(&self) -> Way {
        self.courier.way()
    }

    /// Puts a letter in the outbox, in the caller's transaction: it is sent exactly if that commits. Without a way to send
    /// it, it is thrown away.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(&self, transaction: &mut Transaction, letter: &Letter) -> Result<()> {
        if self.way() == Way::Nowhere {
            return Ok(());
        }
        let key = RandomId::generate()?;
        let text = serde_json::to_vec(&letter.text).map_err(Error::internal)?;
        let sealed = self.vault.seal(&context(key.as_str()), &text)?;
        let now = self.clock.now();
        let expires_at = letter.worthless_at.unwrap_or(now + WORTH_SENDING);
        store::insert(transaction, &key, letter, &sealed, now, expires_at).await
    }

    /// Sends a letter now, and says what became of it: for who tries the settings out.
    ///
    /// # Errors
    /// `Unprocessable` with what the server said.
    pub async fn send_now(&self, letter: &Letter) -> Result<()> {
        let key = RandomId::generate()?;
        let sent = self.courier.send(key.as_str(), &letter.to, &letter.text, self.clock.now()).await;
        sent.map_err(|failure| Error::Unprocessable(format!("The mail was not sent: {}.", failure.reason).into()))
    }

    /// Whether the mail server answers, and lets us in.
    ///
    /// # Errors
    /// What it said instead.
    pub async fn probe(&self) -> Result<(), String> {
        self.courier.probe().await
    }

    /// How many letters wait, and the last ones that were given up: for who looks after the instance.
    ///
    /// # Errors
    /// The database's.
    pub async fn health(&self) -> Result<(i64, Vec<FinishedLetter>)> {
        store::health(self.db.reads()).await
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}

/// What the vault seals a letter for.
fn context(key: &str) -> String {
    format!("mail:{key}")
}
