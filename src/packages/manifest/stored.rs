//! The texts a registry keeps of a manifest.

use serde_json::{Map, Value};

use super::{Object, bin, fields};
use crate::packages::archive::ArchiveSummary;

/// One version's entry in the two forms of a packument, without `dist`, which the registry writes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Everything the publisher sent that is theirs to say, in their order.
    pub full: String,
    /// The fields an installing client reads.
    pub abbreviated: String,
    /// Whether installing runs a script of the package; computed from the tarball.
    pub has_install_script: bool,
}

/// Members that are the registry's to say, or that no client should see again.
const DROPPED: [&str; 11] = [
    "dist",
    "hasInstallScript",
    "integrity",
    "maintainers",
    "packageExtensions",
    "patchedDependencies",
    "readme",
    "shasum",
    "signatures",
    "time",
    "users",
];

/// Members with a leading underscore that publishers do say; all others of that kind are private to some client.
const KEPT_PRIVATE: [&str; 2] = ["_nodeVersion", "_npmVersion"];

const ABBREVIATED: [&str; 19] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bin",
    "directories",
    "engines",
    "os",
    "cpu",
    "libc",
    "funding",
    "_hasShrinkwrap",
    "hasInstallScript",
    "acceptDependencies",
];

/// Builds what is stored of a manifest that has passed [`compare`](super::compare).
///
/// Drops what the registry says itself (`dist`, `maintainers`, `_npmUser`, …) and the README, brings `bin`,
/// `bundleDependencies`, dependencies and scripts into the one shape every client understands, and adds `_id`,
/// `_hasShrinkwrap` and, if so, `hasInstallScript`. Commands and bundles are the tarball's, since some clients leave
/// odd ones out of the manifest.
pub fn stored(manifest: &Object, package_json: &Object, archive: &ArchiveSummary) -> StoredManifest {
    let has_install_script = has_install_script(package_json, archive);
    let mut full: Object =
        manifest.iter().filter(|(name, _)| is_kept(name)).filter_map(|(name, value)| normalised(name, value)).collect();
    set(&mut full, "bin", commands(manifest, package_json));
    set(&mut full, "bundleDependencies", bundle(package_json));
    if fields::dependencies(package_json.get("devDependencies")).is_empty() {
        full.shift_remove("devDependencies");
    }
    set(&mut full, "_id", Some(id(manifest).into()));
    set(&mut full, "_hasShrinkwrap", Some(archive.has_shrinkwrap.into()));
    if has_install_script {
        set(&mut full, "hasInstallScript", Some(true.into()));
    }
    StoredManifest {
        abbreviated: Value::Object(abbreviated(&full)).to_string(),
        full: Value::Object(full).to_string(),
        has_install_script,
    }
}

/// Sets a member where it stands, or last; `None` takes it out.
fn set(full: &mut Object, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(full.insert(name.to_owned(), value)),
        None => drop(full.shift_remove(name)),
    }
}

fn id(manifest: &Object) -> String {
    let text = |name| manifest.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}@{}", text("name"), text("version"))
}

/// The tarball's commands; without any, those that the client has made from `directories.bin`.
fn commands(manifest: &Object, package_json: &Object) -> Option<Value> {
    let mut commands = bin::commands(package_json);
    if commands.is_empty() {
        commands = bin::commands(manifest);
    }
    let members = commands.into_iter().map(|(name, file)| (name, file.into()));
    not_empty(members.collect())
}

fn bundle(package_json: &Object) -> Option<Value> {
    let names = fields::bundled(package_json);
    (!names.is_empty()).then(|| names.into())
}

/// Whether npm would run something: a script, or `node-gyp` for a `binding.gyp` that no script takes care of.
fn has_install_script(package_json: &Object, archive: &ArchiveSummary) -> bool {
    let scripts = fields::scripts(package_json.get("scripts"));
    let mut names = ["preinstall", "install", "postinstall"].into_iter();
    archive.has_root_binding_gyp || names.any(|name| scripts.contains_key(name))
}

fn is_kept(name: &str) -> bool {
    let is_private = name.starts_with('_') && !KEPT_PRIVATE.contains(&name);
    !is_private && !DROPPED.contains(&name)
}

/// A member in its stored shape; `None` if it says nothing.
fn normalised(name: &str, value: &Value) -> Option<(String, Value)> {
    let value = match name {
        // Only the place counts here: the value is set afterwards.
        "bundledDependencies" => return Some(("bundleDependencies".to_owned(), Value::Null)),
        "dependencies" | "devDependencies" | "optionalDependencies" | "peerDependencies" | "acceptDependencies" => {
            not_empty(fields::specifiers(Some(value)))
        }
        "scripts" => value.as_object().map(|_| fields::specifiers(Some(value)).into()),
        "peerDependenciesMeta" => fields::object(Some(value)).cloned(),
        // An empty message is how clients take a deprecation back.
        "deprecated" => value.as_str().filter(|message| !message.is_empty()).map(Value::from),
        _ => Some(value.clone()),
    };
    value.map(|value| (name.to_owned(), value))
}

fn not_empty(members: Map<String, Value>) -> Option<Value> {
    (!members.is_empty()).then(|| members.into())
}

fn abbreviated(full: &Object) -> Object {
    let members = full.iter().filter(|(name, _)| ABBREVIATED.contains(&name.as_str()));
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}
