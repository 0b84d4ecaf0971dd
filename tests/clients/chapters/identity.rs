//! Who one is: accounts, passwords, logging in and out.

use crate::cast::{PASSWORD, Stage};
use crate::person::Person;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    log_in_with_an_account_of_the_operators(stage, telling);
    log_in_without_an_account(stage, telling);
    make_an_account(stage, telling);
}

fn log_in_with_an_account_of_the_operators(stage: &Stage<'_>, telling: &mut Telling) {
    let alice = stage.stranger("alice");
    stage.server.create_user(&alice.name, PASSWORD);

    telling.step("whoami before logging in is E401 or ENEEDAUTH");
    alice.npm(&["whoami"]).fails();

    telling.step("login with a wrong password fails and says so");
    alice.log_in("not her password").fails_with("E401").saying("Incorrect user name or password");
    assert_eq!(alice.token(), None);

    telling.step("login through the legacy prompts");
    alice.log_in(PASSWORD).succeeds().saying("Logged in");

    telling.step("whoami tells the account");
    assert_eq!(alice.npm(&["whoami"]).succeeds().stdout.trim(), alice.name);

    telling.step("logout ends the token at once");
    let token = alice.token().expect("login left a token");
    alice.npm(&["logout"]).succeeds();
    assert_eq!(alice.token(), None);
    alice.hold_token(&token);
    alice.npm(&["whoami"]).fails_with("E401").saying("it is unknown, expired or revoked");

    // npm has logged in through the browser since 9, whatever it is run by.
    let reason = (stage.client.major < 9).then_some("it asks for name and password, as the next step tells");
    if telling.step_unless(reason, "login opens a page, and somebody lets the terminal in there") {
        let alice = stage.stranger("alice");
        alice.log_in_by_browser(&["login"], PASSWORD).succeeds().saying("Logged in");
        is_logged_in(&alice);
    }
    let reason = (stage.client.major >= 9).then_some("it goes to the page, as the step before told");
    if telling.step_unless(reason, "login without an auth-type falls back to the prompts") {
        let alice = stage.stranger("alice");
        alice.type_credentials(&["login"], PASSWORD).succeeds();
        is_logged_in(&alice);
    }
}

fn log_in_without_an_account(stage: &Stage<'_>, telling: &mut Telling) {
    let reason = stage.client.login_is_adduser().then_some("login makes accounts too before npm 9");
    if telling.step_unless(reason, "login with an unknown name makes no account") {
        let erin = stage.stranger("erin");
        erin.log_in(PASSWORD).fails_with("E401").saying("Incorrect user name or password");
        erin.log_in(PASSWORD).fails_with("E401");
    }
}

fn make_an_account(stage: &Stage<'_>, telling: &mut Telling) {
    if telling.step_unless(stage.client.lacks_adduser(), "adduser makes an account where sign-up is open") {
        let dave = stage.stranger("dave");
        dave.add_user().succeeds();
        is_logged_in(&dave);
    }
    if telling.step_unless(stage.client.lacks_adduser(), "adduser does not take somebody else's name") {
        let impostor = stage.stranger("alice");
        impostor.type_credentials(&["adduser", "--auth-type=legacy"], "not her password").fails_with("E401");
    }
}

fn is_logged_in(person: &Person<'_>) {
    assert_eq!(person.npm(&["whoami"]).succeeds().stdout.trim(), person.name);
}
