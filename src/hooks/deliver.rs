//! Making the deliveries that are due.

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::error::{Error, Result};
use crate::names::PackageName;
use crate::packages::{Encoding, Form, Opened};
use crate::policy::{Actor, Intent};

use super::store::Due;
use super::{Hooks, context, event, reader, store};

/// Deliveries taken at a time, and made at once.
const TAKEN: i64 = 32;
const AT_ONCE: usize = 8;

/// For how long a node that took a delivery has it for itself: longer than all that it took can take.
const HELD: TimeDelta = TimeDelta::minutes(3);

/// The pause after a first failure, which grows fourfold with each further one; the ninth attempt, some sixty hours later, is the
/// last.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);
const MOST_ATTEMPTS: i32 = 9;

/// The largest packument that a delivery carries.
const LARGEST_PAYLOAD: usize = 256 << 10;

/// How long the log of deliveries goes back.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What became of a delivery.
pub(super) enum Outcome {
    Delivered(u16),
    Failed {
        status: Option<u16>,
        failure: Option<String>,
    },
    /// The owner may not be told: there is nothing to deliver, and nothing to write down.
    Withheld,
}

/// What the owner of a hook may be told.
enum Telling {
    Everything(Box<RawValue>),
    /// Without the packument: it is gone, or too large.
    TheChange,
    Nothing,
}

impl Hooks {
    /// Makes the deliveries that are due, until there are none.
    ///
    /// # Errors
    /// The database's. What was taken and not written down is due again after a while: a delivery may come twice.
    pub async fn deliver(&self) -> Result<()> {
        loop {
            let now = self.clock.now();
            let mut transaction = self.db.begin().await?;
            let due = store::take_due(&mut transaction, now, now + HELD, TAKEN).await?;
            transaction.commit().await?;
            if due.is_empty() {
                return Ok(());
            }
            let made = futures_util::stream::iter(due).map(|one| self.make(one)).buffer_unordered(AT_ONCE);
            made.collect::<Vec<_>>().await.into_iter().collect::<Result<()>>()?;
        }
    }

    /// Makes one delivery, and writes down what became of it. What can never be made counts as an attempt, and does not
    /// hold up the others.
    async fn make(&self, due: Due) -> Result<()> {
        let outcome = match self.deliver_one(&due).await {
            Err(cause @ Error::Internal(_)) => {
                tracing::error!(hook = due.key, %cause, "a delivery could not be made");
                Outcome::Failed { status: None, failure: Some("the registry could not prepare the delivery".into()) }
            }
            outcome => outcome?,
        };
        self.note(&due, outcome).await
    }

    /// Forgets deliveries that were finished a month ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_old_deliveries(&self) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        store::delete_finished_before(&mut transaction, self.clock.now() - KEPT).await?;
        transaction.commit().await
    }

    async fn deliver_one(&self, due: &Due) -> Result<Outcome> {
        let Some(account) = self.users.facts(due.account).await?.filter(|account| !account.disabled) else {
            return Ok(Outcome::Withheld);
        };
        let Ok(package) = due.subject.parse::<PackageName>() else { return Ok(Outcome::Withheld) };
        let owner = account.name.to_string();
        let telling = self.what_may_be_told(&reader(account), &package, due).await?;
        let change = event::change(&due.detail);
        let mut body = event::Body::new(event::name(&due.action, &due.detail), &due.subject, &owner, &change, due.at);
        match &telling {
            Telling::Everything(packument) => body.payload = Some(packument),
            Telling::TheChange => {}
            Telling::Nothing => return Ok(Outcome::Withheld),
        }
        let body = Bytes::from(serde_json::to_vec(&body).map_err(Error::internal)?);
        let secret = self.vault.open(&context(&due.key), &due.secret)?;
        let headers = headers(&secret, &body)?;
        Ok(match self.outgoing.post(&due.endpoint, headers, body).await {
            Ok(reply) if reply.status.is_success() => Outcome::Delivered(reply.status.as_u16()),
            Ok(reply) => Outcome::Failed { status: Some(reply.status.as_u16()), failure: None },
            Err(cause) => Outcome::Failed { status: None, failure: Some(cause.to_string()) },
        })
    }

    /// The same decision as for an install, asked now. A package that was removed as a whole can be read by nobody: of
    /// that, those who administer its scope are told.
    async fn what_may_be_told(&self, reader: &Actor, package: &PackageName, due: &Due) -> Result<Telling> {
        match self.packages.open(reader, package, Intent::READ).await {
            Ok(opened) => Ok(self.packument(&opened).await?.map_or(Telling::TheChange, Telling::Everything)),
            Err(outage) if outage.status() >= 500 => Err(outage),
            Err(_) if due.action == "package.delete" => {
                let facts = self.access.load_facts(package).await?;
                let administers = facts.package.is_none() && facts.administrators().contains(&due.account);
                Ok(if administers { Telling::TheChange } else { Telling::Nothing })
            }
            Err(_) => Ok(Telling::Nothing),
        }
    }

    async fn packument(&self, opened: &Opened) -> Result<Option<Box<RawValue>>> {
        let document = self.packages.document(opened, Form::Full).await?;
        let bytes = self.packages.encoded(opened, &document, Encoding::Identity).await?;
        if bytes.len() > LARGEST_PAYLOAD {
            return Ok(None);
        }
        serde_json::from_slice(&bytes).map(Some).map_err(Error::internal)
    }

    async fn note(&self, due: &Due, outcome: Outcome) -> Result<()> {
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        match outcome {
            Outcome::Withheld => store::delete_delivery(&mut transaction, due.id).await?,
            Outcome::Delivered(status) => {
                store::finish_attempt(&mut transaction, due, (true, Some(status), None), None, now).await?;
            }
            Outcome::Failed { status, failure } => {
                let next = next_attempt(due.attempts).map(|pause| now + pause);
                store::finish_attempt(&mut transaction, due, (false, status, failure), next, now).await?;
            }
        }
        transaction.commit().await
    }
}

/// How long to wait after this many attempts, the last one included; nothing means that it was the last.
fn next_attempt(attempts: i32) -> Option<TimeDelta> {
    let doublings = u32::try_from(attempts - 1).ok()?;
    (attempts < MOST_ATTEMPTS).then(|| FIRST_PAUSE * 4_i32.pow(doublings))
}

/// `x-npm-signature`: the HMAC of the body, by the secret of the hook.
fn headers(secret: &[u8], body: &[u8]) -> Result<HeaderMap> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(Error::internal)?;
    mac.update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-npm-signature", HeaderValue::try_from(signature).map_err(Error::internal)?);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_signed_as_npm_signs() {
        // RFC 4231, test case 2.
        let headers = headers(b"Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(
            headers["x-npm-signature"],
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn attempts_come_ever_later_and_end() {
        assert_eq!(next_attempt(1), Some(TimeDelta::seconds(10)));
        assert_eq!(next_attempt(3), Some(TimeDelta::seconds(160)));
        assert!(next_attempt(MOST_ATTEMPTS - 1).is_some_and(|pause| pause > TimeDelta::days(1)));
        assert_eq!(next_attempt(MOST_ATTEMPTS), None);
    }
}
