//! Names and passwords that come with every request, as clients from before tokens send them.
//!
//! A password that is right stands for a token of its own, which no text names: so what asks which token made a request,
//! and what ends tokens, need not know of passwords.

use std::net::IpAddr;

use crate::audit::By;
use crate::error::{Error, Result};
use crate::names::AccountName;
use crate::policy::{Actor, Narrowing};
use crate::users::{self, Password, Proven};

use super::{NewToken, TokenDigest, TokenKind, Tokens, store};

impl Tokens {
    /// Tells who shows this name and password, from `address`. A wrong one makes a dead actor. `attempt` counts each
    /// password that has to be hashed, and may refuse to.
    ///
    /// # Errors
    /// `TooManyRequests` from `attempt`; `Unavailable` when too many passwords wait to be checked.
    pub async fn authenticate_password(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        attempt: impl Fn(&AccountName) -> Result<()>,
    ) -> Result<Actor> {
        let Ok(account) = name.parse::<AccountName>() else { return Ok(Actor::Dead) };
        let check = async || {
            let Ok(password) = Password::offered(password) else { return Ok(None) };
            attempt(&account)?;
            self.check_password(&account, password, address).await
        };
        let Some(remembered) = self.passwords.token_for(name, password, check).await? else {
            return Ok(Actor::Dead);
        };
        if let Some(token) = self.find(&remembered).await? {
            return self.embody(&token, address).await;
        }
        // The token has ended: with the password, or because somebody ended it. Only the password itself can tell.
        self.passwords.forget(name, password);
        let Some(renewed) = self.passwords.token_for(name, password, check).await? else { return Ok(Actor::Dead) };
        match self.find(&renewed).await? {
            Some(token) => self.embody(&token, address).await,
            None => Ok(Actor::Dead),
        }
    }

    async fn check_password(
        &self,
        account: &AccountName,
        password: Password,
        address: IpAddr,
    ) -> Result<Option<TokenDigest>> {
        match self.users.log_in(account, password, Some(address)).await {
            Ok(proven) => self.password_token(&proven, address).await.map(Some),
            Err(Error::WrongPassword) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The token that stands for the password; made where there is none yet.
    async fn password_token(&self, proven: &Proven, address: IpAddr) -> Result<TokenDigest> {
        let account = proven.profile.id;
        let mut transaction = self.db.begin().await?;
        users::hold_password(&mut transaction, proven).await?;
        if let Some(digest) = store::find_password_token(&mut transaction, account).await? {
            return Ok(digest);
        }
        let token = NewToken {
            account,
            name: "password".into(),
            description: None,
            kind: TokenKind::Password,
            narrowing: Narrowing::default(),
            expires_at: None,
        };
        let name = proven.profile.name.to_string();
        let by = By { account: Some(account), name, token: None, address: Some(address) };
        // Its text is thrown away here: nobody will ever show it.
        let issued = self.insert(&mut transaction, &token, &by).await?;
        transaction.commit().await?;
        Ok(issued.secret.digest())
    }
}
