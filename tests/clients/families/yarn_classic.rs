//! yarn 1. It logs in anew for each command unless a token is in its `.npmrc`, and never keeps one.

use super::{Deed, Words, said};

pub(super) fn words(deed: &Deed<'_>) -> Words {
    match *deed {
        Deed::Publish { access, tag } => {
            said(["publish", "--non-interactive"]).with("--access", access).with("--tag", tag)
        }
        Deed::PublishWithCode(code) => said(["publish", "--non-interactive", "--otp", code]),
        Deed::PublishAndBeAsked => said(["publish"]),
        Deed::Add(spec) => said(["add", spec, "--non-interactive"]),
        Deed::InstallFrozen => said(["install", "--frozen-lockfile", "--non-interactive"]),
        Deed::Update => said(["upgrade", "--non-interactive"]),
        Deed::Outdated => said(["outdated"]),
        Deed::View { package, field } => said(["info", package, field, "--json"]),
        Deed::ListTags(package) => said(["tag", "list", package]),
        Deed::AddTag { package, version, tag } => said(["tag", "add", &format!("{package}@{version}"), tag]),
        Deed::RemoveTag { package, tag } => said(["tag", "remove", package, tag]),
        Deed::ListOwners(package) => said(["owner", "list", package]),
        Deed::AddOwner { .. } | Deed::RemoveOwner { .. } => {
            Words::Skipped("yarn 1 takes every scoped name for invalid in owner add and rm")
        }
        Deed::CreateTeam(_)
        | Deed::DestroyTeam(_)
        | Deed::ListTeams(_)
        | Deed::AddToTeam { .. }
        | Deed::RemoveFromTeam { .. }
        | Deed::ListTeam(_) => Words::Skipped("yarn 1 asks for teams on a path that no registry has"),
        Deed::Audit => Words::Skipped("yarn 1 sends audits to its own registry, whatever it is told"),
        _ => Words::Unknown,
    }
}
