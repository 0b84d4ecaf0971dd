//! The real npm 11 at a machine of somebody's own: an empty home that knows nothing of the real machine's.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::oneshot;

use crate::fetched;
use crate::process::{self, Outcome};
use crate::terminal::Reply;

const PACKAGE: &str = "npm@11";

/// Someone's npm.
pub(crate) struct Npm {
    program: PathBuf,
    home: TempDir,
    registry: String,
    environment: Vec<(&'static str, String)>,
}

impl Npm {
    /// An npm without any settings; fails the test where it cannot be had, since the machine that has a Chromium has it.
    pub(crate) async fn new(registry: &str) -> Self {
        let fetching = tokio::task::spawn_blocking(|| fetched::package("npm 11", PACKAGE));
        let packages = fetching.await.expect("no panic").unwrap_or_else(|reason| panic!("npm 11: {reason}"));
        let home = tempfile::tempdir().expect("a home");
        Self {
            program: packages.join("npm/bin/npm-cli.js"),
            home,
            registry: registry.to_owned(),
            environment: Vec::new(),
        }
    }

    /// The same with one more variable in its environment.
    pub(crate) fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.environment.push((variable, value.to_owned()));
        self
    }

    /// Says where a scope lives, as `npm login --scope` would.
    pub(crate) fn knows(&self, scope: &str) {
        let file = self.home.path().join(".npmrc");
        let known = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, format!("{known}{scope}:registry={}/\n", self.registry)).expect("a file");
    }

    /// Gives it a token.
    pub(crate) fn holds(&self, token: &str) {
        let file = self.home.path().join(".npmrc");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let host = self.registry.split_once(':').map_or("", |(_, rest)| rest);
        fs::write(file, format!("{known}{host}/:_authToken={token}\n")).expect("a file");
    }

    /// Runs npm where it concerns no folder.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_in(self.home.path(), arguments).await
    }

    /// Runs npm in a folder.
    pub(crate) async fn run_in(&self, folder: &Path, arguments: &[&str]) -> Outcome {
        let command = self.command(folder, arguments);
        tokio::task::spawn_blocking(|| process::run(command)).await.expect("no panic")
    }

    /// Runs npm at a terminal; `use_browser` goes to the address that it shows, and npm waits for what comes of it.
    pub(crate) async fn run_with_browser<F: Future<Output = ()>>(
        &self,
        folder: &Path,
        arguments: &[&str],
        use_browser: impl FnOnce(String) -> F,
    ) -> Outcome {
        let command = self.command(folder, arguments);
        let (shows, shown) = oneshot::channel();
        let running = tokio::task::spawn_blocking(move || {
            let shows = std::sync::Mutex::new(Some(shows));
            let reply = Reply::by("Press ENTER", move |said| {
                let shows = shows.lock().expect("nobody panics").take();
                let _ = shows.expect("asked once").send(address_in(said));
            });
            process::converse_at_a_terminal(command, &[reply])
        });
        if let Ok(Some(address)) = shown.await {
            use_browser(address).await;
        }
        running.await.expect("no panic")
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = Command::new("node");
        command.arg(&self.program).args(arguments).arg(format!("--registry={}", self.registry)).current_dir(folder);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home);
        command.env("npm_config_cache", home.join(".npm")).env("npm_config_update_notifier", "false");
        command.env("npm_config_globalconfig", home.join("no-npmrc-of-the-machine"));
        command.env("npm_config_fetch_retries", "0").env("NO_COLOR", "1");
        // What opens pages of itself shall open none: the browser of the test goes there.
        command.env("BROWSER", "true");
        command.envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        command
    }

    /// A folder with a package to be published.
    pub(crate) fn package(&self, name: &str, version: &str, more: &Value) -> PathBuf {
        let folder = self.folder(&format!("{}-{version}", name.replace('/', "-")));
        let mut manifest = json!({ "name": name, "version": version, "main": "index.js" });
        manifest.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        fs::write(folder.join("package.json"), manifest.to_string()).expect("a file");
        fs::write(folder.join("index.js"), "module.exports = 'from the vault'\n").expect("a file");
        fs::write(folder.join("README.md"), format!("# {name}\n\nKeeps what is dear.\n")).expect("a file");
        folder
    }

    /// A project that depends on nothing yet.
    pub(crate) fn project(&self, name: &str) -> PathBuf {
        let folder = self.folder(name);
        let manifest = json!({ "name": name, "version": "1.0.0", "private": true });
        fs::write(folder.join("package.json"), manifest.to_string()).expect("a file");
        folder
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.home.path().join("work").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// The settings it wrote.
    pub(crate) fn settings(&self) -> String {
        fs::read_to_string(self.home.path().join(".npmrc")).unwrap_or_default()
    }
}

fn address_in(said: &str) -> Option<String> {
    let words = said.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.into_iter().find(|word| word.starts_with("http") && word.contains("/cli/")).map(str::to_owned)
}
