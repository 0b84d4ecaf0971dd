//! Organizations, their teams, and what teams are given.

use serde_json::{Value, json};

use super::Scene;
use crate::families::Deed;
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let alice = &scene.cast.alice;
    let organization = scene.stage.account("acme");
    scene.stage.server.create_organization(&organization, &alice.name);
    members(scene, &organization, telling);
    let name = format!("@{organization}/tool");
    alice.puts(&Package::new(&name, "1.0.0"));
    let team = format!("{organization}:reviewers");
    teams(scene, &organization, &team, telling);
    grants(scene, &name, &team, telling);
    endings(scene, &organization, &team, telling);
}

fn members(scene: &Scene<'_>, organization: &str, telling: &mut Telling) {
    let (client, alice, bob) = (scene.client, &scene.cast.alice, &scene.cast.bob);
    let listed = || alice.ask("GET", &format!("/-/org/{organization}/user"), None).expect(200).json();
    let set = Deed::SetMember { organization, user: &bob.name, role: "admin" };
    telling.command("org set", client, &set, || {
        alice.does(&set).succeeds();
        assert_eq!(listed()[&bob.name], "admin");
        scene.cast.carol.does(&set).fails();
    });
    let body = json!({ "user": bob.name, "role": "developer" });
    alice.ask("PUT", &format!("/-/org/{organization}/user"), Some(&body));
    telling.command("org ls", client, &Deed::ListMembers(organization), || {
        let listed = alice.does(&Deed::ListMembers(organization)).succeeds().json();
        assert_eq!(listed, json!({ &alice.name: "owner", &bob.name: "developer" }));
    });
}

fn teams(scene: &Scene<'_>, organization: &str, team: &str, telling: &mut Telling) {
    let (client, alice, bob) = (scene.client, &scene.cast.alice, &scene.cast.bob);
    telling.command("team create", client, &Deed::CreateTeam(team), || {
        alice.does(&Deed::CreateTeam(team)).succeeds();
        scene.cast.carol.does(&Deed::CreateTeam(&format!("{organization}:others"))).fails();
    });
    telling.command("team ls of an organization", client, &Deed::ListTeams(organization), || {
        alice.does(&Deed::ListTeams(organization)).succeeds().saying("developers").saying("reviewers");
    });
    let add = Deed::AddToTeam { team, user: &bob.name };
    telling.command("team add", client, &add, || {
        alice.does(&add).succeeds();
        assert_eq!(members_of(scene, team), json!([bob.name]));
    });
    telling.command("team ls of a team", client, &Deed::ListTeam(team), || {
        alice.does(&Deed::ListTeam(team)).succeeds().saying(&bob.name);
    });
}

/// The members of a team, as npm asks for them.
fn members_of(scene: &Scene<'_>, team: &str) -> Value {
    let path = format!("/-/team/{}/user?format=cli", team.replace(':', "/"));
    scene.cast.alice.ask("GET", &path, None).expect(200).json()
}

fn grants(scene: &Scene<'_>, name: &str, team: &str, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    let path = format!("/-/team/{}/package", team.replace(':', "/"));
    let given = || alice.ask("GET", &path, None).expect(200).json();
    let grant = Deed::Grant { permission: "read-only", team, package: name };
    telling.command("access grant", client, &grant, || {
        alice.does(&grant).succeeds();
        assert_eq!(given(), json!({ name: "read" }));
        alice.does(&Deed::Grant { permission: "read-write", team, package: name }).succeeds();
        assert_eq!(given(), json!({ name: "write" }));
    });
    let list = Deed::ListTeamPackages { team };
    telling.command("access list packages of a team", client, &list, || {
        alice.does(&list).succeeds().saying(name).saying("write");
    });
    let revoke = Deed::Revoke { team, package: name };
    telling.command("access revoke", client, &revoke, || {
        alice.does(&revoke).succeeds();
        assert_eq!(given(), json!({}));
    });
}

fn endings(scene: &Scene<'_>, organization: &str, team: &str, telling: &mut Telling) {
    let (client, alice, bob) = (scene.client, &scene.cast.alice, &scene.cast.bob);
    let remove = Deed::RemoveFromTeam { team, user: &bob.name };
    telling.command("team rm", client, &remove, || {
        alice.does(&remove).succeeds();
        assert_eq!(members_of(scene, team), json!([]));
    });
    telling.command("team destroy", client, &Deed::DestroyTeam(team), || {
        alice.does(&Deed::DestroyTeam(team)).succeeds();
        let path = format!("/-/team/{}/user", team.replace(':', "/"));
        alice.ask("GET", &path, None).expect(404);
    });
    let remove = Deed::RemoveMember { organization, user: &bob.name };
    telling.command("org rm", client, &remove, || {
        alice.does(&remove).succeeds();
        let listed = alice.ask("GET", &format!("/-/org/{organization}/user"), None).expect(200).json();
        assert_eq!(listed, json!({ &alice.name: "owner" }));
    });
}
