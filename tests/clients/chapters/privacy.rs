//! Private by default, shared by name.

use serde_json::{Value, json};

use crate::cast::{Cast, Stage};
use crate::client::Client;
use crate::families::Deed;
use crate::package::Package;
use crate::person::Person;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let cast = stage.cast();
    let name = cast.alice.package("one");
    publish_and_see_nothing_from_outside(&cast, &name, telling);
    let_bob_in(&cast, &name, telling);
    list(stage.client, &cast, &name, telling);
    refuse_what_bob_may_not(stage, &cast, &name, telling);
    let_bob_out(&cast, &name, telling);
}

fn publish_and_see_nothing_from_outside(cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, carol, nobody, .. } = cast;
    telling.step("publish without a word about access");
    alice.publish(&Package::new(name, "1.0.0"), &[]).succeeds();

    telling.step("its owner views and installs it");
    alice.view(&[name]).succeeds();
    alice.install(name).succeeds();

    telling.step("an outsider's view and install are E404");
    carol.view(&[name]).fails_with("E404");
    carol.install(name).fails_with("E404");

    telling.step("anonymous view and install are E404");
    nobody.view(&[name]).fails_with("E404");
    nobody.install(name).fails_with("E404");

    telling.step("hidden and missing packages read the same");
    let missing = alice.package("two");
    let hidden = without_names(&carol.view(&[name]).stderr, "one");
    assert_eq!(hidden, without_names(&carol.view(&[&missing]).stderr, "two"));

    telling.step("an outsider publishes nothing into the scope");
    carol.publish(&Package::new(name, "1.0.1"), &[]).fails_with("E404");
    carol.publish(&Package::new(&missing, "1.0.0"), &[]).fails_with("E404");
}

/// What npm printed, but for the name and the log file, whose path holds the time.
fn without_names(text: &str, name: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("_logs"));
    lines.map(|line| line.replace(&format!("/{name}"), "/…").replace(&format!("%2f{name}"), "%2f…") + "\n").collect()
}

fn let_bob_in(cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, .. } = cast;
    telling.step("owner add lets Bob in");
    bob.view(&[name]).fails_with("E404");
    alice.npm(&["owner", "add", &bob.name, name]).succeeds();

    telling.step("Bob installs, at a new machine too");
    bob.install(name).succeeds();
    bob.at_a_new_machine().install(name).succeeds();

    telling.step("Bob publishes 1.1.0, and everybody let in has it at once");
    bob.publish(&Package::new(name, "1.1.0"), &[]).succeeds();
    let project = alice.new_project();
    alice.install_into(&project, name).succeeds();
    assert_eq!(project.installed_version(name).as_deref(), Some("1.1.0"));

    telling.step("owner ls names both");
    bob.npm(&["owner", "ls", name]).succeeds().saying(&alice.name).saying(&bob.name);
}

fn list(client: &Client, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, carol, .. } = cast;
    telling.step("access list collaborators");
    let both = json!({ &alice.name: "read-write", &bob.name: "read-write" });
    assert_eq!(listed(alice, &Deed::ListCollaborators(name)), both);
    assert_eq!(listed(bob, &Deed::ListCollaborators(name)), both);

    telling.step("access list collaborators is E404 for an outsider");
    carol.does(&Deed::ListCollaborators(name)).fails_with("E404");

    telling.step("access list packages shows what one may see, and no more");
    let one = json!({ name: "read-write" });
    assert_eq!(listed(alice, &Deed::ListPackages(&alice.name)), one);
    assert_eq!(listed(bob, &Deed::ListPackages(&bob.name)), one);
    assert_eq!(listed(carol, &Deed::ListPackages(&alice.name)), json!({}));

    if telling.step_unless(client.lacks_get_status(), "access get status says private") {
        alice.npm(&["access", "get", "status", name]).succeeds().saying("private");
        carol.npm(&["access", "get", "status", name]).fails_with("E404");
    }
}

/// What npm lists; before npm 9 it prints an empty list as null.
fn listed(person: &Person<'_>, deed: &Deed<'_>) -> Value {
    let outcome = person.does(deed).succeeds();
    let list: Value = serde_json::from_str(&outcome.stdout).expect("the list is JSON");
    if list.is_null() { json!({}) } else { list }
}

fn refuse_what_bob_may_not(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, carol, .. } = cast;
    telling.step("Bob lets nobody in: E403 with a sentence");
    bob.npm(&["owner", "add", &carol.name, name]).fails_with("E403").saying("can change who sees and maintains");

    telling.step("Bob makes nothing public: E403 with a sentence");
    bob.does(&Deed::SetPublic(name)).fails_with("E403").saying("can change who sees and maintains");
    carol.view(&[name]).fails_with("E404");

    telling.step("Bob's publish with --access=public makes nothing public");
    bob.publish(&Package::new(name, "1.2.0"), &["--access=public"]).succeeds();
    carol.view(&[name]).fails_with("E404");

    telling.step("owner add of someone without a plan is E402");
    let frank = stage.unpaid("frank");
    alice.npm(&["owner", "add", &frank.name, name]).fails_with("E402").saying(&frank.name).saying("has no plan");
    frank.view(&[name]).fails_with("E404");

    telling.step("owner add of someone unknown fails");
    alice.npm(&["owner", "add", &stage.account("unknown"), name]).fails();
}

fn let_bob_out(cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, .. } = cast;
    telling.step("owner rm hides it from Bob at once, whatever he has cached");
    alice.npm(&["owner", "rm", &bob.name, name]).succeeds();
    bob.view(&[name]).fails_with("E404");
    bob.install(name).fails_with("E404");
    bob.publish(&Package::new(name, "1.3.0"), &[]).fails_with("E404");

    telling.step("the owner of the scope cannot be removed");
    alice.npm(&["owner", "rm", &alice.name, name]).fails();
    alice.view(&[name]).succeeds();

    telling.step("Bob, let in again, lets himself out");
    alice.npm(&["owner", "add", &bob.name, name]).succeeds();
    bob.npm(&["owner", "rm", &bob.name, name]).succeeds();
    bob.view(&[name]).fails_with("E404");
}
