//! Pages that confirm what a terminal is about to do (`protocol.md` 1.7). Any node can answer for any of them.

use serde_json::{Value, json};

use crate::audit::{self, Outcome};
use crate::clock::Time;
use crate::db::Transaction;
use crate::error::{Error, Result, WebChallenge};
use crate::names::{AccountName, UrlSecret};
use crate::policy::Offer;

use super::keys::{PATIENCE, descriptors};
use super::secret;
use super::store::confirmations::{ConfirmationRow, NewConfirmation, State};
use super::webauthn::{self, Assertion, base64url};
use super::{SecondFactor, Showing, store};

/// How many an account may have waiting; with more, codes are asked for in the terminal.
const MOST_WAITING: i64 = 50;

/// What became of the question on a page that a terminal waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Nobody has answered.
    NotYet,
    /// Yes.
    Approved,
    /// No.
    Refused,
}

/// What a page shows.
#[derive(Debug)]
pub struct Confirmation {
    /// Who is about to do something.
    pub account: AccountName,
    /// What it is done to.
    pub subject: String,
    /// Where the terminal is.
    pub address: Option<String>,
    /// When it asked.
    pub created_at: Time,
    /// What somebody said to it.
    pub answered: Answered,
    /// Whether the account has security keys.
    pub has_keys: bool,
}

/// What a terminal that waits is told.
#[derive(Debug)]
pub enum Poll {
    /// Nothing yet.
    Pending,
    /// The code to show as `npm-otp`.
    Approved(String),
    /// It was refused, has expired or was used, or there never was one.
    Over,
}

impl SecondFactor {
    /// The challenge that a deed without a second factor is answered with.
    pub(super) async fn challenge(&self, showing: Showing<'_>, offer: &Offer) -> Result<Error> {
        let web = if offer.web { self.open_confirmation(showing).await? } else { None };
        Ok(Error::SecondFactorRequired { web })
    }

    async fn open_confirmation(&self, showing: Showing<'_>) -> Result<Option<Box<WebChallenge>>> {
        let (page, done) = (UrlSecret::random()?, UrlSecret::random()?);
        let now = self.clock.now();
        let mut transaction = self.db.begin().await?;
        if store::confirmations::count_living(&mut transaction, showing.account, now).await? >= MOST_WAITING {
            return Ok(None);
        }
        let row = NewConfirmation {
            account: showing.account,
            token: showing.token,
            subject: showing.subject,
            address: showing.address.map(|address| address.to_string()),
            page_digest: &page.digest(),
            done_digest: &done.digest(),
            now,
            expires_at: now + PATIENCE,
        };
        store::confirmations::insert(&mut transaction, &row).await?;
        transaction.commit().await?;
        Ok(Some(Box::new(WebChallenge {
            auth_url: format!("{}/auth/cli/{}", self.public_url, page.expose()),
            done_url: format!("{}/-/v1/done/{}", self.public_url, done.expose()),
        })))
    }

    /// What the page behind a secret shows.
    ///
    /// # Errors
    /// `NotFound` where it is over, or never was.
    pub async fn confirmation(&self, page: &str) -> Result<Confirmation> {
        let row = self.find_confirmation(page).await?;
        let keys = store::keys::list_credentials(self.db.reads(), row.account).await?;
        Ok(Confirmation {
            account: row.name,
            subject: row.subject,
            address: row.address,
            created_at: row.created_at,
            answered: row.state.answered(),
            has_keys: !keys.is_empty(),
        })
    }

    /// Confirms with a one-time code or a recovery code.
    ///
    /// # Errors
    /// `WrongSecondFactor`, `TooManyRequests`, `NotFound`.
    pub async fn approve_with_code(&self, page: &str, code: &str) -> Result<()> {
        let row = self.find_confirmation(page).await?;
        // What a page gives is no second factor of another page.
        if secret::parse_code(code).is_some() {
            return Err(Error::WrongSecondFactor);
        }
        self.check(code, showing_of(&row)).await?;
        let transaction = self.db.begin().await?;
        self.decide(transaction, &row, State::Approved).await
    }

    /// Says no: the terminal gives up.
    ///
    /// # Errors
    /// `NotFound` where it is over.
    pub async fn refuse(&self, page: &str) -> Result<()> {
        let row = self.find_confirmation(page).await?;
        let transaction = self.db.begin().await?;
        self.decide(transaction, &row, State::Refused).await
    }

