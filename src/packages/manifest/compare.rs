//! Whether a manifest says what the tarball's `package.json` says.
//!
//! Clients read the manifest to resolve and the file to run, so a manifest that differs shows reviewers and scanners
//! another package than the one installed ("manifest confusion"). Honest manifests differ too, by what each client
//! rewrites on publishing; those rewritings are undone on both sides, and everything else counts.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::fields::{self, Texts};
use super::{Difference, Object, bin};

/// What npm and yarn 1 add for native addons. Also when `binding.gyp` is not in the tarball, since they look for it
/// in the folder that is packed.
const GYP_INSTALL: &str = "node-gyp rebuild";

/// What npm and yarn 1 add when there is a `server.js`.
const SERVER_START: &str = "node server.js";

/// Tells every field clients act on in which the two disagree, beyond what clients rewrite.
///
/// The fields: `name`, `version`, all kinds of dependencies and what belongs to them, `scripts`, `bin`,
/// `directories.bin`, `engines`, `os`, `cpu`, `libc`.
pub fn compare(manifest: &Object, package_json: &Object) -> Vec<Difference> {
    let mut report = Report::default();
    let name = |object: &Object| object.get("name").and_then(Value::as_str).map(|name| name.trim().to_owned());
    report.value("name", name(manifest), name(package_json));
    let version = |object: &Object| fields::version(object.get("version"));
    report.value("version", version(manifest), version(package_json));
    compare_dependencies(&mut report, manifest, package_json);
    compare_bundled(&mut report, manifest, package_json);
    compare_scripts(&mut report, manifest, package_json);
    compare_commands(&mut report, manifest, package_json);
    compare_engines(&mut report, manifest, package_json);
    report.0
}

#[derive(Default)]
struct Report(Vec<Difference>);

impl Report {
    fn value<T: Serialize + PartialEq>(&mut self, field: &str, manifest: Option<T>, tarball: Option<T>) {
        if manifest != tarball {
            let text = |value: Option<T>| serde_json::to_string(&value?).ok();
            self.0.push(Difference { field: field.to_owned(), in_manifest: text(manifest), in_tarball: text(tarball) });
        }
    }

    fn members(&mut self, field: &str, manifest: &Texts, tarball: &Texts) {
        let names: BTreeSet<&String> = manifest.keys().chain(tarball.keys()).collect();
        for name in names {
            self.value(&format!("{field}.{name}"), manifest.get(name), tarball.get(name));
        }
    }

    fn list(&mut self, field: &str, manifest: &[String], tarball: &[String]) {
        let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        self.value(field, some(manifest), some(tarball));
    }
}

fn compare_dependencies(report: &mut Report, manifest: &Object, package_json: &Object) {
    let of = |object: &Object, kind: &str| fields::dependencies(object.get(kind));
    let (mine, theirs) = plain_dependencies(manifest, package_json);
    report.members("dependencies", &mine, &theirs);
    for kind in ["optionalDependencies", "peerDependencies", "acceptDependencies"] {
        report.members(kind, &of(manifest, kind), &of(package_json, kind));
    }
    let development = of(package_json, "devDependencies");
    // Tools that tidy package.json while packing take the whole field out; nobody installs it from a registry.
    if !development.is_empty() {
        report.members("devDependencies", &of(manifest, "devDependencies"), &development);
    }
    let meta = |object| fields::object(Object::get(object, "peerDependenciesMeta"));
    report.value("peerDependenciesMeta", meta(manifest), meta(package_json));
}

/// `dependencies` of both, without what clients move between it and other fields.
fn plain_dependencies(manifest: &Object, package_json: &Object) -> (Texts, Texts) {
    let mut mine = fields::dependencies(manifest.get("dependencies"));
    let mut theirs = fields::dependencies(package_json.get("dependencies"));
    // npm adds a bundled name that is not among the dependencies, in any version.
    for name in fields::bundled(package_json) {
        if mine.get(&name).is_some_and(|range| range == "*") {
            theirs.entry(name).or_insert_with(|| "*".to_owned());
        }
    }
    // npm up to 6 copies optional dependencies to the others, yarn 1 takes them out there.
    for (name, range) in fields::dependencies(package_json.get("optionalDependencies")) {
        let is_moved = mine.get(&name).is_none_or(|mine| *mine == range || theirs.get(&name) == Some(mine));
        if is_moved {
            mine.remove(&name);
            theirs.remove(&name);
        }
    }
    (mine, theirs)
}

fn compare_bundled(report: &mut Report, manifest: &Object, package_json: &Object) {
    let sorted = |object| {
        let mut names = fields::bundled(object);
        names.sort();
        names.dedup();
        names
    };
    // npm up to 6 keeps only arrays.
    let is_array = matches!(fields::bundle_value(package_json), Some(Value::Array(_)));
    let (mine, theirs) = (sorted(manifest), sorted(package_json));
    if is_array || !mine.is_empty() {
        report.list("bundleDependencies", &mine, &theirs);
    }
}

fn compare_scripts(report: &mut Report, manifest: &Object, package_json: &Object) {
    let mut mine = fields::scripts(manifest.get("scripts"));
    let theirs = fields::scripts(package_json.get("scripts"));
    for (name, command) in [("install", GYP_INSTALL), ("start", SERVER_START)] {
        if !theirs.contains_key(name) && mine.get(name).is_some_and(|script| script == command) {
            mine.remove(name);
        }
    }
    report.members("scripts", &mine, &theirs);
}

fn compare_commands(report: &mut Report, manifest: &Object, package_json: &Object) {
    let mut mine: Texts = bin::commands(manifest).into_iter().collect();
    let mut theirs: Texts = bin::commands(package_json).into_iter().collect();
    let (my_folder, folder) = (bin::folder(manifest), bin::folder(package_json));
    if theirs.is_empty()
        && let Some(folder) = &folder
    {
        let is_all_expanded = !mine.is_empty();
        mine.retain(|name, file| !bin::is_expanded(folder, name, file));
        // yarn 1 takes the folder out of the manifest when it has named the files.
        if my_folder.is_some() || !is_all_expanded {
            report.value("directories.bin", my_folder.as_ref(), Some(folder));
        }
    } else {
        report.value("directories.bin", my_folder.as_ref(), folder.as_ref());
    }
    for name in bin::doubtful(package_json) {
        if !mine.contains_key(&name) {
            theirs.remove(&name);
        }
    }
    report.members("bin", &mine, &theirs);
}

fn compare_engines(report: &mut Report, manifest: &Object, package_json: &Object) {
    let engines = |object: &Object| fields::engines(object.get("engines"));
    report.members("engines", &engines(manifest), &engines(package_json));
    for field in ["os", "cpu", "libc"] {
        let platforms = |object: &Object| fields::platforms(object.get(field));
        report.list(field, &platforms(manifest), &platforms(package_json));
    }
}
