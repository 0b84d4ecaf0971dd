//! Someone at a machine: a home of their own with an npm that knows the registry, and nothing of the real machine's.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::cast::{PASSWORD, Stage};
use crate::package::Package;
use crate::process::{self, Answer, Outcome};
use crate::project::Project;

/// Someone with an npm.
pub(crate) struct Person<'a> {
    stage: &'a Stage<'a>,
    pub(crate) name: String,
    home: PathBuf,
    /// Where commands run that concern no folder.
    desk: Project,
}

impl<'a> Person<'a> {
    /// Someone whose npm knows the registry, has an empty cache, and holds no token.
    pub(crate) fn new(stage: &'a Stage<'a>, name: String) -> Self {
        let home = stage.new_folder();
        let desk = Project::new(stage.new_folder());
        let person = Self { stage, name, home, desk };
        person.configure("");
        person
    }

    /// The same person with the same token at another machine, where npm's cache is empty.
    pub(crate) fn at_a_new_machine(&self) -> Self {
        let person = Self::new(self.stage, self.name.clone());
        if let Some(token) = self.token() {
            person.hold_token(&token);
        }
        person
    }

    /// The name of a package in this person's scope.
    pub(crate) fn package(&self, name: &str) -> String {
        format!("@{}/{name}", self.name)
    }

    /// Runs npm.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Outcome {
        self.npm_in(self.desk.path(), arguments)
    }

    /// Runs npm in a folder.
    pub(crate) fn npm_in(&self, folder: &Path, arguments: &[&str]) -> Outcome {
        process::run(self.command(folder, arguments))
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = self.stage.client.start.command();
        command.args(arguments).current_dir(folder).env_clear();
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).env("HOME", &self.home);
        command.env("npm_config_globalconfig", self.home.join("no-npmrc-of-the-machine"));
        command
    }

    /// Logs in with name and password, typed at npm's prompts.
    pub(crate) fn log_in(&self, password: &str) -> Outcome {
        self.type_credentials(&["login", "--auth-type=legacy"], password)
    }

    /// Makes an account with name, password and mail address, typed at npm's prompts.
    pub(crate) fn add_user(&self) -> Outcome {
        self.type_credentials(&["adduser", "--auth-type=legacy"], PASSWORD)
    }

    /// Runs a command that asks who one is; a client that asks for no mail address does not read that line.
    pub(crate) fn type_credentials(&self, arguments: &[&str], password: &str) -> Outcome {
        let mail = format!("{}@example.com", self.name);
        let answers = [
            Answer { prompt: "Username", line: &self.name },
            Answer { prompt: "Password", line: password },
            Answer { prompt: "Email", line: &mail },
        ];
        process::converse(self.command(self.desk.path(), arguments), &answers)
    }

    /// Gives npm a token.
    pub(crate) fn hold_token(&self, token: &str) {
        let place = self.stage.server.without_scheme();
        self.configure(&format!("{place}:_authToken={token}\n"));
    }

    /// The token that npm holds.
    pub(crate) fn token(&self) -> Option<String> {
        let text = fs::read_to_string(self.home.join(".npmrc")).expect("an npmrc");
        let token = text.lines().find_map(|line| line.split_once(":_authToken="));
        token.map(|(_, token)| token.trim_matches('"').to_owned())
    }

    fn configure(&self, credentials: &str) {
        let registry = &self.stage.server.url;
        fs::write(self.home.join(".npmrc"), format!("registry={registry}\n{credentials}")).expect("an npmrc");
    }

    /// Publishes a package, with these flags.
    pub(crate) fn publish(&self, package: &Package, flags: &[&str]) -> Outcome {
        let folder = self.stage.new_folder();
        package.write_to(&folder);
        self.npm_in(&folder, &[&["publish"], flags].concat())
    }

    /// Installs into a new project.
    pub(crate) fn install(&self, what: &str) -> Outcome {
        self.install_into(&self.new_project(), what)
    }

    /// Installs into a project.
    pub(crate) fn install_into(&self, project: &Project, what: &str) -> Outcome {
        self.npm_in(project.path(), &["install", what])
    }

    /// Looks at a package, or at one field of it.
    pub(crate) fn view(&self, what: &[&str]) -> Outcome {
        self.npm(&[&["view"], what].concat())
    }

    /// A project that depends on nothing.
    pub(crate) fn new_project(&self) -> Project {
        Project::new(self.stage.new_folder())
    }
}
