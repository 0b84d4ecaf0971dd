//! Who may work with a package: owners and visibility.

use serde_json::json;

use super::{Scene, account};
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let name = scene.cast.alice.package("shared");
    scene.cast.alice.puts(&Package::new(&name, "1.0.0"));
    owners(scene, &name, telling);
    visibility(scene, &name, telling);
    lists(scene, &name, telling);
}

fn owners(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let client = scene.client;
    let (alice, bob) = (&scene.cast.alice, &scene.cast.bob);
    let add = Deed::AddOwner { package: name, user: &bob.name };
    telling.command("owner add", client, &add, || {
        alice.does(&add).succeeds();
        bob.puts(&Package::new(name, "1.1.0"));
    });
    let both = json!({ "maintainers": [{ "name": alice.name }, { "name": bob.name }] });
    let revision = alice.sees(name)["_rev"].as_str().unwrap_or_default().to_owned();
    alice.ask("PUT", &format!("/{name}/-rev/{revision}"), Some(&both)).expect(201);
    telling.command("owner ls", client, &Deed::ListOwners(name), || {
        alice.does(&Deed::ListOwners(name)).succeeds().saying(&alice.name).saying(&bob.name);
        scene.cast.carol.does(&Deed::ListOwners(name)).fails();
    });
    let remove = Deed::RemoveOwner { package: name, user: &bob.name };
    telling.command("owner rm", client, &remove, || {
        alice.does(&remove).succeeds();
        bob.ask("GET", &format!("/{name}"), None).expect(404);
    });
}

fn visibility(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice, carol) = (scene.client, &scene.cast.alice, &scene.cast.carol);
    telling.command("access set status=public", client, &Deed::SetPublic(name), || {
        carol.does(&Deed::SetPublic(name)).fails();
        alice.does(&Deed::SetPublic(name)).succeeds();
        carol.sees(name);
    });
    telling.command("access get status", client, &Deed::GetStatus(name), || {
        carol.does(&Deed::GetStatus(name)).succeeds().saying("public");
    });
    telling.command("access set status=private", client, &Deed::SetRestricted(name), || {
        alice.does(&Deed::SetRestricted(name)).succeeds();
        carol.ask("GET", &format!("/{name}"), None).expect(404);
    });
}

fn lists(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice, carol) = (scene.client, &scene.cast.alice, &scene.cast.carol);
    telling.command("access list collaborators", client, &Deed::ListCollaborators(name), || {
        let listed = alice.does(&Deed::ListCollaborators(name)).succeeds();
        listed.saying(&alice.name).saying("read-write");
        carol.does(&Deed::ListCollaborators(name)).fails();
    });
    telling.command("access list packages", client, &Deed::ListPackages(&alice.name), || {
        // pnpm prints the registry's word, npm its own.
        let word = alice.does(&Deed::ListPackages(&alice.name)).succeeds().json()[name].take();
        assert!(word == "read-write" || word == "write", "{word}");
        assert!(!carol.does(&Deed::ListPackages(&alice.name)).stdout.contains(name));
    });
    telling.command("access set mfa=publish", client, &Deed::SetSecondFactor(name), || {
        // Who has none would lock themselves out.
        alice.does(&Deed::SetSecondFactor(name)).fails();
        let ivan = scene.stage.paid("ivan");
        account::set_up(&ivan, "auth-only");
        let strict = ivan.package("strict");
        ivan.puts(&Package::new(&strict, "1.0.0"));
        ivan.does(&Deed::SetSecondFactor(&strict)).succeeds();
        ivan.tries_to_put(&Package::new(&strict, "1.1.0")).expect(401);
    });
}
