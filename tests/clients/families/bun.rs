//! bun.

use super::{Deed, Words, said};

pub(super) fn words(deed: &Deed<'_>) -> Words {
    match *deed {
        Deed::WhoAmI => said(["pm", "whoami"]),
        Deed::Publish { access, tag } => said(["publish"]).with("--access", access).with("--tag", tag),
        Deed::PublishWithCode(code) => said(["publish"]).with("--otp", Some(code)),
        Deed::PublishAndBeAsked => Words::Skipped("it goes to a page wherever there is one"),
        Deed::PublishAndBeSentToAPage => said(["publish"]),
        Deed::Add(spec) => said(["add", spec]),
        Deed::InstallFrozen => said(["install", "--frozen-lockfile"]),
        Deed::Update => said(["update"]),
        Deed::Outdated => said(["outdated"]),
        Deed::View { package, field } => said(["info", package, field, "--json"]),
        Deed::Run { package, program } => said(["x", "--package", package, program]),
        Deed::Diff { package, old, new } => {
            said(["pm", "diff", &format!("{package}@{old}"), &format!("{package}@{new}")])
        }
        Deed::Audit => said(["audit", "--json"]),
        _ => Words::Unknown,
    }
}
