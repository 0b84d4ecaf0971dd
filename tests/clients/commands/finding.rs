//! Searching, known holes, and being told of changes.

use super::Scene;
use crate::families::{Deed, Family};
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let word = format!("quill{}", client.slug());
    let name = alice.package(&word);
    alice.puts(&Package::new(&name, "1.0.0").with_field("description", "writes".into()));

    telling.command("search", client, &Deed::Search(&word), || {
        alice.does(&Deed::Search(&word)).succeeds().saying(&name);
        let found = scene.cast.carol.does(&Deed::Search(&word)).succeeds();
        assert!(!found.stdout.contains(&name), "{}", found.stdout);
    });

    let project = alice.new_project();
    alice.install_into(&project, &format!("{name}@1.0.0")).succeeds();
    telling.command("audit without holes", client, &Deed::Audit, || {
        alice.does_in(project.path(), &Deed::Audit).succeeds();
    });
    scene.stage.server.import_advisory(&name);
    if client.family == Family::Deno {
        let reason = Some("deno audit sends no token, and hears nothing of private packages");
        let _ = telling.step_unless(reason, "audit with a hole");
        return hooks(scene, &name, telling);
    }
    telling.command("audit with a hole", client, &Deed::Audit, || {
        // npm 8 is content with what it tells.
        alice.does_in(project.path(), &Deed::Audit).saying("The ink runs");
    });
    hooks(scene, &name, telling);
}

fn hooks(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let listed = || alice.ask("GET", "/-/npm/v1/hooks", None).expect(200).json()["objects"].take();
    let add = Deed::AddHook { package: name, address: "https://hooks.example.com/here", secret: "open sesame" };
    telling.command("hook add", client, &add, || {
        alice.does(&add).succeeds();
        assert_eq!(listed()[0]["endpoint"], "https://hooks.example.com/here");
    });
    telling.command("hook ls", client, &Deed::ListHooks, || {
        alice.does(&Deed::ListHooks).succeeds().saying("https://hooks.example.com/here");
    });
    let hook = listed().get_mut(0).map(|hook| hook["id"].take()).unwrap_or_default();
    let id = hook.as_str().unwrap_or_default();
    telling.command("hook rm", client, &Deed::RemoveHook(id), || {
        alice.does(&Deed::RemoveHook(id)).succeeds();
        assert_eq!(listed().as_array().map(Vec::len), Some(0));
    });
}
