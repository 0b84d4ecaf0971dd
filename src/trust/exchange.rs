//! The exchange of a token of some CI for one of ours.
//!
//! Nothing is believed before the signature; nothing is fetched for an issuer whom no package trusts; and whoever is
//! refused learns only that they were, whatever the reason and whether there is such a package or not.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::audit::{self, By, Outcome};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountId, AccountName, PackageName};
use crate::policy::{Narrowing, OrganizationReach, OrganizationRight, TokenRight};
use crate::tokens::{NewToken, TokenKind, TokenSecret, TrustedPublisher};

use super::issuers::{Issuer, Kind};
use super::jwt::IdToken;
use super::rules::CIRCLECI_ORGANIZATION;
use super::{Publisher, Trust, TrustPermission, store};

/// How long our token lasts.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// How far clocks may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How old a token may be, however late it says that it ends: longer than any job of the well-known services.
const OLDEST: TimeDelta = TimeDelta::hours(6);

/// A token of ours, got in exchange.
#[derive(Debug)]
pub struct Exchanged {
    /// The token.
    pub secret: TokenSecret,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

/// Why there was none. The caller is never told; the operator's log is, and the owner's audit log once it is known that
/// the issuer did sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Form,
    Issuer,
    Unused,
    Signature,
    Audience,
    Time,
    Claims,
    UsedBefore,
}

impl Refusal {
    fn reason(self) -> &'static str {
        match self {
            Self::Form => "it is not an ID token that could be accepted",
            Self::Issuer => "its issuer is not configured",
            Self::Unused => "no package trusts its issuer",
            Self::Signature => "its signature is not one of its issuer",
            Self::Audience => "it is meant for somebody else",
            Self::Time => "it has expired, is not valid yet, or is too old",
            Self::Claims => "no trusted publisher of the package has its claims",
            Self::UsedBefore => "it was exchanged before",
        }
    }
}

/// A token whose issuer did sign it, for us, and now.
struct Verified<'a> {
    issuer: &'a Issuer,
    iss: String,
    claims: Map<String, Value>,
    expires_at: Time,
    /// What tells it from every other token.
    digest: [u8; 32],
}

/// Who owns the scope that a token is exchanged for.
pub(super) struct Owner {
    pub(super) id: AccountId,
    pub(super) name: AccountName,
}

impl Trust {
    /// Exchanges an ID token for one of ours that reaches `name`.
    ///
    /// # Errors
    /// `Unauthenticated`, in the same words for whatever reason; and the database's.
    pub async fn exchange(&self, name: &PackageName, id_token: &str, address: IpAddr) -> Result<Exchanged> {
        let verified = match self.verify(id_token).await? {
            Ok(verified) => verified,
            Err(refusal) => {
                tracing::info!(package.name = %name, reason = refusal.reason(), "an ID token was refused");
                return Err(refused(name));
            }
        };
        let owner = store::find_owner(self.db.reads(), name).await?;
        let Some((owner, publisher)) = self.publisher_of(name, &verified, owner).await? else {
            return self.refuse(name, &verified, Refusal::Claims, address).await;
        };
        match self.issue(name, &owner, &publisher, &verified, address).await? {
            Some(exchanged) => Ok(exchanged),
            None => self.refuse(name, &verified, Refusal::UsedBefore, address).await,
        }
    }

