//! yarn 4.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Deed, Home, Words, said};

/// Writes the `.yarnrc.yml`: plain HTTP must be allowed by name, and its rule against young packages be lifted.
pub(super) fn configure(home: &Home<'_>, token: Option<&str>) {
    let registry = home.server.url.trim_end_matches('/');
    let mut text = format!("npmRegistryServer: \"{registry}\"\n");
    text += "unsafeHttpWhitelist: [\"127.0.0.1\"]\nenableTelemetry: false\nnodeLinker: node-modules\n";
    text += "npmAlwaysAuth: true\nnpmMinimalAgeGate: 0\n";
    if let Some(token) = token {
        let _ = writeln!(text, "npmRegistries:\n  \"{registry}\":\n    npmAuthToken: \"{token}\"");
    }
    fs::write(home.folder.join(".yarnrc.yml"), text).expect("a yarnrc");
}

/// A lock file that knows the package of the folder: without it, yarn wants an install first.
pub(super) fn settle(folder: &Path, package: Option<&str>) {
    let mut text = "__metadata:\n  version: 10\n".to_owned();
    if let Some(name) = package {
        let _ = write!(
            text,
            "\n\"{name}@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"{name}@workspace:.\"\n  \
             languageName: unknown\n  linkType: soft\n"
        );
    }
    fs::write(folder.join("yarn.lock"), text).expect("a lock file");
}

pub(super) fn words(deed: &Deed<'_>) -> Words {
    match *deed {
        Deed::WhoAmI => said(["npm", "whoami"]),
        Deed::LogOut => said(["npm", "logout"]),
        Deed::Publish { access, tag } => {
            let access = access.map(|access| ["--access", access]);
            let tag = tag.map(|tag| ["--tag", tag]);
            let flags = [access, tag].into_iter().flatten().flatten();
            Words::Said(["npm", "publish"].into_iter().chain(flags).map(str::to_owned).collect())
        }
        Deed::Add(spec) => said(["add", spec]),
        Deed::InstallFrozen => said(["install", "--immutable"]),
        Deed::Update => said(["up", "*"]),
        Deed::View { package, field } => said(["npm", "info", package, "--fields", field, "--json"]),
        Deed::Run { package, program } => said(["dlx", "--package", package, program]),
        Deed::ListTags(package) => said(["npm", "tag", "list", package]),
        Deed::AddTag { package, version, tag } => said(["npm", "tag", "add", &format!("{package}@{version}"), tag]),
        Deed::RemoveTag { package, tag } => said(["npm", "tag", "remove", package, tag]),
        Deed::Audit => said(["npm", "audit", "--json"]),
        Deed::StagePublish => said(["npm", "publish", "--staged"]),
        Deed::PublishWithCode(code) => said(["npm", "publish", "--otp", code]),
        Deed::PublishAndBeAsked => said(["npm", "publish"]),
        Deed::StageApprove { id, code } => said(["npm", "stage", "approve", "--otp", code, id]),
        Deed::StageReject { id, code } => said(["npm", "stage", "reject", "--otp", code, id]),
        Deed::StageList(package) => said(["npm", "stage", "list", package, "--json"]),
        _ => Words::Unknown,
    }
}
