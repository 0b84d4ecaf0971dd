//! vlt.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::{Deed, Home, Words, said};

/// Writes its configuration. It takes tokens from a keychain or its environment, so the token waits in a file of ours.
///
/// The scopes are told too: without them, 1.0.0-rc.23 asks npm's own registry for what its lock file says.
pub(super) fn configure(home: &Home<'_>, token: Option<&str>) {
    let registry = &home.server.url;
    let scopes: BTreeMap<_, _> = home.scopes.iter().map(|scope| (format!("@{scope}"), registry)).collect();
    let config =
        json!({ "config": { "registry": registry, "registries": { "here": registry }, "scope-registries": scopes } });
    let folder = home.folder.join(".config/vlt");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("vlt.json"), config.to_string()).expect("a configuration");
    fs::write(home.folder.join("token"), token.unwrap_or_default()).expect("a token");
}

pub(super) fn environment(home: &Home<'_>) -> Vec<(&'static str, String)> {
    let token = fs::read_to_string(home.folder.join("token")).unwrap_or_default();
    vec![("VLT_REGISTRY", home.server.url.clone()), ("VLT_TOKEN", token), ("NODE_NO_WARNINGS", "1".to_owned())]
}

pub(super) fn words(deed: &Deed<'_>) -> Words {
    match *deed {
        Deed::WhoAmI => said(["whoami"]),
        Deed::Ping => said(["ping", "here"]),
        Deed::Publish { access, tag } => said(["publish"]).with("--access", access).with("--tag", tag),
        Deed::PublishWithCode(code) => said(["publish"]).with("--otp", Some(code)),
        Deed::PublishAndBeAsked => Words::Skipped("it goes to a page wherever there is one"),
        Deed::PublishAndBeSentToAPage => said(["publish"]),
        Deed::Add(spec) => said(["install", spec]),
        Deed::InstallFrozen => said(["ci"]),
        Deed::Update => Words::Skipped("vlt 1.0.0-rc.23 updates from its cache without asking the registry"),
        Deed::View { package, field } => said(["view", package, field]),
        Deed::Run { package, program } => said(["exec", "--yes", &format!("--package={package}"), program]),
        Deed::LogOut => Words::Skipped("vlt ends only tokens that it got by a web login, and is seen to there"),
        _ => Words::Unknown,
    }
}
