//! Ending tokens: at once, on every connection and node.

use std::net::IpAddr;

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::db::{Change, Transaction};
use crate::error::{Error, Result};
use crate::policy::{AccountFacts, AccountPermit};
use crate::users::{self, PasswordHash};

use super::{ListedToken, Page, TokenSecret, Tokens, store};

impl Tokens {
    /// Ends a token, named by its secret: who has it may end it. Also fine for one that has ended already.
    ///
    /// # Errors
    /// `NotFound` for text that never was a token.
    pub async fn revoke_secret(&self, text: &str, address: IpAddr) -> Result<()> {
        let secret = TokenSecret::parse(text).ok_or_else(unknown_token)?;
        let mut transaction = self.db.begin().await?;
        let found = store::revoke_by_digest(&mut transaction, &secret.digest(), self.clock.now()).await?;
        let by = By {
            account: found.as_ref().map(|revoked| revoked.account),
            name: "who held the token".into(),
            token: None,
            address: Some(address),
        };
        self.finish_revocation(transaction, found, &by).await
    }

    /// Ends a token that its holder gives up, or found lying about; returns what it was, where it still worked. Of any other
    /// text nothing is told, so that all of it is answered alike.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_leaked(&self, secret: &TokenSecret, address: IpAddr) -> Result<Option<ListedToken>> {
        let (digest, now) = (secret.digest(), self.clock.now());
        let mut transaction = self.db.begin().await?;
        let Some(key) = store::find_key(&mut *transaction, &digest).await? else { return Ok(None) };
        let (found, _) = store::list(&mut *transaction, None, Some(&key), now, Page::WHOLE).await?;
        let revoked = store::revoke_by_digest(&mut transaction, &digest, now).await?;
        let by = By {
            account: revoked.as_ref().map(|revoked| revoked.account),
            name: "who held the token".into(),
            token: None,
            address: Some(address),
        };
        self.finish_revocation(transaction, revoked, &by).await?;
        Ok(found.into_iter().next())
    }

    /// Ends a token, named by its key or the start of it, whoever owns it: the operator's door.
    ///
    /// # Errors
    /// `NotFound` for an unknown key.
    pub async fn revoke_key(&self, key: &str, by: &By) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let found = store::revoke_by_key(&mut transaction, key, self.clock.now()).await?;
        self.finish_revocation(transaction, found, by).await
    }

    /// Ends one of the account's own tokens, named by its key or its text.
    ///
    /// # Errors
    /// `NotFound` for what is none of its tokens.
    pub async fn revoke_own(&self, permit: &AccountPermit, named: &str) -> Result<()> {
        let (account, now) = (permit.account().id, self.clock.now());
        let mut transaction = self.db.begin().await?;
        let found = match TokenSecret::parse(named) {
            Some(secret) => store::revoke_by_digest(&mut transaction, &secret.digest(), now).await?,
            None if !is_key(named) => None,
            None => store::revoke_own_by_key(&mut transaction, account, named, now).await?,
        };
        let own = found.filter(|revoked| revoked.account == account);
        self.finish_revocation(transaction, own, &By::from(permit)).await
    }

    async fn finish_revocation(
        &self,
        mut transaction: Transaction,
        found: Option<store::Revoked>,
        by: &By,
    ) -> Result<()> {
        let revoked = found.ok_or_else(unknown_token)?;
        if !revoked.was_alive {
            return Ok(());
        }
        let event = audit::Event {
            action: "token.revoke",
            subject: &revoked.key,
            scope: Some(revoked.account),
            outcome: Outcome::Done,
            detail: json!({}),
        };
        audit::record(&mut transaction, by, &event, self.clock.now()).await?;
        transaction.announce(Change::Token(revoked.digest.to_hex()));
        transaction.commit().await
    }

    /// Changes a password, and ends what was opened with the one before: logins and sessions, but not the token that asks
    /// for it; granular tokens too where `all` says so.
    ///
    /// # Errors
    /// The database's.
    pub async fn change_password(&self, permit: &AccountPermit, hash: &PasswordHash, all: bool) -> Result<()> {
        let (account, now) = (permit.account(), self.clock.now());
        let mut transaction = self.db.begin().await?;
        users::replace_password(&mut transaction, account.id, hash).await?;
        let keep = permit.principal().token;
        let ended = store::revoke_sessions(&mut transaction, account.id, keep, all, now).await?;
        let event = audit::Event {
            action: "user.password",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({ "ended_tokens": ended.len() }),
        };
        audit::record(&mut transaction, &By::from(permit), &event, now).await?;
        for digest in ended {
            transaction.announce(Change::Token(digest.to_hex()));
        }
        transaction.announce(Change::Account(account.id));
        transaction.commit().await
    }

    /// Gives an account a new password in a caller's transaction, for somebody who has shown another way that it is theirs,
    /// and ends what was opened before: granular tokens too where `all` says so.
    ///
    /// # Errors
    /// The database's.
    pub async fn reset_password(
        &self,
        transaction: &mut Transaction,
        account: &AccountFacts,
        hash: &PasswordHash,
        all: bool,
        by: &By,
    ) -> Result<()> {
        let now = self.clock.now();
        users::replace_password(transaction, account.id, hash).await?;
        let ended = store::revoke_opened(transaction, account.id, all, now).await?;
        let event = audit::Event {
            action: "user.password",
            subject: account.name.as_str(),
            scope: Some(account.id),
            outcome: Outcome::Done,
            detail: json!({ "ended_tokens": ended.len(), "by_link": true }),
        };
        audit::record(transaction, by, &event, now).await?;
        for digest in ended {
            transaction.announce(Change::Token(digest.to_hex()));
        }
        transaction.announce(Change::Account(account.id));
        Ok(())
    }

    /// Ends a token that another one is about to take the place of, in a caller's transaction.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace(&self, transaction: &mut Transaction, key: &str) -> Result<()> {
        if let Some(revoked) = store::revoke_by_key(transaction, key, self.clock.now()).await? {
            transaction.announce(Change::Token(revoked.digest.to_hex()));
        }
        Ok(())
    }
}

/// Keys are letters and digits; what else stands in a path need not be looked up.
pub(super) fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn unknown_token() -> Error {
    Error::NotFound("There is no such token. It may have been revoked already.".into())
}
