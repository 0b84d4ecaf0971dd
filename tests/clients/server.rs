//! The server under test, on a database of its own, and the operator who runs commands beside it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use strongroom::clock::{Time, to_npm_time};
use tempfile::TempDir;

use crate::ci::Services;
use crate::process::{self, Answer, Outcome};

const EXECUTABLE: &str = env!("CARGO_BIN_EXE_strongroom");
/// The start of the line by which the server says that it is ready; its URL follows.
const READY: &str = "strongroom ready at ";

/// What differs from the defaults: anybody may sign up, nobody is paid unless the operator says so, all the clients
/// together may log in from the one address they have, and the log tells of trouble only.
const SETTINGS: &[(&str, &str)] = &[
    ("STRONGROOM__AUTH__SIGNUP", "open"),
    ("STRONGROOM__BILLING__PROVIDER", "manual"),
    ("STRONGROOM__LIMITS__LOGIN_PER_MINUTE", "100000"),
    ("STRONGROOM__LOG__FILTER", "warn"),
];

/// A listening server, stopped when dropped.
pub(crate) struct Server {
    child: Child,
    data_dir: TempDir,
    /// The CI services that it knows.
    pub(crate) services: Services,
    /// Where it listens, with a slash at the end, as npm keeps it.
    pub(crate) url: String,
}

impl Server {
    /// Starts a server on an empty data folder and waits until it is ready.
    pub(crate) fn start() -> Self {
        let data_dir = tempfile::tempdir().expect("a temporary folder");
        // Root runs Postgres as another user, who must be able to pass.
        fs::set_permissions(data_dir.path(), fs::Permissions::from_mode(0o711)).expect("a mode");
        let services = Services::start();
        let configuration = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(&configuration, services.configuration()).expect("a configuration");
        let mut child = command(&data_dir)
            .arg("--config")
            .arg(configuration.path())
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = output.lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix(READY).map(|url| format!("{}/", url.trim_end_matches('/'))));
        Self { child, data_dir, services, url: url.expect("the server becomes ready") }
    }

    /// The URL without its scheme, which npm's credentials are kept under.
    pub(crate) fn without_scheme(&self) -> &str {
        self.url.strip_prefix("http:").expect("the server speaks http here")
    }

    /// The host and port it listens at.
    pub(crate) fn address(&self) -> &str {
        self.without_scheme().trim_matches('/')
    }

    /// Makes an account.
    pub(crate) fn create_user(&self, name: &str, password: &str) {
        let mail = format!("{name}@example.com");
        self.operate_with(&["user", "create", name, "--email", &mail, "--password-stdin"], password);
    }

    /// Makes an organization, with a plan.
    pub(crate) fn create_organization(&self, name: &str, owner: &str) {
        self.operate(&["org", "create", name, "--owner", owner]);
        self.set_paid(name);
    }

    /// Tells of a hole in every version of a package.
    pub(crate) fn import_advisory(&self, package: &str) {
        let advisory = json!({
            "id": format!("TEST-{}", package.replace(['@', '/'], "-")),
            "modified": "2026-01-01T00:00:00Z",
            "summary": "The ink runs",
            "affected": [{
                "package": { "ecosystem": "npm", "name": package },
                "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": "2.0.0" }] }],
            }],
            "database_specific": { "severity": "HIGH" },
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("advisory.json");
        fs::write(&file, advisory.to_string()).expect("a file");
        self.operate(&["advisory", "import", &file.to_string_lossy()]);
    }

    /// Makes a token for an account, with these further flags.
    pub(crate) fn create_token(&self, name: &str, flags: &[&str]) -> String {
        let arguments = [&["token", "create", "--user", name], flags].concat();
        self.operate(&arguments).stdout.trim().to_owned()
    }

    /// Ends a token.
    pub(crate) fn revoke_token(&self, token: &str) {
        self.operate_with(&["token", "revoke", "-"], token);
    }

    /// Says that an account is paid, without end.
    pub(crate) fn set_paid(&self, name: &str) {
        self.operate(&["billing", "set", name, "paid"]);
    }

    /// Says that an account is paid until a moment.
    pub(crate) fn set_paid_until(&self, name: &str, until: Time) {
        self.operate(&["billing", "set", name, "paid", "--until", &to_npm_time(until)]);
    }

    /// Says that an account is not paid.
    pub(crate) fn set_unpaid(&self, name: &str) {
        self.operate(&["billing", "set", name, "unpaid"]);
    }

    /// Runs a command of the operator beside the server.
    fn operate(&self, arguments: &[&str]) -> Outcome {
        self.operate_with(arguments, "")
    }

    fn operate_with(&self, arguments: &[&str], line: &str) -> Outcome {
        let mut command = command(&self.data_dir);
        command.args(arguments);
        process::converse(command.into(), &[Answer { prompt: "", line }]).succeeds()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// The executable with the settings above, and none that this process may have been given.
fn command(data_dir: &TempDir) -> Command {
    let mut command = Command::new(EXECUTABLE);
    let given = std::env::vars_os().map(|(name, _)| name);
    for name in given.filter(|name| name.as_encoded_bytes().starts_with(b"STRONGROOM")) {
        command.env_remove(name);
    }
    command.envs(SETTINGS.iter().copied()).env("STRONGROOM__SERVER__DATA_DIR", data_dir.path());
    command
}
