//! The files of an export beside the tarballs. No secret is in any of them: nobody has those.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::access::Collaborator;
use crate::clock::Time;
use crate::names::PackageName;
use crate::organizations::{MemberDetails, Settings};
use crate::policy::{
    AccountFacts, AccountKind, BillingFlag, OrganizationRight, Permission, SecondFactorMode, Visibility,
};
use crate::second_factor::Overview;
use crate::tokens::{ListedSession, ListedToken};
use crate::users::Details;

pub(super) fn readme(kind: AccountKind, public_url: &str) -> String {
    let papers = match kind {
        AccountKind::User => {
            "profile.json    what the account says of itself, and what it logs in with\n\
             tokens.json     its tokens, without their secrets, of which the registry keeps none\n\
             sessions.json   where it is logged in\n\
             packages.json   what is in its scope, and what others share with it\n"
        }
        AccountKind::Organization => {
            "organization.json  its plan, and what it asks of its members and gives them\n\
             members.json    who is in it, since when, and in which role\n\
             teams.json      its teams, who is in them, and what they were given\n\
             packages.json   what is in its scope\n"
        }
    };
    format!(
        "Everything of an account at {public_url}\n\n\
         {papers}\
         packages/       each package in its scope: the packument, who has access, and every tarball that was published\n\
         audit/          what was done to the account and its packages, a line of JSON each, the oldest first\n\n\
         A tarball is published elsewhere with: npm publish FILE.tgz --registry=URL\n"
    )
}

pub(super) fn organization(organization: &AccountFacts, details: &Details, settings: Settings) -> Bytes {
    let (paid, paid_until) = plan(organization.billing);
    text(&json!({
        "name": organization.name,
        "created_at": details.created_at,
        "updated_at": details.updated_at,
        "paid": paid,
        "paid_until": paid_until,
        "members_need_second_factor": settings.members_need_second_factor,
        "members_get_on_new_packages": settings.developers_get.as_str(),
    }))
}

pub(super) fn members(members: &[MemberDetails]) -> Bytes {
    let lines = members.iter().map(|member| {
        json!({
            "name": member.name,
            "role": member.role.as_str(),
            "since": member.since,
            "has_second_factor": member.has_second_factor,
        })
    });
    text(&lines.collect())
}

fn plan(flag: BillingFlag) -> (bool, Option<Time>) {
    match flag {
        BillingFlag::Unpaid => (false, None),
        BillingFlag::Paid { until } => (true, until),
    }
}

pub(super) fn profile(account: &AccountFacts, details: &Details, factor: &Overview) -> Bytes {
    let (paid, paid_until) = plan(account.billing);
    let keys = factor
        .keys
        .iter()
        .map(|key| json!({ "name": key.name, "created_at": key.created_at, "last_used_at": key.last_used_at }));
    text(&json!({
        "name": account.name,
        "email": details.email,
        "fullname": details.fullname,
        "homepage": details.homepage,
        "github": details.github,
        "twitter": details.twitter,
        "freenode": details.freenode,
        "created_at": details.created_at,
        "updated_at": details.updated_at,
        "paid": paid,
        "paid_until": paid_until,
        "second_factor": {
            "mode": factor.mode.map(SecondFactorMode::as_str),
            "one_time_codes": factor.has_totp,
            "recovery_codes_left": factor.recovery_codes,
            "keys": keys.collect::<Vec<_>>(),
        },
    }))
}

pub(super) fn tokens(tokens: &[ListedToken]) -> Bytes {
    let lines = tokens.iter().map(|token| {
        let narrowing = &token.narrowing;
        let organizations = match narrowing.organizations.right {
            OrganizationRight::Nothing => "nothing",
            OrganizationRight::Read => "read",
            OrganizationRight::Write => "write",
        };
        json!({
            "key": token.key,
            "begins_with": token.prefix,
            "name": token.name,
            "description": token.description,
            "right": narrowing.right.as_str(),
            "packages": narrowing.packages,
            "organizations": { "right": organizations, "names": narrowing.organizations.names },
            "networks": narrowing.networks,
            "bypasses_second_factor": narrowing.bypasses_second_factor,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
            "last_used_address": token.last_used_address,
        })
    });
    text(&lines.collect())
}

pub(super) fn sessions(sessions: &[ListedSession]) -> Bytes {
    let lines = sessions.iter().map(|session| {
        json!({
            "client": session.client,
            "address": session.address,
            "created_at": session.created_at,
            "last_used_at": session.last_used_at,
            "expires_at": session.expires_at,
        })
    });
    text(&lines.collect())
}

pub(super) fn packages(packages: &[(PackageName, Permission)]) -> Bytes {
    let lines = packages.iter().map(|(name, permission)| json!({ "name": name, "permission": permission.as_str() }));
    text(&lines.collect())
}

pub(super) fn access(visibility: Visibility, collaborators: &[Collaborator]) -> Bytes {
    let people = collaborators.iter().map(|collaborator| {
        json!({
            "name": collaborator.name,
            "permission": collaborator.permission.as_str(),
            "owns": collaborator.owns,
        })
    });
    text(&json!({ "visibility": visibility.as_str(), "collaborators": people.collect::<Vec<_>>() }))
}

/// To be read by people too.
pub(super) fn text(value: &Value) -> Bytes {
    format!("{value:#}\n").into()
}
