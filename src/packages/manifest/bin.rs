//! `bin` and `directories.bin`: which commands a package installs.

use serde_json::Value;

use super::Object;

/// The commands of a package and the files behind them, as npm's `normalizePackageBin` leaves them.
///
/// A string becomes one command named after the package, without its scope; an array one for each file. Names lose
/// their folders, files every attempt to leave the package. What is no string or ends up empty is dropped.
pub(super) fn commands(object: &Object) -> Vec<(String, String)> {
    raw(object).into_iter().filter_map(|(name, file)| Some((command(&name)?, inside(&file)?))).collect()
}

/// The commands as written, in no form but pairs.
fn raw(object: &Object) -> Vec<(String, String)> {
    match object.get("bin") {
        Some(Value::String(file)) => {
            let name = object.get("name").and_then(Value::as_str).unwrap_or_default();
            vec![(name.trim().to_owned(), file.clone())]
        }
        Some(Value::Array(files)) => {
            let files = files.iter().filter_map(Value::as_str);
            files.map(|file| (file.to_owned(), file.to_owned())).collect()
        }
        Some(Value::Object(members)) => {
            let pair = |(name, file): (&String, &Value)| Some((name.clone(), file.as_str()?.to_owned()));
            members.iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    }
}

/// The commands that yarn 1 drops instead of mending: with a path in the name, or a file outside of the package.
pub(super) fn doubtful(object: &Object) -> Vec<String> {
    let is_doubtful = |name: &str, file: &str| {
        command(name).as_deref() != Some(name) || file.starts_with('/') || file.split('/').any(|part| part == "..")
    };
    raw(object)
        .into_iter()
        .filter(|(name, file)| is_doubtful(name, file))
        .filter_map(|(name, _)| command(&name))
        .collect()
}

/// The folder of `directories.bin`, if there is one.
pub(super) fn folder(object: &Object) -> Option<String> {
    inside(object.get("directories")?.get("bin")?.as_str()?)
}

/// Whether a command may come from expanding `directories.bin`: npm, bun and yarn 1 name each file below that folder
/// (and some each subfolder) after itself.
pub(super) fn is_expanded(folder: &str, name: &str, file: &str) -> bool {
    let below = file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    below.is_some_and(|path| path.rsplit('/').next() == Some(name))
}

fn command(name: &str) -> Option<String> {
    let path = inside(name)?;
    path.rsplit('/').next().map(str::to_owned)
}

/// A path resolved as if the package were the root of everything; `None` for the package itself.
fn inside(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split(['/', '\\', ':']) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    (!segments.is_empty()).then(|| segments.join("/"))
}
