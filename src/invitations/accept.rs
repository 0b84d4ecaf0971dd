//! Answering invitations.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use crate::audit::{self, By, Outcome};
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::names::{AccountName, UrlSecret};
use crate::policy::{AccountPermit, Actor, Principal};
use crate::users;

use super::store::{self, Row};
use super::{Invitation, Invitations, Invitee, Offered, over};

/// By what somebody has an invitation in hand.
#[derive(Debug, Clone, Copy)]
pub enum Door<'a> {
    /// The secret of its link.
    Code(&'a str),
    /// Its key, in the list of one's own.
    Own(&'a str),
}

impl Invitations {
    /// Accepts an invitation: what its inviter can give now, the account has then. Returns what it was.
    ///
    /// # Errors
    /// `NotFound` where it is over, or somebody else's; `Forbidden` where the inviter can no longer give it;
    /// `PaymentRequired` for who has no plan and needs one.
    pub async fn accept(&self, permit: &AccountPermit, door: Door<'_>) -> Result<Offered> {
        let account = permit.account();
        let mut transaction = self.db.begin().await?;
        let row = self.open_door(&mut transaction, permit, door).await?;
        if matches!(door, Door::Code(_))
            && row.by_mail
            && let Some(email) = &row.email
        {
            users::note_email_proof(&mut transaction, account.id, email, self.clock.now()).await?;
        }
        let inviter = self.inviter(&mut transaction, &row).await?;
        store::decide(&mut transaction, row.id, "accepted", Some(account.id), self.clock.now()).await?;
        let invitation = row.into_invitation().ok_or_else(over)?;
        self.record_acceptance(&mut transaction, &By::from(permit), &account.name, &invitation).await?;
        match &invitation.offered {
            Offered::Account => {
                return Err(Error::Unprocessable(
                    "This invitation is to a new account, and you have one. Pass it on, or let it end.".into(),
                ));
            }
            Offered::Package { name, permission } => {
                let term = (*permission).into();
                let given = self.access.grant_within(&mut transaction, &inviter, name, &account.name, term).await;
                given.map_err(|refusal| in_the_inviters_place(refusal, &invitation.inviter_in_words()))?;
                transaction.commit().await?;
            }
            Offered::Organization { name, role, teams } => {
                let admitted = self.organizations.admit(transaction, &inviter, name, &account.name, *role, teams).await;
                admitted.map_err(|refusal| in_the_inviters_place(refusal, &invitation.inviter_in_words()))?;
            }
        }
        Ok(invitation.offered)
    }

    /// Declines an invitation. Whoever holds the link may, and whoever is meant.
    ///
    /// # Errors
    /// `NotFound` where it is over, or somebody else's.
    pub async fn decline(&self, permit: Option<&AccountPermit>, door: Door<'_>) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let row = match (permit, door) {
            (Some(permit), door) => self.open_door(&mut transaction, permit, door).await?,
            (None, Door::Code(code)) => self.by_code(&mut transaction, code).await?,
            (None, Door::Own(_)) => return Err(over()),
        };
        store::decide(&mut transaction, row.id, "declined", None, self.clock.now()).await?;
        transaction.commit().await
    }

    /// Holds an open invitation that the account may answer: one for a user is that user's alone.
    async fn open_door(&self, transaction: &mut Transaction, permit: &AccountPermit, door: Door<'_>) -> Result<Row> {
        let account = permit.account().id;
        match door {
            Door::Code(code) => {
                let row = self.by_code(transaction, code).await?;
                if row.user.is_some_and(|user| user != account) {
                    let sentence = "This invitation is for somebody else. Log in as who it names, or ask for your own.";
                    return Err(Error::Forbidden(sentence.into()));
                }
                Ok(row)
            }
            Door::Own(key) => {
                let row = store::lock_own(transaction, account, key, self.clock.now()).await?;
                row.ok_or_else(over)
            }
        }
    }

    async fn by_code(&self, transaction: &mut Transaction, code: &str) -> Result<Row> {
        let code = UrlSecret::parse(code).ok_or_else(over)?;
        store::lock_by_digest(transaction, &code.digest(), self.clock.now()).await?.ok_or_else(over)
    }

    /// Who invited, as an actor who stands where they stand now. Whether a second factor was needed was asked when they
    /// invited.
    async fn inviter(&self, transaction: &mut Transaction, row: &Row) -> Result<Actor> {
        let Some(inviter) = row.inviter else { return Ok(Actor::Operator) };
        let facts = users::load_account_facts(transaction, inviter).await?.filter(|account| !account.disabled);
        let facts = facts.ok_or_else(over)?;
        Ok(Actor::User(Principal::standing_in(facts, IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }

    /// The line by which the inviter is told, too.
    pub(super) async fn record_acceptance(
        &self,
        transaction: &mut Transaction,
        by: &By,
        user: &AccountName,
        invitation: &Invitation,
    ) -> Result<()> {
        let (subject, owner) = match &invitation.offered {
            Offered::Account => (user.to_string(), user.clone()),
            Offered::Package { name, .. } => (name.to_string(), name.scope()),
            Offered::Organization { name, .. } => (name.to_string(), name.clone()),
        };
        // Whoever owns the place shall see who came in, and from where: the grant itself is the inviter's.
        let scope = self.users.find_account(&owner).await?.map(|(id, _)| id);
        let event = audit::Event {
            action: "invitation.accept",
            subject: &subject,
            scope,
            outcome: Outcome::Done,
            detail: json!({ "user": user, "invitation": invitation.key, "inviter": invitation.inviter }),
        };
        audit::record(transaction, by, &event, self.clock.now()).await
    }
}

impl super::Invitation {
    fn inviter_in_words(&self) -> String {
        self.inviter.as_ref().map_or_else(|| "The operator".to_owned(), ToString::to_string)
    }
}

/// What is refused here is refused to the inviter: who accepts is told that, and not what the inviter would be. That a plan
/// is missing concerns whoever it names.
fn in_the_inviters_place(refusal: Error, inviter: &str) -> Error {
    match refusal {
        Error::NotFound(_) | Error::Lacking { .. } | Error::Forbidden(_) | Error::DeadCredential => {
            Error::Forbidden(format!("{inviter} can no longer give you this. Ask who can to invite you anew.").into())
        }
        other => other,
    }
}

impl Invitee {
    /// The mail address, where that is who is meant.
    pub fn email(&self) -> Option<&crate::names::Email> {
        match self {
            Self::Email(email) => Some(email),
            Self::User(_) => None,
        }
    }
}
