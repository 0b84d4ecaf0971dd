//! Made public, and private again.

use crate::cast::{Cast, Stage};
use crate::families::Deed;
use crate::package::Package;
use crate::project::Project;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let cast = stage.cast();
    let name = cast.alice.package("one");
    open(stage, &cast, &name, telling);
    close(stage, &cast, &name, telling);
    publish_public(stage, &cast, telling);
}

fn open(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, carol, nobody, .. } = cast;
    telling.step("access public shows it to everybody at once");
    alice.publish(&Package::new(name, "1.0.0"), &[]).succeeds();
    carol.install(name).fails_with("E404");
    nobody.install(name).fails_with("E404");
    alice.does(&Deed::SetPublic(name)).succeeds();
    carol.install(name).succeeds();
    nobody.install(name).succeeds();

    if telling.step_unless(stage.client.lacks_get_status(), "access get status says public") {
        carol.npm(&["access", "get", "status", name]).succeeds().saying("public");
    }

    telling.step("an outsider publishes nothing to a public package: E403");
    carol.publish(&Package::new(name, "1.0.1"), &[]).fails_with("E403");

    telling.step("owner add works on a public package for someone without a plan");
    let frank = stage.unpaid("frank");
    alice.npm(&["owner", "add", &frank.name, name]).succeeds();
    frank.publish(&Package::new(name, "1.0.2"), &[]).succeeds();
    alice.npm(&["owner", "rm", &frank.name, name]).succeeds();
    frank.publish(&Package::new(name, "1.0.3"), &[]).fails_with("E403");
}

fn close(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, carol, nobody, .. } = cast;
    let project = nobody.new_project();
    nobody.install_into(&project, name).succeeds();

    telling.step("access restricted hides it at the next request, whatever is cached");
    alice.does(&Deed::SetRestricted(name)).succeeds();
    carol.view(&[name]).fails_with("E404");
    carol.install(name).fails_with("E404");
    nobody.view(&[name]).fails_with("E404");
    nobody.install(name).fails_with("E404");

    telling.step("a lock file from the public days fetches no tarball any more");
    let checkout = |project: &Project| project.checked_out_into(stage.new_folder());
    let machine = nobody.at_a_new_machine();
    machine.npm_in(checkout(&project).path(), &["ci"]).fails_with("E404");
    let machine = carol.at_a_new_machine();
    machine.npm_in(checkout(&project).path(), &["ci"]).fails_with("E404");
    let machine = alice.at_a_new_machine();
    machine.npm_in(checkout(&project).path(), &["ci"]).succeeds();
}

fn publish_public(stage: &Stage<'_>, cast: &Cast<'_>, telling: &mut Telling) {
    let Cast { alice, nobody, .. } = cast;
    telling.step("a first publish with --access=public is public");
    let name = alice.package("open");
    alice.publish(&Package::new(&name, "1.0.0"), &["--access=public"]).succeeds();
    nobody.install(&name).succeeds();

    telling.step("a first publish with publishConfig.access public is public");
    let name = alice.package("configured");
    let package = Package::new(&name, "1.0.0").with_field("publishConfig", serde_json::json!({ "access": "public" }));
    alice.publish(&package, &[]).succeeds();
    nobody.install(&name).succeeds();

    telling.step("the owner's later publish with --access=restricted hides it");
    alice.publish(&Package::new(&name, "1.1.0"), &["--access=restricted"]).succeeds();
    stage.stranger("somebody").install(&name).fails_with("E404");
}
