//! What a publish takes, keeps and refuses.

use std::path::Path;

use serde_json::{Value, json};

use crate::cast::Stage;
use crate::client::Client;
use crate::package::Package;
use crate::person::Person;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let alice = stage.paid("alice");
    let name = alice.package("one");
    refuse_what_cannot_be(&alice, &name, stage.client, telling);
    tag(&alice, telling);
    keep_what_is_in_it(&alice, telling);
}

fn refuse_what_cannot_be(alice: &Person<'_>, name: &str, client: &Client, telling: &mut Telling) {
    let refusal = client.refusal_to_publish_over();
    telling.step("publish over an existing version is refused in npm's known words");
    alice.publish(&Package::new(name, "1.0.0"), &[]).succeeds();
    let changed = Package::new(name, "1.0.0").with_file("changed.js", "1");
    alice.publish(&changed, &[]).fails().saying(refusal);

    telling.step("the server refuses it too, where npm is forced to ask");
    alice.publish(&changed, &["--force"]).fails().saying(refusal);
    if client.unpublishes_to_force() {
        alice.ask("GET", &format!("/{name}"), None).expect(404);
        alice.ask("POST", &format!("/-/strongroom/v1/package/{name}/restore"), Some(&json!({}))).expect(200);
    }
    let project = alice.new_project();
    alice.install_into(&project, name).succeeds();
    assert!(!project.installed(name, "changed.js").exists());

    telling.step("an unscoped publish is refused with a sentence");
    let unscoped = alice.publish(&Package::new(&alice.name, "1.0.0"), &[]);
    unscoped.fails().saying("This registry hosts scoped packages only");
}

fn tag(alice: &Person<'_>, telling: &mut Telling) {
    telling.step("publish --tag beta leaves latest alone");
    let name = alice.package("tagged");
    alice.publish(&Package::new(&name, "1.0.0"), &[]).succeeds();
    alice.publish(&Package::new(&name, "1.1.0"), &["--tag", "beta"]).succeeds();
    assert_eq!(field(alice, &name, "dist-tags"), json!({ "latest": "1.0.0", "beta": "1.1.0" }));
    assert_eq!(version_from(alice, &name, &name), "1.0.0");
    assert_eq!(version_from(alice, &name, &format!("{name}@beta")), "1.1.0");

    telling.step("a prerelease is installed by its tag or number only");
    alice.publish(&Package::new(&name, "2.0.0-rc.1"), &["--tag", "next"]).succeeds();
    assert_eq!(version_from(alice, &name, &name), "1.0.0");
    assert_eq!(version_from(alice, &name, &format!("{name}@next")), "2.0.0-rc.1");
    assert_eq!(version_from(alice, &name, &format!("{name}@2.0.0-rc.1")), "2.0.0-rc.1");
    assert_eq!(version_from(alice, &name, &format!("{name}@^1.0.0")), "1.0.0");
}

fn keep_what_is_in_it(alice: &Person<'_>, telling: &mut Telling) {
    let name = alice.package("rich");
    let long = long_path();
    let package = Package::new(&name, "1.0.0")
        .with_field("description", json!("says it in a sentence"))
        .with_field("keywords", json!(["safe", "door"]))
        .with_field("bin", json!({ "open-sesame": "cli.js" }))
        .with_file("cli.js", "#!/usr/bin/env node\nconsole.log('open');\n")
        .with_file("README.md", "# A rich package\n\nWith — more than — ASCII.\n")
        .with_file(&long, "module.exports = 'far away';\n");
    alice.publish(&package, &[]).succeeds();
    let project = alice.new_project();
    alice.install_into(&project, &name).succeeds();

    telling.step("a bin is linked, and runs");
    let bin = project.path().join("node_modules/.bin/open-sesame");
    assert_eq!(printed_by(&bin), "open\n");

    telling.step("a path of more than a hundred characters survives");
    assert!(project.installed(&name, &long).is_file());

    telling.step("view shows description, keywords and README");
    assert_eq!(field(alice, &name, "description"), json!("says it in a sentence"));
    assert_eq!(field(alice, &name, "keywords"), json!(["safe", "door"]));
    alice.view(&[&name, "readme"]).succeeds().saying("With — more than — ASCII.");

    telling.step("view shows maintainers and times");
    alice.view(&[&name, "maintainers"]).succeeds().saying(&alice.name);
    alice.view(&[&name, "time"]).succeeds().saying("1.0.0");
}

/// Too long for the name field of a tar header, so npm packs it with an extension.
fn long_path() -> String {
    format!("lib/{}/{}.js", "deeply-nested-folder/".repeat(6), "module-with-a-long-name-".repeat(5))
}

fn printed_by(program: &Path) -> String {
    let output = std::process::Command::new(program).output().expect("the linked program runs");
    String::from_utf8(output.stdout).expect("text")
}

/// A field as `npm view` prints it; npm 12 prints what it finds in a list of one.
fn field(person: &Person<'_>, package: &str, field: &str) -> Value {
    let outcome = person.view(&[package, field, "--json"]).succeeds();
    let value = serde_json::from_str(&outcome.stdout).expect("npm view --json prints JSON");
    match value {
        Value::Array(mut found) if found.len() == 1 => found.remove(0),
        value => value,
    }
}

/// The version that an install of `what` brings into an empty project.
fn version_from(person: &Person<'_>, package: &str, what: &str) -> String {
    let project = person.new_project();
    person.install_into(&project, what).succeeds();
    project.installed_version(package).expect("it is installed")
}
