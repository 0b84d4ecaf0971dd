//! Making invitations, sending them again, and taking them back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::audit::{self, By, Outcome};
use crate::config::Signup;
use crate::db::Transaction;
use crate::error::{Error, Result};
use crate::mail::Way;
use crate::names::{AccountId, Email, PackageId, TeamName, UrlSecret};
use crate::policy::{Actor, Administer, InstancePermit, Intent, OrganizationPermit, OrganizationRole, Permission};
use crate::policy::{Permit, Visibility, permit_instance};
use crate::second_factor::explain_instance;
use crate::users;

use super::store::{self, NewInvitation};
use super::{Invitations, Invitee, LIFE, Offered, Place, Sent, letters};

/// Letters that one account has sent in a day.
const MOST_A_DAY: i64 = 500;

/// How often one invitation is sent, and how soon again.
const MOST_SENT: i32 = 10;
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Where invitations are, as their rows have it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Site {
    Package(PackageId),
    Organization(AccountId),
    Instance,
}

pub(super) fn site_of(place: Place<'_>) -> Site {
    match place {
        // A permit is given for a package that is there; one that is not has no invitations.
        Place::Package(permit) => Site::Package(permit.package().unwrap_or_else(|| PackageId::from(0))),
        Place::Organization(permit) => Site::Organization(permit.organization().id),
        Place::Instance(_) => Site::Instance,
    }
}

/// Who is addressed, as the row has it.
pub(super) struct Addressee {
    pub(super) email: Option<Email>,
    pub(super) user: Option<AccountId>,
    /// Where the letter goes.
    pub(super) to: Option<Email>,
}

impl Invitations {
    /// Invites somebody to a package: to read a restricted one, to write a public one, as on its access page.
    ///
    /// # Errors
    /// `NotFound` for an unknown user, `Unprocessable` for who has access already, `TooManyRequests`.
    pub async fn invite_to_package(&self, permit: &Permit<Administer>, invitee: &Invitee) -> Result<Sent> {
        let mut transaction = self.db.begin().await?;
        let access = &self.access;
        let (permit, facts) =
            access.lock_and_permit(&mut transaction, permit.actor(), permit.name(), Intent::GRANT).await?;
        let addressee = self.address(&mut transaction, invitee).await?;
        if addressee.user.is_some_and(|user| facts.permission_of(user, self.clock.now()).is_some()) {
            return Err(Error::Unprocessable(format!("{invitee} has access to {} already.", facts.name).into()));
        }
        let is_public = facts.package.as_ref().is_some_and(|package| package.visibility == Visibility::Public);
        let permission = if is_public { Permission::ReadWrite } else { Permission::ReadOnly };
        let offered = Offered::Package { name: facts.name.clone(), permission };
        self.make(transaction, Place::Package(&permit), permit.actor(), invitee, addressee, &offered).await
    }

    /// Invites somebody to an organization.
    ///
    /// # Errors
    /// `NotFound` for an unknown user or team, `Unprocessable` for who is a member already, `TooManyRequests`.
    pub async fn invite_to_organization(
        &self,
        permit: &OrganizationPermit,
        invitee: &Invitee,
        role: OrganizationRole,
        teams: &[TeamName],
    ) -> Result<Sent> {
        let mut transaction = self.db.begin().await?;
        let permit = self.organizations.lock_and_permit(&mut transaction, permit).await?;
        let organization = permit.organization();
        let addressee = self.address(&mut transaction, invitee).await?;
        if addressee.user.is_some_and(|user| organization.role_of(user).is_some()) {
            return Err(Error::Unprocessable(
                format!("{invitee} is a member of @{} already.", organization.name).into(),
            ));
        }
        self.organizations.require_teams(&mut transaction, &permit, teams).await?;
        let (name, teams) = (organization.name.clone(), teams.to_vec());
        let offered = Offered::Organization { name, role, teams };
        self.make(transaction, Place::Organization(&permit), permit.actor(), invitee, addressee, &offered).await
    }

    /// Invites many to an organization, one after the other; what is wrong with one does not concern the others.
    pub async fn invite_many(
        &self,
        permit: &OrganizationPermit,
        wanted: &[(Invitee, OrganizationRole, Vec<TeamName>)],
    ) -> Vec<Result<Sent>> {
        let mut outcomes = Vec::with_capacity(wanted.len());
        for (invitee, role, teams) in wanted {
            outcomes.push(self.invite_to_organization(permit, invitee, *role, teams).await);
        }
        outcomes
    }

