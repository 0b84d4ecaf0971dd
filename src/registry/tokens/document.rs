//! What clients send to make a token: the form of npm 6 to 10, and the granular one of npm 11 and later.

use chrono::TimeDelta;
use ipnet::IpNet;
use serde::Deserialize;

use crate::app::App;
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::names::{AccountName, PackagePattern};
use crate::policy::{AccountFacts, Narrowing, OrganizationReach, OrganizationRight, TokenRight};
use crate::tokens::{NewToken, TokenKind, days_allowed};

use super::super::session::login_ends_at;

/// How many packages, scopes and organizations a token may name, each.
const MOST_NAMED: usize = 50;

/// Both forms; of two spellings of a member the first that is there counts.
#[derive(Deserialize)]
pub(super) struct NewTokenDocument {
    pub(super) password: Option<String>,
    readonly: Option<bool>,
    name: Option<String>,
    description: Option<String>,
    token_description: Option<String>,
    packages: Option<Vec<String>>,
    packages_all: Option<bool>,
    scopes: Option<Vec<String>>,
    orgs: Option<Vec<String>>,
    packages_and_scopes_permission: Option<String>,
    orgs_permission: Option<String>,
    expires: Option<i64>,
    cidr_whitelist: Option<Vec<String>>,
    cidr: Option<Vec<String>>,
    bypass_2fa: Option<bool>,
}

impl NewTokenDocument {
    /// The token that is wanted.
    pub(super) fn into_token(self, app: &App, account: &AccountFacts) -> Result<NewToken> {
        let networks = self.networks()?;
        if self.is_granular() { self.granular(app, account, networks) } else { Ok(self.old(app, account, networks)) }
    }

    /// Only the old form says `readonly`, and it says nothing else.
    fn is_granular(&self) -> bool {
        let is_named = self.name.is_some() || self.description.is_some() || self.token_description.is_some();
        let is_narrowed = self.packages.is_some() || self.scopes.is_some() || self.orgs.is_some();
        let has_permission = self.packages_and_scopes_permission.is_some() || self.orgs_permission.is_some();
        let has_more = self.packages_all.is_some() || self.expires.is_some() || self.bypass_2fa.is_some();
        self.readonly.is_none() || is_named || is_narrowed || has_permission || has_more
    }

    /// A whole token lasts as long as a login does, one that only reads until it is revoked.
    fn old(self, app: &App, account: &AccountFacts, networks: Vec<IpNet>) -> NewToken {
        let read_only = self.readonly == Some(true);
        let whole = if read_only { Narrowing::read_only() } else { Narrowing::default() };
        NewToken {
            account: account.id,
            name: "npm token create".into(),
            description: None,
            kind: TokenKind::Granular,
            narrowing: Narrowing { networks, ..whole },
            expires_at: if read_only { None } else { login_ends_at(app) },
        }
    }

    fn granular(self, app: &App, account: &AccountFacts, networks: Vec<IpNet>) -> Result<NewToken> {
        let name = self.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::Malformed("Token name is required. Give one with --name.".into()))?;
        let packages = self.patterns()?;
        let organizations = self.organizations()?;
        let right = self.right(&organizations)?;
        let writes = right != TokenRight::ReadOnly && right != TokenRight::Nothing
            || organizations.right == OrganizationRight::Write;
        Ok(NewToken {
            account: account.id,
            name: name.to_owned(),
            description: self.description.clone().or_else(|| self.token_description.clone()),
            kind: TokenKind::Granular,
            narrowing: Narrowing {
                right,
                packages,
                networks,
                organizations,
                bypasses_second_factor: self.bypass_2fa == Some(true),
            },
            expires_at: Some(self.expires_at(app.clock.now(), writes)?),
        })
    }

    fn expires_at(&self, now: Time, writes: bool) -> Result<Time> {
        let (usual, most) = days_allowed(writes);
        let days = self.expires.unwrap_or(usual);
        if !(1..=most).contains(&days) {
            return Err(Error::Malformed(
                format!("A token like this lasts from 1 to {most} days. Give another number with --expires.").into(),
            ));
        }
        Ok(now + TimeDelta::days(days))
    }

    /// The packages and scopes that are named; none means all that the user has.
    fn patterns(&self) -> Result<Vec<PackagePattern>> {
        if self.packages_all == Some(true) {
            return Ok(Vec::new());
        }
        let packages = parsed(self.packages.as_deref(), "packages", str::parse::<PackagePattern>)?;
        let scopes = parsed(self.scopes.as_deref(), "scopes", |name| {
            let bare = name.strip_suffix("/*").unwrap_or(name).trim_start_matches('@');
            format!("@{bare}/*").parse::<PackagePattern>()
        })?;
        Ok(packages.into_iter().chain(scopes).collect())
    }

    fn right(&self, organizations: &OrganizationReach) -> Result<TokenRight> {
        match self.packages_and_scopes_permission.as_deref() {
            Some("read-write") => Ok(TokenRight::Everything),
            Some("read-write-stage-only") => Ok(TokenRight::StageOnly),
            Some("read-only") => Ok(TokenRight::ReadOnly),
            Some("no-access") => Ok(TokenRight::Nothing),
            Some(_) => Err(Error::Malformed(
                "packages_and_scopes_permission is read-only, read-write, read-write-stage-only or no-access.".into(),
            )),
            // Who says nothing gets the least that is of use.
            None if self.names_packages() || organizations.right == OrganizationRight::Nothing => {
                Ok(TokenRight::ReadOnly)
            }
            None => Ok(TokenRight::Nothing),
        }
    }

    fn names_packages(&self) -> bool {
        let named = |names: &Option<Vec<String>>| names.as_ref().is_some_and(|names| !names.is_empty());
        named(&self.packages) || named(&self.scopes) || self.packages_all == Some(true)
    }

    fn organizations(&self) -> Result<OrganizationReach> {
        let names = parsed(self.orgs.as_deref(), "orgs", |name| name.trim_start_matches('@').parse::<AccountName>())?;
        let right = match self.orgs_permission.as_deref() {
            Some("read-write") => OrganizationRight::Write,
            Some("read-only") => OrganizationRight::Read,
            Some("no-access") => OrganizationRight::Nothing,
            Some(_) => {
                return Err(Error::Malformed("orgs_permission is read-only, read-write or no-access.".into()));
            }
            None if names.is_empty() => OrganizationRight::Nothing,
            None => OrganizationRight::Read,
        };
        Ok(OrganizationReach { right, names })
    }

    /// npm lets IPv4 through only; IPv6 is as good. An address alone is the network of itself.
    fn networks(&self) -> Result<Vec<IpNet>> {
        let texts = self.cidr_whitelist.as_deref().or(self.cidr.as_deref());
        parsed(texts, "cidr_whitelist", |text| {
            text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        })
    }
}

fn parsed<T, E: std::fmt::Display>(
    texts: Option<&[String]>,
    member: &str,
    parse: impl Fn(&str) -> std::result::Result<T, E>,
) -> Result<Vec<T>> {
    let texts = texts.unwrap_or_default();
    if texts.len() > MOST_NAMED {
        return Err(Error::Malformed(format!("{member} names at most {MOST_NAMED}. Make several tokens.").into()));
    }
    let parse = |text: &String| {
        parse(text.trim()).map_err(|cause| Error::Malformed(format!("{member} holds {text:?}: {cause}").into()))
    };
    texts.iter().map(parse).collect()
}
