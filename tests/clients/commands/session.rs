//! Who one is, and whether anybody is there.

use super::Scene;
use crate::cast::PASSWORD;
use crate::families::{Deed, Family};
use crate::telling::Telling;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    telling.command("ping", client, &Deed::Ping, || {
        alice.does(&Deed::Ping).succeeds();
    });
    telling.command("whoami", client, &Deed::WhoAmI, || {
        alice.does(&Deed::WhoAmI).succeeds().saying(&alice.name);
        scene.cast.nobody.does(&Deed::WhoAmI).fails();
    });
    log_in(scene, telling);
    telling.command("logout", client, &Deed::LogOut, || {
        let leaving = scene.stage.stranger("alice");
        let token = scene.stage.server.create_token(&leaving.name, &[]);
        leaving.hold_token(&token);
        leaving.does(&Deed::LogOut).succeeds();
        if client.family == Family::Yarn {
            // It forgets the token and tells nobody.
            assert_eq!(leaving.token(), None);
            return;
        }
        leaving.hold_token(&token);
        leaving.ask("GET", "/-/whoami", None).expect(401);
    });
}

/// With name and password, typed at prompts, and through the browser. npm's own chapters tell the rest of it.
fn log_in(scene: &Scene<'_>, telling: &mut Telling) {
    let words: &[&str] = match scene.client.family {
        Family::Npm => &["login", "--auth-type=legacy"],
        Family::Pnpm if scene.client.major < 11 => &["login", "--auth-type=legacy"],
        Family::Pnpm => return log_in_by_browser(scene, telling, &["login"]),
        Family::Yarn => &["npm", "login"],
        Family::Vlt => return log_in_to_a_keychain(scene, telling),
        Family::YarnClassic | Family::Bun | Family::Deno => {
            let reason = match scene.client.family {
                Family::YarnClassic => "yarn 1 keeps no token: its login asks for a name to use later",
                _ => "it has no login",
            };
            let _ = telling.step_unless(Some(reason), "login");
            return;
        }
    };
    telling.attempt("login", || {
        let coming = scene.stage.stranger("alice");
        coming.type_credentials_at_a_terminal(words, PASSWORD).succeeds();
        assert_eq!(coming.ask("GET", "/-/whoami", None).expect(200).json()["username"], coming.name);
    });
    if scene.client.family == Family::Yarn {
        log_in_by_browser(scene, telling, &["npm", "login", "--web-login"]);
    }
}

fn log_in_by_browser(scene: &Scene<'_>, telling: &mut Telling, words: &[&str]) {
    telling.attempt("login through the browser", || {
        let coming = scene.stage.stranger("alice");
        coming.log_in_by_browser(words, PASSWORD).succeeds();
        assert_eq!(coming.ask("GET", "/-/whoami", None).expect(200).json()["username"], coming.name);
    });
}

/// vlt keeps what it gets to itself, and ends what it got so.
fn log_in_to_a_keychain(scene: &Scene<'_>, telling: &mut Telling) {
    telling.attempt("login through the browser", || {
        let coming = scene.stage.stranger("alice");
        coming.log_in_by_browser(&["login"], PASSWORD).succeeds();
        coming.npm(&["whoami"]).succeeds().saying(&coming.name);
        coming.npm(&["logout"]).succeeds();
        coming.npm(&["whoami"]).fails();
    });
}
