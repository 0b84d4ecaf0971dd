//! Registry signatures, held against the registry's keys by npm's own code.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cast::{Cast, Stage};
use crate::client::Client;
use crate::package::Package;
use crate::process::run;
use crate::telling::Telling;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signatures.mjs");

pub(super) fn tell(stage: &Stage<'_>, telling: &mut Telling) {
    let Cast { alice, .. } = stage.cast();
    let (base, top) = (alice.package("base"), alice.package("top"));
    let reason = stage.client.checks_no_signatures();
    if telling.step_unless(reason, "npm's check of the registry's keys accepts every version") {
        alice.publish(&Package::new(&base, "1.0.0"), &[]).succeeds();
        let dependent = Package::new(&top, "1.0.0").with_field("dependencies", json!({ &base: "^1.0.0" }));
        alice.publish(&dependent, &[]).succeeds();
        let mut command = tokio::process::Command::new(&stage.client.start.program);
        command.arg(SCRIPT).arg(folder_of_npm(stage.client)).arg(&stage.server.url);
        command.arg(alice.token().expect("a token")).arg(stage.new_folder());
        command.args([format!("{base}@1.0.0"), format!("{top}@1.0.0")]);
        run(command).succeeds().saying(&format!("{base}@1.0.0: SHA256:")).saying(&format!("{top}@1.0.0: SHA256:"));
    }
}

/// The folder above `bin/npm-cli.js`.
fn folder_of_npm(client: &Client) -> PathBuf {
    let script = client.start.arguments.first().map(Path::new).expect("npm's script");
    script.ancestors().nth(2).expect("npm's folder").to_owned()
}
