//! What each client's publish means here.

use std::fs;

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let client = scene.client;
    let cast = &scene.cast;
    let (alice, carol) = (&cast.alice, &cast.carol);
    let plain = Deed::Publish { access: None, tag: None };

    let name = alice.package("published");
    telling.command("publish", client, &plain, || {
        alice.publish_as(&Package::new(&name, "1.0.0"), &plain).succeeds();
        assert_eq!(alice.sees(&name)["dist-tags"]["latest"], "1.0.0");
        carol.ask("GET", &format!("/{name}"), None).expect(404);
    });
    telling.command("publish over a version", client, &plain, || {
        let changed = Package::new(&name, "1.0.0").with_file("changed.js", "1");
        alice.publish_as(&changed, &plain).fails();
        assert_eq!(alice.sees(&name)["versions"]["1.0.0"]["dist"]["fileCount"], 2);
    });
    telling.command("publish by an outsider", client, &plain, || {
        carol.publish_as(&Package::new(&name, "1.1.0"), &plain).fails();
        cast.nobody.publish_as(&Package::new(&name, "1.1.0"), &plain).fails();
        assert_eq!(alice.sees(&name)["versions"].as_object().map(serde_json::Map::len), Some(1));
    });
    let tagged = Deed::Publish { access: None, tag: Some("next") };
    telling.command("publish --tag of a prerelease", client, &tagged, || {
        alice.publish_as(&Package::new(&name, "2.0.0-rc.1"), &tagged).succeeds();
        let tags = alice.sees(&name)["dist-tags"].take();
        assert_eq!(tags, serde_json::json!({ "latest": "1.0.0", "next": "2.0.0-rc.1" }));
    });
    let open = Deed::Publish { access: Some("public"), tag: None };
    let public = alice.package("open");
    telling.command("publish --access=public", client, &open, || {
        alice.publish_as(&Package::new(&public, "1.0.0"), &open).succeeds();
        carol.sees(&public);
    });
    telling.command("publish keeps what is public so", client, &plain, || {
        alice.publish_as(&Package::new(&public, "1.1.0"), &plain).succeeds();
        assert_eq!(carol.sees(&public)["dist-tags"]["latest"], "1.1.0");
    });
    batch(scene, telling);
    telling.command("publish --provenance-file", client, &Deed::PublishWithProvenance, || {
        unreachable!("nobody has words for it yet");
    });
}

/// A workspace of two, sent as one.
fn batch(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    telling.command("publish of a whole workspace", client, &Deed::PublishBatch, || {
        let names = ["first", "second"].map(|name| alice.package(name));
        let folder = scene.stage.new_folder();
        fs::write(folder.join("package.json"), r#"{ "private": true }"#).expect("a manifest");
        fs::write(folder.join("pnpm-workspace.yaml"), "packages: ['members/*']\n").expect("a workspace");
        for (number, name) in names.iter().enumerate() {
            Package::new(name, "1.0.0").write_to(&folder.join(format!("members/{number}")));
        }
        alice.does_in(&folder, &Deed::PublishBatch).succeeds();
        for name in &names {
            assert_eq!(alice.sees(name)["dist-tags"]["latest"], "1.0.0");
            scene.cast.carol.ask("GET", &format!("/{name}"), None).expect(404);
        }
    });
}
