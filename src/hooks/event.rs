//! What a delivery says, in the shape of npm's.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::Time;

/// npm's word for a line of the audit log.
pub(super) fn name(action: &str, detail: &Value) -> &'static str {
    match action {
        "package.publish" => "package:publish",
        "package.unpublish" | "package.delete" => "package:unpublish",
        "package.deprecate" if detail["message"].as_str().is_none_or(str::is_empty) => "package:undeprecated",
        "package.deprecate" => "package:deprecated",
        "package.tag" if only_removes(&detail["tags"]) => "package:dist-tag-rm",
        "package.tag" => "package:dist-tag",
        "package.star" if detail["starred"] == false => "package:unstar",
        "package.star" => "package:star",
        "access.grant" => "package:owner",
        "access.revoke" | "access.expire" => "package:owner-rm",
        _ => "package:change",
    }
}

/// What everybody who may read the package is told of a change. Which teams there are, only members of the organization
/// know.
pub(super) fn change(detail: &Value) -> Value {
    let mut change = detail.clone();
    if let Some(members) = change.as_object_mut() {
        members.remove("team");
        members.remove("ended");
    }
    change
}

/// Whether no tag was set: those that were removed point nowhere.
fn only_removes(tags: &Value) -> bool {
    tags.as_object().is_some_and(|tags| tags.values().all(Value::is_null))
}

/// The body of a delivery.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    pub(super) event: &'static str,
    pub(super) name: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    /// The version of this shape, as npm has it.
    pub(super) version: &'static str,
    pub(super) hook_owner: Owner<'a>,
    /// The packument as the hook's owner may read it, where it is not too large.
    pub(super) payload: Option<&'a RawValue>,
    pub(super) change: &'a Value,
    /// Milliseconds since 1970.
    pub(super) time: i64,
}

#[derive(Serialize)]
pub(super) struct Owner<'a> {
    pub(super) username: &'a str,
}

impl<'a> Body<'a> {
    pub(super) fn new(event: &'static str, package: &'a str, owner: &'a str, change: &'a Value, at: Time) -> Self {
        Self {
            event,
            name: package,
            kind: "package",
            version: "1.0.0",
            hook_owner: Owner { username: owner },
            payload: None,
            change,
            time: at.timestamp_millis(),
        }
    }
}
