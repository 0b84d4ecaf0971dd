//! Making tokens.

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::policy::{AccountPermit, Actor, OrganizationRight, TokenRight};
use crate::users::{self, Proven};

use super::{NewToken, TokenSecret, Tokens, secret, store};

/// How many living tokens an account may have, and how much a token may name.
const MOST_TOKENS: i64 = 1000;
const MOST_NAMED: usize = 50;
const MOST_NAME_CHARACTERS: usize = 128;
const MOST_DESCRIPTION_CHARACTERS: usize = 512;

/// Days that a token lasts where nobody says, and at most: one that may change something, and one that only reads.
pub fn days_allowed(changes: bool) -> (i64, i64) {
    if changes { (7, 90) } else { (30, 36_500) }
}

/// A token that was just made.
#[derive(Debug)]
pub struct Issued {
    /// Its text: the only time that anyone sees it.
    pub secret: TokenSecret,
    /// Its public name.
    pub key: String,
    /// When it was made.
    pub created_at: Time,
}

impl Tokens {
    /// Makes a token and returns its secret: the only time that anyone sees it.
    ///
    /// # Errors
    /// The database's.
    pub async fn issue(&self, token: NewToken, by: &By) -> Result<TokenSecret> {
        let mut transaction = self.db.begin().await?;
        let issued = self.insert(&mut transaction, &token, by).await?;
        transaction.commit().await?;
        Ok(issued.secret)
    }

    /// Makes a token for somebody who has just logged in. A change of the password in the same moment comes before, and
    /// then there is no token, or after, and then it ends this one.
    ///
    /// # Errors
    /// `WrongPassword` where the password was changed meanwhile.
    pub async fn issue_at_login(&self, proven: &Proven, token: NewToken, by: &By) -> Result<TokenSecret> {
        let mut transaction = self.db.begin().await?;
        users::hold_password(&mut transaction, proven).await?;
        let issued = self.insert(&mut transaction, &token, by).await?;
        transaction.commit().await?;
        Ok(issued.secret)
    }

    /// Makes a token that a user asked for.
    ///
    /// # Errors
    /// `Unprocessable` for what no token can be, or with too many of them.
    pub async fn create(&self, permit: &AccountPermit, token: NewToken) -> Result<Issued> {
        token.check()?;
        let mut transaction = self.db.begin().await?;
        let actor = Actor::User(permit.principal().clone());
        self.refresh_living(&mut transaction, &actor).await?;
        let living = store::count_living(&mut transaction, permit.account().id, self.clock.now()).await?;
        if living >= MOST_TOKENS {
            return Err(Error::Unprocessable(
                format!("An account has at most {MOST_TOKENS} tokens. Revoke one with npm token revoke first.").into(),
            ));
        }
        let issued = self.insert(&mut transaction, &token, &By::from(permit)).await?;
        transaction.commit().await?;
        Ok(issued)
    }

    /// Makes a token in a caller's transaction, for somebody whose right to it the caller has made sure of.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert(&self, transaction: &mut Transaction, token: &NewToken, by: &By) -> Result<Issued> {
        let secret = TokenSecret::random()?;
        let key = secret::random_key()?;
        let now = self.clock.now();
        store::insert(transaction, token, &key, &secret, now).await?;
        let event = audit::Event {
            action: "token.create",
            subject: &key,
            scope: Some(token.account),
            outcome: Outcome::Done,
            detail: json!({
                "name": token.name,
                "kind": token.kind.as_str(),
                "reach": format!("{:?}", token.narrowing.right),
                "bypasses_second_factor": token.narrowing.bypasses_second_factor,
            }),
        };
        audit::record(transaction, by, &event, now).await?;
        Ok(Issued { secret, key, created_at: now })
    }
}

impl NewToken {
    /// The limits of npm's granular tokens (`protocol.md` 5.7).
    ///
    /// # Errors
    /// `Unprocessable` for what no token can be.
    pub fn check(&self) -> Result<()> {
        let refuse = |sentence: &'static str| Err(Error::Unprocessable(sentence.into()));
        check_name(&self.name)?;
        if self.description.as_deref().is_some_and(|text| !is_line(text, MOST_DESCRIPTION_CHARACTERS)) {
            return refuse("A token's description is one line of at most 512 characters. Shorten it.");
        }
        let narrowing = &self.narrowing;
        let most = [narrowing.packages.len(), narrowing.networks.len(), narrowing.organizations.names.len()];
        // Packages and scopes are counted together by the room, and each for itself by the face that knows them apart.
        if most[0] > 2 * MOST_NAMED || most[1] > MOST_NAMED || most[2] > MOST_NAMED {
            return refuse(
                "A token names at most 50 packages, scopes, organizations or networks. Make several tokens.",
            );
        }
        if narrowing.right == TokenRight::Nothing && narrowing.organizations.right == OrganizationRight::Nothing {
            return refuse("This token could do nothing at all. Give it a permission for packages or organizations.");
        }
        if narrowing.bypasses_second_factor
            && !matches!(narrowing.right, TokenRight::Everything | TokenRight::StageOnly)
        {
            return refuse("Only a token that may write has a second factor to bypass. Leave bypass-2fa out.");
        }
        Ok(())
    }
}

/// Looks at what somebody would call a token.
///
/// # Errors
/// `Unprocessable` for what is no name.
pub fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || !is_line(name, MOST_NAME_CHARACTERS) {
        let sentence = "A token's name is one line of 1 to 128 characters. Give another one.";
        return Err(Error::Unprocessable(sentence.into()));
    }
    Ok(())
}

fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}
