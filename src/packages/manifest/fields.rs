//! Canonical forms of the fields that clients act on: what is left when every client's rewriting is undone.
//!
//! None of these fail. What a client would drop is dropped here; what it would convert is converted.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Object, hosted};

/// Names to texts, in an order that does not matter.
pub(super) type Texts = BTreeMap<String, String>;

/// Members that are strings; nothing if the value is no object.
pub(super) fn texts(value: Option<&Value>) -> Texts {
    entries(value).into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn entries(value: Option<&Value>) -> Vec<(&str, &str)> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

/// The `version`, as `semver.clean` leaves it: trimmed, without `v` and `=`, without build metadata.
pub(super) fn version(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.trim();
    let bare = text.trim_start_matches(['v', '=']).trim_start();
    let (precedence, _) = bare.split_once('+').unwrap_or((bare, ""));
    Some(precedence.to_owned())
}

/// One kind of dependencies as an object, specifiers as written. npm also reads a string and an array:
/// `"a@1, b"`, `["a@1", "b"]`.
pub(super) fn specifiers(value: Option<&Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(_)) => {
            entries(value).into_iter().map(|(name, specifier)| (name.to_owned(), specifier.into())).collect()
        }
        Some(Value::String(text)) => {
            text.split([' ', '\t', '\r', '\n', ',']).filter(|item| !item.is_empty()).map(specifier).collect()
        }
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(specifier).collect(),
        _ => Map::new(),
    }
}

/// `name@range`, `name >=range` or `name`.
fn specifier(item: &str) -> (String, Value) {
    let item = item.trim();
    let end = item.find(['@', ' ', '\t', '>', '<', '=']).unwrap_or(item.len());
    let (name, range) = item.split_at(end);
    let range = range.strip_prefix('@').unwrap_or(range).trim();
    (name.to_owned(), range.into())
}

/// The same with one spelling for each repository.
pub(super) fn dependencies(value: Option<&Value>) -> Texts {
    texts(Some(&Value::Object(specifiers(value))))
        .into_iter()
        .map(|(name, specifier)| (name, hosted::canonical(&specifier).into_owned()))
        .collect()
}

/// The names of `bundleDependencies`, however it is spelled, in their order.
pub(super) fn bundled(object: &Object) -> Vec<String> {
    let mut names: Vec<String> = match bundle_value(object) {
        Some(Value::Bool(true)) => names(&specifiers(object.get("dependencies"))),
        Some(Value::Object(members)) => names(members),
        Some(Value::Array(items)) => strings(items).collect(),
        _ => Vec::new(),
    };
    names.retain(|name| !name.is_empty());
    names
}

/// The value behind [`bundled`].
pub(super) fn bundle_value(object: &Object) -> Option<&Value> {
    object.get("bundleDependencies").or_else(|| object.get("bundledDependencies"))
}

fn names(members: &Map<String, Value>) -> Vec<String> {
    members.keys().cloned().collect()
}

fn strings(items: &[Value]) -> impl Iterator<Item = String> {
    items.iter().filter_map(Value::as_str).map(str::to_owned)
}

/// The scripts, without the path that npm takes off a command from `node_modules/.bin`.
pub(super) fn scripts(value: Option<&Value>) -> Texts {
    let mut scripts = texts(value);
    for command in scripts.values_mut() {
        *command = without_bin_path(command).to_owned();
    }
    scripts
}

fn without_bin_path(command: &str) -> &str {
    let relative = command.strip_prefix("./").or_else(|| command.strip_prefix(".\\"));
    let is_slash = |c: char| matches!(c, '/' | '\\');
    relative
        .unwrap_or(command)
        .strip_prefix("node_modules")
        .and_then(|rest| rest.strip_prefix(is_slash))
        // npm's expression has an unescaped dot there, which no honest script can tell apart.
        .and_then(|rest| rest.strip_prefix(".bin"))
        .and_then(|rest| rest.strip_prefix(is_slash))
        .unwrap_or(command)
}

/// `engines` as names to ranges; yarn 1 turns `["node >=4"]` into that.
pub(super) fn engines(value: Option<&Value>) -> Texts {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(engine).collect(),
        Some(Value::String(item)) => [engine(item)].into(),
        _ => texts(value),
    }
}

fn engine(item: &str) -> (String, String) {
    let item = item.trim();
    let end = item.find(['<', '>', '=', '~', '^', ' ']).unwrap_or(item.len());
    let (name, range) = item.split_at(end);
    (name.to_owned(), range.trim().to_owned())
}

/// `os`, `cpu` or `libc` as a sorted list; a string is a list of one.
pub(super) fn platforms(value: Option<&Value>) -> Vec<String> {
    let mut platforms: Vec<String> = match value {
        Some(Value::Array(items)) => strings(items).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    platforms.sort();
    platforms.dedup();
    platforms
}

/// A field that is an object or means nothing; member order does not count.
pub(super) fn object(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| value.as_object().is_some_and(|members| !members.is_empty()))
}
