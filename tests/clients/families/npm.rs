//! npm, from 6 to 12.

use std::fs;

use super::{Deed, Home, Words, said};
use crate::client::Client;

/// Writes the `.npmrc` that most clients read.
pub(super) fn configure(home: &Home<'_>, token: Option<&str>) {
    let (registry, place) = (&home.server.url, home.server.without_scheme());
    let credentials = token.map(|token| format!("{place}:_authToken={token}\n")).unwrap_or_default();
    fs::write(home.folder.join(".npmrc"), format!("registry={registry}\n{credentials}")).expect("an npmrc");
}

pub(super) fn words(deed: &Deed<'_>, major: u32) -> Words {
    let old = major < 9;
    match *deed {
        Deed::WhoAmI => said(["whoami"]),
        Deed::LogOut => said(["logout"]),
        Deed::Ping => said(["ping", "--json"]),
        Deed::Doctor if major < 9 => Words::Skipped("npm doctor asks for the package npm before npm 9"),
        Deed::Doctor => said(["doctor", "connection"]),
        Deed::Publish { access, tag } => said(["publish"]).with("--access", access).with("--tag", tag),
        Deed::Add(spec) => said(["install", spec]),
        Deed::InstallFrozen => said(["ci"]),
        Deed::Update => said(["update"]),
        Deed::Outdated => said(["outdated", "--json"]),
        Deed::View { package, field } => said(["view", package, field, "--json"]),
        Deed::PackPublished(spec) => said(["pack", spec]),
        Deed::Run { package, .. } => said(["exec", "--yes", package]).only_if(major > 6),
        Deed::Diff { package, old, new } => {
            said(["diff", &format!("--diff={package}@{old}"), &format!("--diff={package}@{new}")]).only_if(major > 6)
        }
        Deed::ListTags(package) => said(["dist-tag", "ls", package]),
        Deed::AddTag { package, version, tag } => said(["dist-tag", "add", &format!("{package}@{version}"), tag]),
        Deed::RemoveTag { package, tag } => said(["dist-tag", "rm", package, tag]),
        Deed::Deprecate { spec, message } => said(["deprecate", spec, message]),
        Deed::Undeprecate(spec) if major < 11 => said(["deprecate", spec, ""]),
        Deed::Undeprecate(spec) => said(["undeprecate", spec]),
        Deed::UnpublishVersion(spec) => said(["unpublish", spec]),
        Deed::UnpublishPackage(package) => said(["unpublish", package, "--force"]),
        Deed::ListOwners(package) => said(["owner", "ls", package]),
        Deed::AddOwner { package, user } => said(["owner", "add", user, package]),
        Deed::RemoveOwner { package, user } => said(["owner", "rm", user, package]),
        Deed::Star(package) => said(["star", package]).only_if(major < 12),
        Deed::Unstar(package) => said(["unstar", package]).only_if(major < 12),
        Deed::ListStars => said(["stars"]).only_if(major < 12),
        Deed::SetPublic(package) if old => said(["access", "public", package]),
        Deed::SetPublic(package) => said(["access", "set", "status=public", package]),
        Deed::SetRestricted(package) if old => said(["access", "restricted", package]),
        Deed::SetRestricted(package) => said(["access", "set", "status=private", package]),
        Deed::GetStatus(package) => said(["access", "get", "status", package]).only_if(!old),
        Deed::SetSecondFactor(package) if old => said(["access", "2fa-required", package]),
        Deed::SetSecondFactor(package) => said(["access", "set", "mfa=publish", package]),
        Deed::ListCollaborators(package) if old => said(["access", "ls-collaborators", package]),
        Deed::ListCollaborators(package) => said(["access", "list", "collaborators", package, "--json"]),
        Deed::ListPackages(account) if old => said(["access", "ls-packages", account]),
        Deed::ListPackages(account) => said(["access", "list", "packages", account, "--json"]),
        Deed::ListTeamPackages { team } if old => said(["access", "ls-packages", team]),
        Deed::ListTeamPackages { team } => said(["access", "list", "packages", team, "--json"]),
        Deed::Grant { permission, team, package } => said(["access", "grant", permission, team, package]),
        Deed::Revoke { team, package } => said(["access", "revoke", team, package]),
        Deed::CreateTeam(team) => said(["team", "create", team]),
        Deed::DestroyTeam(team) => said(["team", "destroy", team]),
        Deed::ListTeams(organization) => said(["team", "ls", organization, "--json"]),
        Deed::AddToTeam { team, user } => said(["team", "add", team, user]),
        Deed::RemoveFromTeam { team, user } => said(["team", "rm", team, user]),
        Deed::ListTeam(team) => said(["team", "ls", team, "--json"]),
        Deed::SetMember { organization, user, role } => said(["org", "set", organization, user, role]),
        Deed::RemoveMember { organization, user } => said(["org", "rm", organization, user]),
        Deed::ListMembers(organization) => said(["org", "ls", organization, "--json"]),
        Deed::ListTokens => said(["token", "list", "--json"]),
        Deed::RevokeToken(token) => said(["token", "revoke", token]),
        Deed::GetProfile => said(["profile", "get", "--json"]),
        Deed::SetProfile { key, value } => said(["profile", "set", key, value, "--json"]),
        Deed::Search(text) => said(["search", text, "--json"]),
        Deed::Audit => said(["audit", "--json"]),
        Deed::AuditSignatures if major > 8 => {
            Words::Skipped("npm audit signatures asks the public Sigstore for keys before it asks the registry")
        }
        Deed::PublishWithProvenance if major > 9 => {
            Words::Skipped("npm holds a bundle against the public Sigstore before it sends it")
        }
        Deed::AuditSignatures | Deed::PublishBatch | Deed::PublishWithProvenance => Words::Unknown,
        Deed::StagePublish => said(["stage", "publish"]).only_if(major > 10),
        Deed::StageList(package) => said(["stage", "list", package, "--json"]).only_if(major > 10),
        Deed::AddHook { package, address, secret } => {
            said(["hook", "add", package, address, secret, "--json"]).only_if(major < 11)
        }
        Deed::ListHooks => said(["hook", "ls", "--json"]).only_if(major < 11),
        Deed::RemoveHook(id) => said(["hook", "rm", id, "--json"]).only_if(major < 11),
        Deed::TrustList { package, code } => {
            said(["trust", "list", package, "--json", &code_of_trust(code)]).only_if(major > 10)
        }
        Deed::TrustGithub { package, repository, code } => {
            trust("github", package, &["--file=release.yml", "--repo", repository], code).only_if(major > 10)
        }
        Deed::TrustGitlab { package, project, code } => {
            trust("gitlab", package, &["--file=.gitlab-ci.yml", "--project", project], code).only_if(major > 10)
        }
        Deed::TrustCircleci { package, id, repository, code } => {
            let origin = format!("github.com/{repository}");
            let ids = ["--org-id", id, "--project-id", id, "--pipeline-definition-id", id, "--vcs-origin", &origin];
            trust("circleci", package, &ids, code).only_if(major > 10)
        }
        Deed::TrustRevoke { package, id, code } => {
            said(["trust", "revoke", package, "--id", id, &code_of_trust(code)]).only_if(major > 10)
        }
        Deed::PublishWithCode(code) => said(["publish", "--otp", code]),
        // Since npm 9 it would offer the browser.
        Deed::PublishAndBeAsked => said(["publish", "--auth-type=legacy"]),
        Deed::PublishAndBeSentToAPage => said(["publish"]).only_if(!old),
        Deed::StageView(id) => said(["stage", "view", id, "--json"]).only_if(major > 10),
        Deed::StageDownload(id) => said(["stage", "download", id]).only_if(major > 10),
        Deed::StageApprove { id, code } => said(["stage", "approve", id, "--otp", code]).only_if(major > 10),
        Deed::StageReject { id, code } => said(["stage", "reject", id, "--otp", code]).only_if(major > 10),
        Deed::CreateToken if major < 11 => said(["token", "create"]),
        Deed::CreateToken => {
            said(["token", "create", "--name=spare", "--packages-all", "--packages-and-scopes-permission=read-only"])
        }
        Deed::EnableSecondFactor => said(["profile", "enable-2fa", "auth-and-writes"]),
        Deed::DisableSecondFactor { .. } => said(["profile", "disable-2fa", "--auth-type=legacy"]),
    }
}