    /// What the browser is told in order to confirm with a key: `PublicKeyCredentialRequestOptionsJSON`.
    ///
    /// # Errors
    /// `NotFound` where it is over; `Unprocessable` where the account has no key.
    pub async fn offer_assertion(&self, page: &str) -> Result<Value> {
        let row = self.find_confirmation(page).await?;
        let keys = store::keys::list_credentials(self.db.reads(), row.account).await?;
        if keys.is_empty() {
            return Err(Error::Unprocessable("This account has no security key. Use a one-time code.".into()));
        }
        let challenge = webauthn::random_challenge()?;
        let mut transaction = self.db.begin().await?;
        store::confirmations::set_challenge(&mut transaction, row.id, Some(&challenge)).await?;
        transaction.commit().await?;
        Ok(json!({
            "challenge": base64url(&challenge),
            "rpId": self.party.id,
            "timeout": PATIENCE.num_milliseconds(),
            "allowCredentials": descriptors(&keys),
            "userVerification": "discouraged",
        }))
    }

    /// Confirms with a security key.
    ///
    /// # Errors
    /// `Unprocessable` where its answer is not acceptable; `NotFound` where the page is over.
    pub async fn approve_with_key(&self, page: &str, brought: &Assertion) -> Result<()> {
        let row = self.find_confirmation(page).await?;
        let asked = row.challenge.as_deref().ok_or_else(|| {
            Error::Unprocessable("No security key was asked for here. Ask for a challenge first.".into())
        })?;
        let mut transaction = self.db.begin().await?;
        let credential = brought.credential();
        let known = store::keys::lock_by_credential(&mut transaction, row.account, credential).await?;
        let known = known.ok_or_else(|| {
            Error::Unprocessable("This security key is not registered for the account. Use another one.".into())
        })?;
        let known_count = u32::try_from(known.sign_count).map_err(Error::internal)?;
        let shown = self.party.check_assertion(brought, asked, &known.public_key, known_count)?;
        store::keys::note_use(&mut transaction, known.id, shown.sign_count, self.clock.now()).await?;
        self.decide(transaction, &row, State::Approved).await
    }

    /// What the terminal behind a secret is told.
    ///
    /// # Errors
    /// The database's.
    pub async fn poll(&self, done: &str) -> Result<Poll> {
        let Some(done) = UrlSecret::parse(done) else { return Ok(Poll::Over) };
        let digest = done.digest();
        match store::confirmations::find_state(self.db.reads(), &digest, self.clock.now()).await? {
            None | Some(State::Refused) => Ok(Poll::Over),
            Some(State::Pending) => Ok(Poll::Pending),
            Some(State::Approved) => {
                let code = UrlSecret::random()?;
                let mut transaction = self.db.begin().await?;
                let is_set = store::confirmations::set_code(&mut transaction, &digest, &code.digest()).await?;
                transaction.commit().await?;
                Ok(if is_set { Poll::Approved(secret::expose_as_code(&code)) } else { Poll::Over })
            }
        }
    }

    async fn find_confirmation(&self, page: &str) -> Result<ConfirmationRow> {
        let over =
            || Error::NotFound("This page is over: nothing waits for it any more. Run the command again.".into());
        let page = UrlSecret::parse(page).ok_or_else(over)?;
        let row = store::confirmations::find_by_page(self.db.reads(), &page.digest(), self.clock.now()).await?;
        row.ok_or_else(over)
    }

    async fn decide(&self, mut transaction: Transaction, row: &ConfirmationRow, state: State) -> Result<()> {
        if !store::confirmations::decide(&mut transaction, row.id, state).await? {
            return Err(Error::Conflict("This was decided before. Run the command again if you must.".into()));
        }
        let outcome = if state == State::Approved { Outcome::Done } else { Outcome::Refused };
        let showing = showing_of(row);
        let event = audit::Event {
            action: "second-factor.confirm",
            subject: row.name.as_str(),
            scope: Some(row.account),
            outcome,
            detail: json!({ "for": row.subject }),
        };
        audit::record(&mut transaction, &showing.by(), &event, self.clock.now()).await?;
        transaction.commit().await
    }
}

/// What a page checks a code as: as if the terminal that waits had shown it.
fn showing_of(row: &ConfirmationRow) -> Showing<'_> {
    Showing {
        account: row.account,
        name: row.name.as_str(),
        token: row.token,
        subject: &row.subject,
        address: row.address.as_deref().and_then(|text| text.parse().ok()),
    }
}
