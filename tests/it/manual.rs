//! What the manual says is so.

use std::path::Path;
use std::process::Command;

/// The lines of a chapter that are typed into a terminal.
fn typed(markdown: &str) -> impl Iterator<Item = &str> {
    let blocks = markdown.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines)
}

/// Wrong usage ends with 2; a configuration that is not there is looked for once the usage is known to be right.
#[test]
fn every_command_in_the_manual_is_one() {
    let program = Path::new(env!("CARGO_BIN_EXE_strongroom"));
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/manual");
    let mut tried = 0;
    for file in std::fs::read_dir(manual).expect("the manual").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a chapter");
        for line in typed(&text).filter(|line| line.split(' ').any(|word| word == "strongroom")) {
            if line.starts_with("docker") {
                continue;
            }
            let mut command = Command::new("/bin/sh");
            command.args(["-c", line]).env("PATH", program.parent().expect("a folder"));
            let output = command.env("STRONGROOM_CONFIG", "/nowhere/strongroom.toml").output().expect("a shell");
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{}: {line}\n{said}", file.path().display());
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
}
