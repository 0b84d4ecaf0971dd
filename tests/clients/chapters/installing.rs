//! Dependencies between private packages, lock files, and the bytes themselves.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha512};

use crate::cast::{Cast, Stage};
use crate::package::Package;
use crate::person::Person;
use crate::project::Project;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let Cast { alice, bob, carol, .. } = stage.cast();
    let (base, top) = (alice.package("base"), bob.package("top"));
    alice.publish(&Package::new(&base, "1.0.0"), &[]).succeeds();
    alice.npm(&["owner", "add", &bob.name, &base]).succeeds();
    let dependent = Package::new(&top, "1.0.0").with_field("dependencies", json!({ &base: "^1.0.0" }));
    bob.publish(&dependent, &[]).succeeds();

    telling.step("a private package brings the private package it depends on");
    let project = bob.new_project();
    bob.install_into(&project, &top).succeeds();
    assert_eq!(project.installed_version(&base).as_deref(), Some("1.0.0"));

    telling.step("a dependency that one may not see is E404, by its own name");
    bob.npm(&["owner", "add", &carol.name, &top]).succeeds();
    carol.install(&top).fails_with("E404").saying("/base");

    telling.step("the lock file has the URL here and the hash of the bytes");
    let locked = project.locked(&base);
    assert!(locked.resolved.starts_with(&stage.server.url), "{locked:?}");
    assert_eq!(locked.integrity, integrity_of_packed(&alice, &base));
    assert_eq!(locked.integrity, alice.view(&[&base, "dist.integrity"]).succeeds().stdout.trim());

    telling.step("npm ci at a new machine installs what the lock file says");
    alice.publish(&Package::new(&base, "1.1.0"), &[]).succeeds();
    let checkout = project.checked_out_into(stage.new_folder());
    bob.at_a_new_machine().npm_in(checkout.path(), &["ci"]).succeeds();
    assert_eq!(checkout.installed_version(&base).as_deref(), Some("1.0.0"));

    telling.step("npm ci is E404 for who may not see the package");
    let checkout = project.checked_out_into(stage.new_folder());
    carol.at_a_new_machine().npm_in(checkout.path(), &["ci"]).fails_with("E404");

    let reason = stage.client.updates_direct_dependencies_only();
    if telling.step_unless(reason, "npm update brings the new version") {
        bob.npm_in(project.path(), &["update"]).succeeds();
        assert_eq!(project.installed_version(&base).as_deref(), Some("1.1.0"));
    }

    telling.step("npm outdated and npm ls read it all");
    bob.npm_in(project.path(), &["outdated"]).succeeds();
    bob.npm_in(project.path(), &["ls", "--all"]).succeeds();

    telling.step("npm pack of a private package is E404 for an outsider");
    carol.npm(&["pack", &base]).fails_with("E404");
}

/// The hash of the tarball that `npm pack` brings, as lock files spell it.
fn integrity_of_packed(person: &Person<'_>, package: &str) -> String {
    let folder: Project = person.new_project();
    let name = person.npm_in(folder.path(), &["pack", &format!("{package}@1.0.0")]).succeeds().stdout;
    let bytes = fs::read(folder.path().join(name.trim())).expect("npm pack leaves the file it names");
    format!("sha512-{}", STANDARD.encode(Sha512::digest(bytes)))
}