    async fn verify(&self, text: &str) -> Result<Result<Verified<'_>, Refusal>> {
        let Some(token) = IdToken::parse(text) else { return Ok(Err(Refusal::Form)) };
        let iss = token.text("iss").unwrap_or_default();
        let Some(issuer) = self.issuers.of_token(iss) else { return Ok(Err(Refusal::Issuer)) };
        if !store::is_trusted_anywhere(self.db.reads(), iss).await? {
            return Ok(Err(Refusal::Unused));
        }
        if !self.keys.has_signed(iss, issuer.keys_url.as_deref(), &token).await {
            return Ok(Err(Refusal::Signature));
        }
        if !is_for(&token.claims, &issuer.audiences) {
            return Ok(Err(Refusal::Audience));
        }
        let Some(expires_at) = living_until(&token.claims, self.clock.now()) else { return Ok(Err(Refusal::Time)) };
        let iss = iss.to_owned();
        // What is signed once is one token, whoever changed its last characters; `jti` names it where it is there.
        let name = token.text("jti").unwrap_or_else(|| text.rsplit_once('.').map_or(text, |(signed, _)| signed));
        let digest = Sha256::digest(format!("{iss}\n{name}")).into();
        let mut claims = token.claims;
        let organization = issuer.fits(&iss).filter(|part| issuer.kind == Kind::CircleCi && !part.is_empty());
        if let Some(organization) = organization {
            // Whose keys signed it is better known than what it says. An issuer without a star speaks for itself.
            claims.insert(CIRCLECI_ORGANIZATION.into(), organization.into());
        }
        Ok(Ok(Verified { issuer, iss, claims, expires_at, digest }))
    }

    /// The publisher that the claims are of. Those of the package come before those of its scope, and who may do more
    /// before who may do less.
    async fn publisher_of(
        &self,
        name: &PackageName,
        verified: &Verified<'_>,
        owner: Option<Owner>,
    ) -> Result<Option<(Owner, Publisher)>> {
        let owner_id = owner.as_ref().map(|owner| owner.id);
        let candidates = store::list_candidates(self.db.reads(), owner_id, name, &verified.iss).await?;
        let fits = |publisher: &Publisher| publisher.rules.accept(verified.issuer.kind, &verified.claims);
        Ok(owner.zip(candidates.into_iter().find(fits)))
    }

    /// `None` where the token was exchanged before and is good for once.
    async fn issue(
        &self,
        name: &PackageName,
        owner: &Owner,
        publisher: &Publisher,
        verified: &Verified<'_>,
        address: IpAddr,
    ) -> Result<Option<Exchanged>> {
        let now = self.clock.now();
        let expires_at = now + LIFETIME;
        let mut transaction = self.db.begin().await?;
        // The trust may have ended while the signature was looked at; so long as it is held here it does not.
        if !store::hold(&mut transaction, &publisher.id).await? {
            return Ok(None);
        }
        if verified.issuer.single_use {
            let forgotten_at = verified.expires_at + LEEWAY;
            if !store::note_exchange(&mut transaction, &verified.digest, forgotten_at).await? {
                return Ok(None);
            }
        }
        let trusted = trusted_publisher(publisher, verified);
        let token = NewToken {
            account: owner.id,
            name: format!("{} for {name}", trusted.title),
            description: None,
            kind: TokenKind::Trusted,
            narrowing: narrowing(name, &publisher.permissions)?,
            expires_at: Some(expires_at),
        };
        let (secret, key) = self.tokens.issue_trusted(&mut transaction, &token, &trusted).await?;
        let event = audit::Event {
            action: "trust.exchange",
            subject: name.as_str(),
            scope: Some(owner.id),
            outcome: Outcome::Done,
            detail: json!({ "publisher": trusted, "token": key, "account": owner.name }),
        };
        audit::record(&mut transaction, &by(verified, address), &event, now).await?;
        transaction.commit().await?;
        Ok(Some(Exchanged { secret, created_at: now, expires_at }))
    }

    /// The owner of the scope sees who knocked, so that a wrong rule can be found.
    async fn refuse<T>(
        &self,
        name: &PackageName,
        verified: &Verified<'_>,
        refusal: Refusal,
        address: IpAddr,
    ) -> Result<T> {
        let reason = refusal.reason();
        tracing::info!(package.name = %name, issuer = verified.iss, reason, "an ID token was refused");
        if !self.refusals.may_write(self.clock.now()) {
            return Err(refused(name));
        }
        let owner = store::find_owner(self.db.reads(), name).await?;
        let event = audit::Event {
            action: "trust.exchange",
            subject: name.as_str(),
            scope: owner.map(|owner| owner.id),
            outcome: Outcome::Refused,
            detail: json!({ "issuer": verified.iss, "sub": verified.claims.get("sub"), "reason": reason }),
        };
        let mut transaction = self.db.begin().await?;
        audit::record(&mut transaction, &by(verified, address), &event, self.clock.now()).await?;
        transaction.commit().await?;
        Err(refused(name))
    }
}

fn refused(name: &PackageName) -> Error {
    Error::Unauthenticated(
        format!(
            "No trusted publisher of {name} has this ID token, or it is not valid here. Its owners see who is trusted \
             with npm trust list, and why this was refused in the audit log."
        )
        .into(),
    )
}