/// `npm trust` reads flags by itself, and takes a code behind a blank for one name too many.
fn code_of_trust(code: &str) -> String {
    format!("--otp={code}")
}

fn trust(service: &str, package: &str, job: &[&str], code: &str) -> Words {
    let code = code_of_trust(code);
    let words = [&["trust", service, package], job, &["--allow-publish", "--yes", &code]].concat();
    Words::Said(words.into_iter().map(str::to_owned).collect())
}

/// What the stories need to know of an npm beyond its words.
impl Client {
    /// Whether `npm login` is the same command as `npm adduser`, which asks for a mail address and makes accounts.
    pub(crate) fn login_is_adduser(&self) -> bool {
        self.major < 9
    }

    /// Why there is no `npm adduser`, where there is none.
    pub(crate) fn lacks_adduser(&self) -> Option<&'static str> {
        (self.major >= 12).then_some("npm 12 has no adduser")
    }

    /// Why there is no `npm access get status`, where there is none.
    pub(crate) fn lacks_get_status(&self) -> Option<&'static str> {
        (self.major < 9).then_some("npm access has no get status before npm 9")
    }

    /// Why `npm update` leaves the dependencies of dependencies alone, where it does.
    pub(crate) fn updates_direct_dependencies_only(&self) -> Option<&'static str> {
        (self.major < 7).then_some("npm update leaves dependencies of dependencies alone before npm 7")
    }

    /// Why its own check of registry signatures is not run, where it is not.
    pub(crate) fn checks_no_signatures(&self) -> Option<&'static str> {
        if self.start.arguments.is_empty() {
            return Some("where this npm keeps its code is not known");
        }
        (self.major < 8).then_some("npm knows no signatures before npm 8")
    }

    /// Whether `publish --force` over a version unpublishes that first, and leaves nothing when the rest is refused.
    pub(crate) fn unpublishes_to_force(&self) -> bool {
        self.major < 7
    }

    /// What a client says of a publish over an existing version. The older ones reword the server's answer.
    pub(crate) fn refusal_to_publish_over(&self) -> &'static str {
        if self.major < 9 {
            "Cannot publish over existing version"
        } else {
            "cannot publish over the previously published versions"
        }
    }
}
