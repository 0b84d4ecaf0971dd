//! The billing flag: without it nobody works with private packages, and the ways out stay open.

use std::time::Duration;

use chrono::TimeDelta;
use strongroom::clock::{Clock, Time};

use crate::cast::{Cast, Stage};
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

const OWNER_LAPSED: &str = "is missing or has lapsed, so nobody can work with it";
const NO_PLAN: &str = "has no plan, so it cannot work with private packages";

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let cast = stage.cast();
    let name = cast.alice.package("one");
    cast.alice.publish(&Package::new(&name, "1.0.0"), &[]).succeeds();
    cast.alice.npm(&["owner", "add", &cast.bob.name, &name]).succeeds();
    cast.bob.install(&name).succeeds();
    lapse_of_a_collaborator(stage, &cast, &name, telling);
    lapse_of_the_owner(stage, &cast, &name, telling);
    plans_that_end(stage, &cast, &name, telling);
    ways_out(stage, &cast, &name, telling);
}

fn lapse_of_a_collaborator(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, .. } = cast;
    telling.step("a collaborator who stops paying is E402, and the owner is not");
    stage.server.set_unpaid(&bob.name);
    bob.install(name).fails_with("E402").saying(NO_PLAN);
    bob.publish(&Package::new(name, "1.1.0"), &[]).fails_with("E402").saying(NO_PLAN);
    alice.install(name).succeeds();

    telling.step("paying again works at once");
    stage.server.set_paid(&bob.name);
    bob.install(name).succeeds();
    bob.publish(&Package::new(name, "1.1.0"), &[]).succeeds();
}

fn lapse_of_the_owner(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, carol, nobody } = cast;
    telling.step("when the owner stops paying, everybody let in is E402 on install");
    stage.server.set_unpaid(&alice.name);
    bob.install(name).fails_with("E402").saying(OWNER_LAPSED).saying(&alice.name);
    alice.install(name).fails_with("E402").saying(NO_PLAN);
    alice.at_a_new_machine().install(name).fails_with("E402");

    telling.step("and on publish");
    bob.publish(&Package::new(name, "1.2.0"), &[]).fails_with("E402").saying(OWNER_LAPSED);
    alice.publish(&Package::new(name, "1.2.0"), &[]).fails_with("E402").saying(NO_PLAN);
    alice.publish(&Package::new(&alice.package("two"), "1.0.0"), &[]).fails_with("E402").saying(NO_PLAN);

    telling.step("outsiders learn nothing of it: still E404");
    carol.install(name).fails_with("E404");
    nobody.install(name).fails_with("E404");

    telling.step("what is public needs no plan");
    let open = alice.package("open");
    alice.publish(&Package::new(&open, "1.0.0"), &["--access=public"]).succeeds();
    nobody.install(&open).succeeds();

    telling.step("when the owner pays again, everything works at once");
    stage.server.set_paid(&alice.name);
    bob.install(name).succeeds();
    alice.publish(&Package::new(name, "1.2.0"), &[]).succeeds();
}

fn plans_that_end(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, .. } = cast;
    let now = || Clock::system().now();
    telling.step("a plan that ended is no plan");
    stage.server.set_paid_until(&alice.name, now() - TimeDelta::days(1));
    bob.install(name).fails_with("E402").saying(OWNER_LAPSED);

    telling.step("a plan that has not ended is one");
    stage.server.set_paid_until(&alice.name, now() + TimeDelta::days(1));
    bob.install(name).succeeds();

    telling.step("a plan that ends while everything is cached ends to the second");
    let end = now() + TimeDelta::seconds(4);
    stage.server.set_paid_until(&alice.name, end);
    let view = bob.view(&[name]);
    if now() < end {
        view.succeeds();
    }
    wait_for(end);
    bob.view(&[name]).fails_with("E402").saying(OWNER_LAPSED);
    stage.server.set_paid(&alice.name);
}

/// The end of a plan announces itself by nothing but the time.
fn wait_for(end: Time) {
    let left = end - Clock::system().now();
    std::thread::sleep(left.to_std().unwrap_or(Duration::ZERO));
}

fn ways_out(stage: &Stage<'_>, cast: &Cast<'_>, name: &str, telling: &mut Telling) {
    let Cast { alice, bob, nobody, .. } = cast;
    stage.server.set_unpaid(&alice.name);
    telling.step("an unpaid owner still lists who is let in");
    alice.npm(&["owner", "ls", name]).succeeds().saying(&bob.name);
    alice.does(&Deed::ListCollaborators(name)).succeeds().saying(&bob.name);

    telling.step("an unpaid owner lets nobody in: E402");
    alice.npm(&["owner", "add", &cast.carol.name, name]).fails_with("E402");

    telling.step("an unpaid owner still removes a collaborator");
    alice.npm(&["owner", "rm", &bob.name, name]).succeeds();
    bob.install(name).fails_with("E404");

    telling.step("an unpaid owner still makes it public, and then it works for everybody");
    alice.does(&Deed::SetPublic(name)).succeeds();
    bob.install(name).succeeds();
    nobody.install(name).succeeds();
    alice.publish(&Package::new(name, "1.3.0"), &[]).succeeds();

    telling.step("an unpaid owner makes nothing private: E402");
    alice.does(&Deed::SetRestricted(name)).fails_with("E402");
    nobody.view(&[name]).succeeds();
}
