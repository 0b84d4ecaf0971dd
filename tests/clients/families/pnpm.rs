//! pnpm. Until 10 it hands what is not about installing to the npm of this machine; since 11 it speaks for itself.

use super::{Deed, Words, npm, said};

/// The npm that pnpm 9 and 10 hand on to is the one of this machine, and new enough.
const NPM: u32 = 11;

pub(super) fn words(deed: &Deed<'_>, major: u32) -> Words {
    match *deed {
        Deed::Publish { access, tag } => {
            said(["publish", "--no-git-checks"]).with("--access", access).with("--tag", tag)
        }
        Deed::PublishWithCode(code) => said(["publish", "--no-git-checks", "--otp", code]),
        Deed::PublishAndBeAsked => Words::Skipped("it goes to a page wherever there is one"),
        Deed::PublishAndBeSentToAPage => said(["publish", "--no-git-checks"]),
        Deed::StagePublish if major > 10 => said(["stage", "publish", "--no-git-checks"]),
        Deed::PublishBatch => said(["publish", "--recursive", "--batch", "--no-git-checks"]).only_if(major > 10),
        Deed::Add(spec) => said(["add", spec]),
        Deed::InstallFrozen => said(["install", "--frozen-lockfile"]),
        Deed::Update => said(["update"]),
        Deed::Outdated => said(["outdated", "--format=json"]),
        Deed::Run { package, .. } => said(["dlx", package]),
        Deed::Doctor => said(["doctor"]).only_if(major > 10),
        Deed::Audit => said(["audit", "--json"]),
        Deed::AuditSignatures => said(["audit", "signatures"]).only_if(major > 10),
        Deed::PackPublished(_) | Deed::PublishWithProvenance | Deed::Diff { .. } => Words::Unknown,
        _ if major < 11 => handed_on(deed),
        _ => own(deed, major),
    }
}

/// What pnpm 9 and 10 know to be npm's. They know neither its newer commands nor `org` and `hook`.
fn handed_on(deed: &Deed<'_>) -> Words {
    match deed {
        Deed::SetMember { .. }
        | Deed::RemoveMember { .. }
        | Deed::ListMembers(_)
        | Deed::StagePublish
        | Deed::StageList(_)
        | Deed::StageView(_)
        | Deed::StageDownload(_)
        | Deed::StageApprove { .. }
        | Deed::StageReject { .. }
        | Deed::PublishBatch
        | Deed::TrustList { .. }
        | Deed::TrustGithub { .. }
        | Deed::TrustGitlab { .. }
        | Deed::TrustCircleci { .. }
        | Deed::TrustRevoke { .. } => Words::Unknown,
        Deed::Undeprecate(spec) => said(["deprecate", spec, ""]),
        _ => npm::words(deed, NPM),
    }
}

fn own(deed: &Deed<'_>, major: u32) -> Words {
    match *deed {
        Deed::Ping => said(["ping"]),
        Deed::UnpublishPackage(package) => said(["unpublish", package, "--force"]),
        Deed::AddOwner { package, user } => said(["owner", "add", package, user]),
        Deed::RemoveOwner { package, user } => said(["owner", "rm", package, user]),
        Deed::CreateTeam(team) => said(["team", "create", &format!("@{team}")]),
        Deed::DestroyTeam(team) => said(["team", "destroy", &format!("@{team}")]),
        Deed::ListTeams(organization) => said(["team", "ls", &format!("@{organization}"), "--json"]),
        Deed::AddToTeam { team, user } => said(["team", "add", &format!("@{team}"), user]),
        Deed::RemoveFromTeam { team, user } => said(["team", "rm", &format!("@{team}"), user]),
        Deed::ListTeam(team) => said(["team", "ls", &format!("@{team}"), "--json"]),
        Deed::SetMember { .. }
        | Deed::RemoveMember { .. }
        | Deed::ListMembers(_)
        | Deed::TrustList { .. }
        | Deed::TrustGithub { .. }
        | Deed::TrustGitlab { .. }
        | Deed::TrustCircleci { .. }
        | Deed::TrustRevoke { .. } => Words::Unknown,
        Deed::ListTokens
        | Deed::CreateToken
        | Deed::RevokeToken(_)
        | Deed::GetProfile
        | Deed::SetProfile { .. }
        | Deed::EnableSecondFactor
        | Deed::DisableSecondFactor { .. }
            if major < 12 =>
        {
            Words::Unknown
        }
        Deed::CreateToken => said(["token", "create"]),
        Deed::DisableSecondFactor { code } => said(["profile", "disable-2fa", "--otp", code]),
        _ => npm::words(deed, NPM),
    }
}
