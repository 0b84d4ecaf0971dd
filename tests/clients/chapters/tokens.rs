//! Tokens that may less, and tokens that ended.

use crate::cast::{Cast, Stage};
use crate::package::Package;
use crate::telling::Telling;

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let Cast { alice, nobody, .. } = stage.cast();
    let name = alice.package("one");

    telling.step("publish without logging in is refused");
    nobody.publish(&Package::new(&name, "1.0.0"), &[]).fails();

    telling.step("a read-only token installs");
    alice.publish(&Package::new(&name, "1.0.0"), &[]).succeeds();
    let reader = stage.stranger("alice");
    reader.hold_token(&stage.server.create_token(&alice.name, &["--read-only"]));
    reader.install(&name).succeeds();

    telling.step("a read-only token publishes nothing, and is told why");
    reader.publish(&Package::new(&name, "1.1.0"), &[]).fails_with("E403").saying("This token is read-only");

    telling.step("a token for other packages sees nothing of this one");
    let elsewhere = stage.stranger("alice");
    let other = alice.package("other");
    elsewhere.hold_token(&stage.server.create_token(&alice.name, &["--packages", &other]));
    elsewhere.view(&[&name]).fails_with("E404");
    elsewhere.publish(&Package::new(&other, "1.0.0"), &[]).succeeds();

    telling.step("a revoked token is E401, never E404: view, install, publish");
    stage.server.revoke_token(&alice.token().expect("Alice holds a token"));
    let refused = "it is unknown, expired or revoked";
    alice.view(&[&name]).fails_with("E401").saying(refused);
    alice.install(&name).fails_with("E401").saying(refused);
    alice.publish(&Package::new(&name, "1.1.0"), &[]).fails_with("E401").saying(refused);

    telling.step("a revoked token still reads what is public, and npm is told of it");
    let public = reader.package("public");
    let owner = stage.stranger("alice");
    owner.hold_token(&stage.server.create_token(&alice.name, &[]));
    owner.publish(&Package::new(&public, "1.0.0"), &["--access=public"]).succeeds();
    // npm prints no notice of an answer that it has in its cache, so this is the first look.
    alice.view(&[&public]).succeeds().saying("Your token is not valid any more");
    alice.install(&public).succeeds();
}