fn by(verified: &Verified<'_>, address: IpAddr) -> By {
    By { name: verified.issuer.kind.title().into(), address: Some(address), ..By::default() }
}

/// Whether the token is meant for one of `audiences`.
fn is_for(claims: &Map<String, Value>, audiences: &[String]) -> bool {
    let is_ours = |said: &Value| audiences.iter().any(|ours| said == ours.as_str());
    match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(is_ours),
        Some(one) => is_ours(one),
        None => false,
    }
}

/// When the token ends, if it is valid now and not too old. It must say when it was made and when it ends.
fn living_until(claims: &Map<String, Value>, now: Time) -> Option<Time> {
    let moment = |value: &Value| {
        let seconds = value.as_i64().or_else(|| value.as_f64().map(whole_seconds))?;
        Time::from_timestamp(seconds, 0)
    };
    let expires_at = moment(claims.get("exp")?)?;
    let issued_at = moment(claims.get("iat")?)?;
    let begins_at = claims.get("nbf").map_or(Some(issued_at), moment)?;
    let is_valid = now < expires_at + LEEWAY
        && issued_at <= now + LEEWAY
        && begins_at <= now + LEEWAY
        && now - issued_at <= OLDEST;
    is_valid.then_some(expires_at)
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and such moments are refused")]
fn whole_seconds(seconds: f64) -> i64 {
    seconds as i64
}

fn narrowing(name: &PackageName, permissions: &[TrustPermission]) -> Result<Narrowing> {
    Ok(Narrowing {
        right: TokenRight::Trusted(TrustPermission::deeds(permissions)),
        packages: vec![name.as_str().parse()?],
        networks: Vec::new(),
        organizations: OrganizationReach { right: OrganizationRight::Nothing, names: Vec::new() },
        bypasses_second_factor: false,
    })
}

fn trusted_publisher(publisher: &Publisher, verified: &Verified<'_>) -> TrustedPublisher {
    let looked_at = publisher.rules.names().chain(["sub"]);
    let claims = looked_at.filter_map(|claim| Some((claim.to_owned(), verified.claims.get(claim)?.clone())));
    TrustedPublisher {
        id: publisher.id.to_string(),
        kind: publisher.kind.as_str().into(),
        title: publisher.kind.title().into(),
        issuer: verified.iss.clone(),
        claims: claims.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_token_is_taken_between_its_beginning_and_its_end_and_while_it_is_young() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        let is_alive = |iat: i64, exp: i64| {
            let at = now.timestamp();
            living_until(&claims(&json!({ "iat": at + iat, "exp": at + exp })), now).is_some()
        };
        assert!(is_alive(0, 300));
        assert!(is_alive(30, 300), "clocks differ");
        assert!(is_alive(-300, -30), "clocks differ");
        assert!(!is_alive(-300, -60));
        assert!(!is_alive(61, 300));
        assert!(is_alive(-6 * 3600, 3600));
        assert!(!is_alive(-6 * 3600 - 1, 3600), "too old");
        let at = now.timestamp();
        for wrong in [
            json!({ "iat": at }),
            json!({ "exp": at + 300 }),
            json!({ "iat": at, "exp": (at + 300).to_string() }),
            json!({ "iat": at, "exp": at + 300, "nbf": at + 100 }),
            json!({ "iat": at, "exp": at + 300, "nbf": "soon" }),
            json!({ "iat": -1e300, "exp": 1e300 }),
        ] {
            assert_eq!(living_until(&claims(&wrong), now), None, "{wrong}");
        }
    }

    #[test]
    fn a_token_for_somebody_else_is_not_for_us() {
        let ours = ["npm:registry.example".to_owned()];
        assert!(is_for(&claims(&json!({ "aud": "npm:registry.example" })), &ours));
        assert!(is_for(&claims(&json!({ "aud": ["x", "npm:registry.example"] })), &ours));
        for other in
            [json!({ "aud": "npm:registry.example.evil" }), json!({ "aud": [] }), json!({}), json!({ "aud": null })]
        {
            assert!(!is_for(&claims(&other), &ours), "{other}");
        }
    }
}
