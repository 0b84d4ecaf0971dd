//! One's own account: tokens, profile, and the second factor.

use serde_json::{Value, json};

use super::Scene;
use crate::browser;
use crate::cast::PASSWORD;
use crate::families::{Deed, Family};
use crate::package::Package;
use crate::person::Person;
use crate::telling::Telling;
use crate::terminal::Reply;
use crate::totp;

pub(super) fn tell(scene: &Scene<'_>, telling: &mut Telling) {
    tokens(scene, telling);
    profile(scene, telling);
    second_factor(scene, telling);
    publish_with_a_second_factor(scene, telling);
}

fn tokens(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    telling.command("token list", client, &Deed::ListTokens, || {
        let own = alice.token().expect("Alice holds a token");
        alice.does(&Deed::ListTokens).succeeds().saying(&own[..8]);
    });
    telling.command("token create", client, &Deed::CreateToken, || {
        let made = alice.types(&Deed::CreateToken, &[Reply::new("password", PASSWORD)]).succeeds();
        let (_, token) = made.stdout.split_once("npm_").expect("it prints the token");
        let holder = scene.stage.stranger("alice");
        holder.hold_token(&format!("npm_{}", &token[..36]));
        assert_eq!(holder.ask("GET", "/-/whoami", None).expect(200).json()["username"], alice.name);
    });
    let spare = scene.stage.server.create_token(&alice.name, &[]);
    telling.command("token revoke", client, &Deed::RevokeToken(&spare), || {
        alice.does(&Deed::RevokeToken(&spare)).succeeds();
        let holder = scene.stage.stranger("alice");
        holder.hold_token(&spare);
        holder.ask("GET", "/-/whoami", None).expect(401);
    });
}

fn profile(scene: &Scene<'_>, telling: &mut Telling) {
    let (client, alice) = (scene.client, &scene.cast.alice);
    telling.command("profile get", client, &Deed::GetProfile, || {
        alice.does(&Deed::GetProfile).succeeds().saying(&alice.name);
    });
    let set = Deed::SetProfile { key: "fullname", value: "Alice of the tests" };
    telling.command("profile set", client, &set, || {
        alice.does(&set).succeeds();
        assert_eq!(kept(alice)["fullname"], "Alice of the tests");
    });
}

fn kept(person: &Person<'_>) -> Value {
    person.ask("GET", "/-/npm/v1/user", None).expect(200).json()
}

fn second_factor(scene: &Scene<'_>, telling: &mut Telling) {
    let client = scene.client;
    let erin = scene.stage.paid("erin");
    let password = || Reply::new("password", PASSWORD);
    let mut recovery = String::new();
    telling.command("profile enable-2fa", client, &Deed::EnableSecondFactor, || {
        let code = Reply::from("OTP code from your authenticator", |said| totp::code_for(&secret_in(said)));
        let enabled = erin.types(&Deed::EnableSecondFactor, &[password(), code]).succeeds();
        assert_eq!(kept(&erin)["tfa"]["mode"], "auth-and-writes");
        recovery = recovery_codes_in(&enabled.stdout).into_iter().next().expect("it prints recovery codes");
    });
    let disable = Deed::DisableSecondFactor { code: &recovery };
    telling.command("profile disable-2fa", client, &disable, || {
        let code = Reply::new("one-time password", &recovery);
        erin.types(&disable, &[password(), code]).succeeds();
        assert!(kept(&erin)["tfa"].is_null() || kept(&erin)["tfa"] == false);
    });
}

/// The secret that is printed for those who cannot scan.
fn secret_in(said: &str) -> String {
    let words = said.split(|letter: char| !letter.is_ascii_alphanumeric());
    let secret = words.filter(|word| word.len() == 32).find(|word| word.bytes().all(|byte| !byte.is_ascii_lowercase()));
    secret.expect("a secret is printed").to_owned()
}

fn recovery_codes_in(said: &str) -> Vec<String> {
    let words = said.split(|letter: char| !letter.is_ascii_hexdigit());
    words.filter(|word| word.len() == 64).map(str::to_owned).collect()
}

fn publish_with_a_second_factor(scene: &Scene<'_>, telling: &mut Telling) {
    let client = scene.client;
    let frank = scene.stage.paid("frank");
    let (_, codes) = set_up(&frank, "auth-and-writes");
    let name = frank.package("guarded");
    let plain = Deed::Publish { access: None, tag: None };
    let given = Deed::PublishWithCode(&codes[0]);
    telling.command("publish --otp", client, &given, || {
        // These two go to a page even where nobody reads what they say, and wait for it.
        if !matches!(client.family, Family::Bun | Family::Vlt) {
            frank.publish_as(&Package::new(&name, "1.0.0"), &plain).fails();
        }
        frank.tries_to_put(&Package::new(&name, "1.0.0")).expect(401);
        frank.ask("GET", &format!("/{name}"), None).expect(404);
        frank.publish_as(&Package::new(&name, "1.0.0"), &given).succeeds();
        assert_eq!(frank.sees(&name)["dist-tags"]["latest"], "1.0.0");
    });
    telling.command("publish asks for the code", client, &Deed::PublishAndBeAsked, || {
        let prompt = if client.is_npm() { "Enter OTP" } else { "one-time password" };
        let package = Package::new(&name, "1.1.0");
        let mut replies = vec![Reply::new(prompt, &codes[1])];
        if client.family == Family::YarnClassic {
            replies.insert(0, Reply::new("New version", "1.1.0"));
        }
        frank.publish_typing(&package, &Deed::PublishAndBeAsked, &replies).succeeds();
        assert_eq!(frank.sees(&name)["dist-tags"]["latest"], "1.1.0");
    });
    telling.command("publish goes to a page", client, &Deed::PublishAndBeSentToAPage, || {
        let confirm = Reply::by(browser::CONFIRMING, |said| browser::confirm(scene.stage.server, said, &codes[2]));
        let package = Package::new(&name, "1.2.0");
        frank.publish_typing(&package, &Deed::PublishAndBeSentToAPage, &[confirm]).succeeds();
        assert_eq!(frank.sees(&name)["dist-tags"]["latest"], "1.2.0");
    });
}

/// Sets up an authenticator as npm does, and brings the URL that it scans, and the recovery codes.
pub(super) fn set_up(person: &Person<'_>, mode: &str) -> (String, Vec<String>) {
    let change = |tfa: Value| person.ask("POST", "/-/npm/v1/user", Some(&json!({ "tfa": tfa }))).expect(200).json();
    let challenge = change(json!({ "mode": mode, "password": PASSWORD }));
    let url = challenge["tfa"].as_str().expect("an otpauth URL").to_owned();
    let codes = change(json!([totp::code(&url)]))["tfa"].take();
    (url, serde_json::from_value(codes).expect("recovery codes"))
}
