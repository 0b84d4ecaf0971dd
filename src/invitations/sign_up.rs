//! Making one's own account: who may, and by which invitation.

use crate::audit::By;
use crate::config::Signup;
use crate::error::{Error, Result};
use crate::names::{AccountName, UrlSecret};
use crate::users::{self, NewUser, Profile};

use super::store::{self, Kind};
use super::{Invitations, over};

impl Invitations {
    /// Whether somebody may make an account, with the invitation they hold or without one.
    ///
    /// # Errors
    /// `Forbidden`, saying who can help.
    pub async fn may_sign_up(&self, name: &AccountName, has_invitation: bool) -> Result<()> {
        match self.instance.signup().await? {
            Signup::Open => Ok(()),
            Signup::Invite if has_invitation => Ok(()),
            Signup::Invite => Err(Error::Forbidden(
                "Accounts here are made by invitation. Ask the operator of this registry for one.".into(),
            )),
            Signup::Closed => Err(Error::Forbidden(
                format!("There is no user {name}, and sign-up is closed. Ask the operator for an account.").into(),
            )),
        }
    }

    /// Makes an account for somebody who signs up. An invitation by mail shows that its address is theirs, where they sign
    /// up with that; one to an account is used up by it, the others wait for a yes.
    ///
    /// # Errors
    /// `Forbidden` where they may not; `NotFound` where their invitation is over; `Conflict` for a name that is taken.
    pub async fn sign_up(&self, code: Option<&str>, user: NewUser, by: &By) -> Result<Profile> {
        self.may_sign_up(&user.name, code.is_some()).await?;
        let email = user.email.clone();
        let now = self.clock.now();
        if let Some(code) = code {
            // Before a password is hashed for nothing.
            self.find(code).await?;
        }
        let user = self.users.prepare(NewUser { administrator: false, ..user }).await?;
        let mut transaction = self.db.begin().await?;
        let invitation = match code {
            Some(code) => {
                let digest = UrlSecret::parse(code).ok_or_else(over)?.digest();
                let row = store::lock_by_digest(&mut transaction, &digest, now).await?.ok_or_else(over)?;
                // One for a user who is there lets nobody else in.
                Some(row).filter(|row| row.user.is_none()).ok_or_else(over).map(Some)?
            }
            None => None,
        };
        let profile = self.users.insert(&mut transaction, &user, by).await?;
        if let Some(row) = invitation {
            if let Some(theirs) = row.email.as_ref().filter(|_| row.by_mail)
                && theirs.as_str().eq_ignore_ascii_case(email.as_str())
            {
                users::note_email_proof(&mut transaction, profile.id, theirs, now).await?;
            }
            match row.kind {
                Kind::Account => {
                    store::decide(&mut transaction, row.id, "accepted", Some(profile.id), now).await?;
                    let invitation = row.into_invitation().ok_or_else(over)?;
                    let by = By { account: Some(profile.id), name: profile.name.to_string(), ..by.clone() };
                    self.record_acceptance(&mut transaction, &by, &profile.name, &invitation).await?;
                }
                // From now on it is this account's: it made one, and makes no more.
                Kind::Package | Kind::Organization => store::bind(&mut transaction, row.id, profile.id).await?,
            }
        }
        transaction.commit().await?;
        Ok(profile)
    }
}
