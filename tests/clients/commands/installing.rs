//! Bringing packages home, and looking at them.

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let name = alice.package("brought");
    for version in ["1.0.0", "1.1.0"] {
        let read_me = format!("# Brought\n\nAs of {version}.\n");
        alice.puts(&Package::new(&name, version).with_program("bring").with_file("README.md", &read_me));
    }
    install(scene, &name, telling);

    telling.command("doctor", client, &Deed::Doctor, || {
        alice.does(&Deed::Doctor).succeeds();
    });
    let view = Deed::View { package: &name, field: "version" };
    telling.command("view", client, &view, || {
        alice.does(&view).succeeds().saying("1.2.0");
        let hidden = scene.cast.carol.does(&view);
        assert!(!hidden.stdout.contains("1.2.0"), "{}", hidden.stdout);
    });
    let spec = format!("{name}@1.0.0");
    let pack = Deed::PackPublished(&spec);
    telling.command("pack of a published package", client, &pack, || {
        let project = alice.new_project();
        let file = alice.does_in(project.path(), &pack).succeeds().stdout;
        assert!(project.path().join(file.trim()).is_file(), "{file}");
    });
    let run = Deed::Run { package: &name, program: "bring" };
    telling.command("exec, dlx, x", client, &run, || {
        alice.does(&run).succeeds().saying(&format!("{name}@1.2.0"));
    });
    let diff = Deed::Diff { package: &name, old: "1.0.0", new: "1.1.0" };
    telling.command("diff", client, &diff, || {
        alice.does(&diff).succeeds().saying("As of 1.1.0.");
    });
}

fn install(scene: &Scene<'_>, name: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let project = alice.new_project();
    let spec = format!("{name}@^1.0.0");
    let add = Deed::Add(&spec);
    telling.command("install", client, &add, || {
        alice.does_in(project.path(), &add).succeeds();
        assert_eq!(project.installed_version(name).as_deref(), Some("1.1.0"));
    });
    telling.command("install by an outsider", client, &add, || {
        for person in [&scene.cast.carol, &scene.cast.nobody] {
            let project = person.new_project();
            person.does_in(project.path(), &add).fails();
            assert_eq!(project.installed_version(name), None);
        }
    });
    telling.command("install from the lock file alone", client, &Deed::InstallFrozen, || {
        let checkout = project.checked_out_into(scene.stage.new_folder());
        alice.at_a_new_machine().does_in(checkout.path(), &Deed::InstallFrozen).succeeds();
        assert_eq!(checkout.installed_version(name).as_deref(), Some("1.1.0"));
    });
    telling.command("install from an outsider's lock file", client, &Deed::InstallFrozen, || {
        let checkout = project.checked_out_into(scene.stage.new_folder());
        scene.cast.carol.at_a_new_machine().does_in(checkout.path(), &Deed::InstallFrozen).fails();
        assert_eq!(checkout.installed_version(name), None);
    });
    alice.puts(&Package::new(name, "1.2.0").with_program("bring"));
    scene.outlive_caches();
    telling.command("outdated", client, &Deed::Outdated, || {
        alice.does_in(project.path(), &Deed::Outdated).saying("1.2.0");
    });
    telling.command("update", client, &Deed::Update, || {
        alice.does_in(project.path(), &Deed::Update).succeeds();
        assert_eq!(project.installed_version(name).as_deref(), Some("1.2.0"));
    });
}
