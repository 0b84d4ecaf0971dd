//! Versions put up for approval.

use std::fs;

use serde_json::Value;

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let name = alice.package("staged");
    alice.puts(&Package::new(&name, "1.0.0"));
    telling.command("stage publish", client, &Deed::StagePublish, || {
        alice.publish_as(&Package::new(&name, "1.1.0"), &Deed::StagePublish).succeeds();
        assert_eq!(alice.sees(&name)["versions"]["1.1.0"], Value::Null);
        assert_eq!(staged(scene, &name).len(), 1);
    });
    alice.ask("POST", &format!("/-/stage/package/{name}"), Some(&Package::new(&name, "1.2.0").document())).expect(201);
    telling.command("stage list", client, &Deed::StageList(&name), || {
        alice.does(&Deed::StageList(&name)).succeeds().saying("1.2.0");
        assert!(!scene.cast.carol.does(&Deed::StageList(&name)).stdout.contains("1.2.0"));
    });
    let id = staged(scene, &name).remove(0)["id"].as_str().expect("an id").to_owned();
    telling.command("stage view", client, &Deed::StageView(&id), || {
        alice.does(&Deed::StageView(&id)).succeeds().saying("1.2.0").saying(&alice.name);
    });
    telling.command("stage download", client, &Deed::StageDownload(&id), || {
        let folder = scene.stage.new_folder();
        alice.does_in(&folder, &Deed::StageDownload(&id)).succeeds();
        let files = fs::read_dir(&folder).expect("a folder").flatten();
        assert_eq!(files.filter(|file| file.path().extension().is_some_and(|end| end == "tgz")).count(), 1);
    });
}

/// What is up for approval, the newest first.
fn staged(scene: &Scene<'_>, name: &str) -> Vec<Value> {
    let path = format!("/-/stage?package={}", name.replace('@', "%40").replace('/', "%2F"));
    let listed = scene.cast.alice.ask("GET", &path, None).expect(200).json();
    listed["items"].as_array().cloned().expect("a list")
}
