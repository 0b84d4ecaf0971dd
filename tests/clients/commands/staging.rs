//! Versions put up for approval.

use std::fs;

use serde_json::Value;

use super::Scene;
use super::account::set_up;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;
use crate::totp;

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
    review(scene, telling);
}

/// Both take a second factor: Heidi has one, and puts up versions of a package that does not exist yet.
fn review(scene: &Scene<'_>, telling: &mut Telling) {
    let client = scene.client;
    let heidi = scene.stage.paid("heidi");
    let (phone, _) = set_up(&heidi, "auth-only");
    let name = heidi.package("reviewed");
    let stage = |version: &str| {
        let document = Package::new(&name, version).document();
        let staged = heidi.ask("POST", &format!("/-/stage/package/{name}"), Some(&document)).expect(201).json();
        staged["stageId"].as_str().expect("an id").to_owned()
    };
    let (good, bad) = (stage("1.0.0"), stage("1.1.0"));
    let approve = |code: &str| heidi.does(&Deed::StageApprove { id: &good, code });
    telling.command("stage approve", client, &Deed::StageApprove { id: &good, code: "" }, || {
        approve("000000").fails();
        heidi.ask("GET", &format!("/{name}"), None).expect(404);
        approve(&totp::code(&phone)).succeeds();
        assert_eq!(heidi.sees(&name)["dist-tags"]["latest"], "1.0.0");
    });
    let code = totp::code(&phone);
    let reject = Deed::StageReject { id: &bad, code: &code };
    telling.command("stage reject", client, &reject, || {
        heidi.does(&reject).succeeds();
        heidi.ask("GET", &format!("/-/stage/{bad}"), None).expect(404);
    });
}

/// What is up for approval, the newest first.
fn staged(scene: &Scene<'_>, name: &str) -> Vec<Value> {
    let path = format!("/-/stage?package={}", name.replace('@', "%40").replace('/', "%2F"));
    let listed = scene.cast.alice.ask("GET", &path, None).expect(200).json();
    listed["items"].as_array().cloned().expect("a list")
}
