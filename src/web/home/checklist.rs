//! The first steps of a new user, with the exact commands.

use crate::organizations::Membership;
use crate::policy::{AccountFacts, PackageFacts};

use super::Visitor;

/// One of the first steps.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) done: bool,
    /// What to type.
    pub(super) commands: Vec<String>,
    /// Where the same is done on the web: label and path.
    pub(super) page: Option<(&'static str, String)>,
}

/// All steps, done or not.
pub(super) fn steps(
    visitor: &Visitor,
    account: &AccountFacts,
    has_token: bool,
    facts: &[PackageFacts],
    organizations: &[Membership],
) -> Vec<Step> {
    let (name, url) = (&account.name, &visitor.public_url);
    let mut own = facts.iter().filter(|one| one.name.scope() == account.name);
    let package = own.clone().next().map_or_else(|| format!("@{name}/my-package"), |first| first.name.to_string());
    let has_published = own.clone().next().is_some();
    let has_shared = own.any(|one| one.package.as_ref().is_some_and(|package| !package.grants.is_empty()))
        || organizations.iter().any(|one| one.members > 1);
    let access = has_published.then(|| ("Open its access page", format!("/package/{package}/access")));
    vec![
        Step {
            title: "Set up your client",
            done: has_token,
            commands: vec![
                format!("npm config set @{name}:registry {url}/"),
                format!("npm login --scope=@{name} --registry={url}/"),
            ],
            page: None,
        },
        Step {
            title: "Publish a package; it is private until you say otherwise",
            done: has_published,
            commands: vec![format!("npm init --yes --scope=@{name}"), "npm publish".to_owned()],
            page: None,
        },
        Step {
            title: "Share it with somebody",
            done: has_shared,
            commands: vec![format!("npm owner add THEIR-NAME {package}")],
            page: access.or_else(|| Some(("Create an organization", "/org/new".to_owned()))),
        },
        Step {
            title: "Turn on a second factor",
            done: account.second_factor.is_some(),
            commands: vec!["npm profile enable-2fa auth-and-writes".to_owned()],
            page: Some(("Open your security settings", "/settings/security".to_owned())),
        },
    ]
}
