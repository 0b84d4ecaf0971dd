//! What becomes of a package after its publish: tags, deprecation, stars, and being taken back.

use serde_json::{Value, json};

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let alice = &scene.cast.alice;
    let name = alice.package("lived");
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        alice.puts(&Package::new(&name, version));
    }
    tags(scene, &name, telling);
    deprecation(scene, &name, telling);
    stars(scene, &name, telling);
    unpublishing(scene, &name, telling);
}

fn tags(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let add = Deed::AddTag { package: name, version: "1.0.0", tag: "steady" };
    telling.command("dist-tag add", client, &add, || {
        alice.does(&add).succeeds();
        assert_eq!(alice.sees(name)["dist-tags"], json!({ "latest": "1.2.0", "steady": "1.0.0" }));
        scene.cast.carol.does(&add).fails();
    });
    telling.command("dist-tag ls", client, &Deed::ListTags(name), || {
        alice.does(&Deed::ListTags(name)).succeeds().saying("latest").saying("1.2.0").saying("steady").saying("1.0.0");
    });
    let latest = Deed::AddTag { package: name, version: "1.1.0", tag: "latest" };
    telling.command("dist-tag add latest", client, &latest, || {
        alice.does(&latest).succeeds();
        assert_eq!(alice.sees(name)["dist-tags"]["latest"], "1.1.0");
    });
    let remove = Deed::RemoveTag { package: name, tag: "steady" };
    telling.command("dist-tag rm", client, &remove, || {
        alice.does(&remove).succeeds();
        assert_eq!(alice.sees(name)["dist-tags"], json!({ "latest": "1.1.0" }));
        alice.does(&Deed::RemoveTag { package: name, tag: "latest" }).fails();
    });
}

fn deprecation(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let told = || alice.sees(name)["versions"]["1.0.0"]["deprecated"].take();
    let spec = format!("{name}@1.0.0");
    let deprecate = Deed::Deprecate { spec: &spec, message: "use a newer one" };
    telling.command("deprecate", client, &deprecate, || {
        alice.does(&deprecate).succeeds();
        assert_eq!(told(), "use a newer one");
        assert_eq!(alice.sees(name)["versions"]["1.1.0"]["deprecated"], Value::Null);
    });
    telling.command("undeprecate", client, &Deed::Undeprecate(&spec), || {
        alice.does(&Deed::Undeprecate(&spec)).succeeds();
        assert_eq!(told(), Value::Null);
    });
}

fn stars(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    telling.command("star", client, &Deed::Star(name), || {
        alice.does(&Deed::Star(name)).succeeds();
        assert_eq!(alice.sees(name)["users"], json!({ &alice.name: true }));
        scene.cast.carol.does(&Deed::Star(name)).fails();
    });
    telling.command("stars", client, &Deed::ListStars, || {
        alice.does(&Deed::ListStars).succeeds().saying(name);
        assert!(!scene.cast.carol.does(&Deed::ListStars).stdout.contains(name));
    });
    telling.command("unstar", client, &Deed::Unstar(name), || {
        alice.does(&Deed::Unstar(name)).succeeds();
        assert_ne!(alice.sees(name)["users"][&alice.name], true);
    });
}

fn unpublishing(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let spec = format!("{name}@1.2.0");
    telling.command("unpublish of a version", client, &Deed::UnpublishVersion(&spec), || {
        // npm takes any 404 on its way for "gone already", and is content.
        let _ = scene.cast.carol.does(&Deed::UnpublishVersion(&spec));
        assert!(alice.sees(name)["versions"]["1.2.0"].is_object());
        alice.does(&Deed::UnpublishVersion(&spec)).succeeds();
        let left = alice.sees(name);
        assert_eq!(left["versions"]["1.2.0"], Value::Null);
        assert_eq!(left["dist-tags"]["latest"], "1.1.0");
        let again = Package::new(name, "1.2.0").with_file("changed.js", "1");
        assert!(alice.tries_to_put(&again).status >= 400, "a number is never used twice");
    });
    telling.command("unpublish of the whole package", client, &Deed::UnpublishPackage(name), || {
        alice.does(&Deed::UnpublishPackage(name)).succeeds();
        alice.ask("GET", &format!("/{name}"), None).expect(404);
    });
}