    /// Invites somebody to make an account.
    ///
    /// # Errors
    /// `Unprocessable` where sign-up is closed, or open to anybody, and for who has an account already.
    pub async fn invite_to_instance(&self, permit: &InstancePermit, email: &Email) -> Result<Sent> {
        match self.instance.signup().await? {
            Signup::Invite => {}
            Signup::Closed => {
                let sentence = "Sign-up is closed here. Set auth.signup to \"invite\" in the configuration first.";
                return Err(Error::Unprocessable(sentence.into()));
            }
            Signup::Open => {
                let sentence = "Sign-up is open here: nobody needs an invitation. Send them this registry's address.";
                return Err(Error::Unprocessable(sentence.into()));
            }
        }
        let mut transaction = self.db.begin().await?;
        let actor = self.decide_again(&mut transaction, Place::Instance(permit)).await?;
        if let Some((_, name)) = users::list_by_email(&mut transaction, email).await?.first() {
            return Err(Error::Unprocessable(format!("{name} has this address, and an account already.").into()));
        }
        let invitee = Invitee::Email(email.clone());
        let addressee = self.address(&mut transaction, &invitee).await?;
        self.make(transaction, Place::Instance(permit), &actor, &invitee, addressee, &Offered::Account).await
    }

    /// Sends an invitation again, with another link: the one before is over.
    ///
    /// # Errors
    /// `NotFound` where there is no such open one; `TooManyRequests`.
    pub async fn resend(&self, place: Place<'_>, key: &str) -> Result<Sent> {
        let mut transaction = self.db.begin().await?;
        let actor = self.decide_again(&mut transaction, place).await?;
        let now = self.clock.now();
        let row = store::lock(&mut transaction, site_of(place), key).await?.ok_or_else(no_invitation)?;
        if row.sent_at + PAUSE > now || row.sent_count >= MOST_SENT {
            let sentence = "This invitation was just sent, or very often. Wait a minute, or make a new one.";
            return Err(Error::TooManyRequests { sentence: sentence.into(), retry_after_secs: 60 });
        }
        self.count_letters(&mut transaction, &actor).await?;
        let secret = UrlSecret::random()?;
        let by_mail = self.mail.way() != Way::Nowhere;
        store::renew(&mut transaction, row.id, &secret.digest(), by_mail, now, now + LIFE).await?;
        let key = row.key.clone();
        let invitation = row.into_invitation().ok_or_else(no_invitation)?;
        let addressee = self.address(&mut transaction, &invitation.invitee).await?;
        let to = addressee.to.as_ref();
        self.send(&mut transaction, &actor, &invitation.offered, to, &secret).await?;
        self.record(&mut transaction, place, &actor, "invitation.resend", &invitation.invitee, json!({})).await?;
        transaction.commit().await?;
        Ok(Sent { key, url: self.url_to_hand_over(&secret) })
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// `NotFound` where there is no such open one.
    pub async fn revoke(&self, place: Place<'_>, key: &str) -> Result<()> {
        let mut transaction = self.db.begin().await?;
        let actor = self.decide_again(&mut transaction, place).await?;
        let row = store::lock(&mut transaction, site_of(place), key).await?.ok_or_else(no_invitation)?;
        store::decide(&mut transaction, row.id, "revoked", None, self.clock.now()).await?;
        let invitation = row.into_invitation().ok_or_else(no_invitation)?;
        self.record(&mut transaction, place, &actor, "invitation.revoke", &invitation.invitee, json!({})).await?;
        transaction.commit().await
    }

    async fn decide_again(&self, transaction: &mut Transaction, place: Place<'_>) -> Result<Actor> {
        Ok(match place {
            Place::Package(permit) => {
                let (actor, name) = (permit.actor(), permit.name());
                let (permit, _) = self.access.lock_and_permit(transaction, actor, name, Intent::REVOKE).await?;
                permit.actor().clone()
            }
            Place::Organization(permit) => {
                self.organizations.lock_and_permit(transaction, permit).await?.actor().clone()
            }
            Place::Instance(permit) => {
                let actor = self.tokens.refresh_living(transaction, permit.actor()).await?;
                let permit = permit_instance(&actor, permit.action()).map_err(|refusal| explain_instance(&refusal))?;
                permit.actor().clone()
            }
        })
    }

    async fn address(&self, transaction: &mut Transaction, invitee: &Invitee) -> Result<Addressee> {
        Ok(match invitee {
            Invitee::Email(email) => Addressee { email: Some(email.clone()), user: None, to: Some(email.clone()) },
            Invitee::User(name) => {
                let user = users::find_user(transaction, name).await?.ok_or_else(|| users::no_user(name))?;
                Addressee { email: None, user: Some(user), to: users::find_email(transaction, user).await? }
            }
        })
    }

    async fn make(
        &self,
        mut transaction: Transaction,
        place: Place<'_>,
        actor: &Actor,
        invitee: &Invitee,
        addressee: Addressee,
        offered: &Offered,
    ) -> Result<Sent> {
        self.count_letters(&mut transaction, actor).await?;
        let (secret, key, now) = (UrlSecret::random()?, random_key()?, self.clock.now());
        let new = NewInvitation {
            key: &key,
            inviter: actor.account_id(),
            addressee: &addressee,
            site: site_of(place),
            offered,
            digest: &secret.digest(),
            by_mail: self.mail.way() != Way::Nowhere,
            now,
            expires_at: now + LIFE,
        };
        store::replace(&mut transaction, &new).await?;
        self.send(&mut transaction, actor, offered, addressee.to.as_ref(), &secret).await?;
        self.record(&mut transaction, place, actor, "invitation.create", invitee, detail(offered)).await?;
        transaction.commit().await?;
        Ok(Sent { key, url: self.url_to_hand_over(&secret) })
    }

    async fn count_letters(&self, transaction: &mut Transaction, actor: &Actor) -> Result<()> {
        let Some(inviter) = actor.account_id() else { return Ok(()) };
        let since = self.clock.now() - TimeDelta::days(1);
        if store::count_sent(transaction, inviter, since).await? >= MOST_A_DAY {
            let sentence = format!("An account invites at most {MOST_A_DAY} people a day. Go on tomorrow.");
            return Err(Error::TooManyRequests { sentence: sentence.into(), retry_after_secs: 3600 });
        }
        Ok(())
    }

    async fn send(
        &self,
        transaction: &mut Transaction,
        actor: &Actor,
        offered: &Offered,
        to: Option<&Email>,
        secret: &UrlSecret,
    ) -> Result<()> {
        let Some(to) = to else { return Ok(()) };
        let registry = self.instance.settings().await?.name;
        let inviter = actor.account().map(|account| account.name.as_str());
        let letter = letters::invitation(to.clone(), inviter, offered, &registry, &self.url(secret));
        self.mail.enqueue(transaction, &letter.worthless_at(self.clock.now() + LIFE)).await
    }

    fn url(&self, secret: &UrlSecret) -> String {
        format!("{}/invite/{}", self.public_url, secret.expose())
    }

    /// Where a letter takes the link along, nobody else sees it.
    fn url_to_hand_over(&self, secret: &UrlSecret) -> Option<String> {
        (self.mail.way() == Way::Nowhere).then(|| self.url(secret))
    }

    async fn record(
        &self,
        transaction: &mut Transaction,
        place: Place<'_>,
        actor: &Actor,
        action: &'static str,
        invitee: &Invitee,
        mut detail: Value,
    ) -> Result<()> {
        let (subject, scope) = match place {
            Place::Package(permit) => (permit.name().to_string(), permit.owner()),
            Place::Organization(permit) => (permit.organization().name.to_string(), Some(permit.organization().id)),
            Place::Instance(_) => ("the instance".to_owned(), None),
        };
        // Whose address it is concerns those alone who can see the invitation itself.
        if let Invitee::User(user) = invitee {
            detail["user"] = json!(user);
        }
        let event = audit::Event { action, subject: &subject, scope, outcome: Outcome::Done, detail };
        audit::record(transaction, &By::from(actor), &event, self.clock.now()).await
    }
}

fn detail(offered: &Offered) -> Value {
    match offered {
        Offered::Account => json!({}),
        Offered::Package { permission, .. } => json!({ "permission": permission.as_str() }),
        Offered::Organization { role, teams, .. } => json!({ "role": role.as_npm_word(), "teams": teams }),
    }
}

fn random_key() -> Result<String> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

fn no_invitation() -> Error {
    Error::NotFound("There is no such open invitation. It may have been answered; look at the list again.".into())
}
