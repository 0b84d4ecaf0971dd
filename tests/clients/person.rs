//! Someone at a machine: a home of their own with a client that knows the registry, and nothing of the real machine's.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use crate::browser;
use crate::cast::{PASSWORD, Stage};
use crate::ci::Environment;
use crate::families::{Deed, Family, Home, Words};
use crate::package::Package;
use crate::process::{self, Answer, Outcome};
use crate::project::Project;
use crate::terminal::Reply;
use crate::wire::{self, Answered};

/// Someone with a client.
pub(crate) struct Person<'a> {
    stage: &'a Stage<'a>,
    pub(crate) name: String,
    home: PathBuf,
    scopes: Vec<String>,
    /// What the client is told by its environment beside that.
    environment: Environment,
    /// Where commands run that concern no folder.
    desk: Project,
}

impl<'a> Person<'a> {
    /// Someone whose client knows the registry, has an empty cache, and holds no token.
    pub(crate) fn new(stage: &'a Stage<'a>, name: String) -> Self {
        let home = stage.new_folder();
        let desk = Project::new(stage.new_folder());
        stage.client.family.settle(desk.path(), Some("project"));
        let mut scopes = ["alice", "bob", "carol"].map(|role| stage.account(role)).to_vec();
        scopes.push(name.clone());
        let person = Self { stage, name, home, scopes, environment: Environment::new(), desk };
        person.family().configure(&person.home(), None);
        person
    }

    /// The same person in a job of a CI.
    pub(crate) fn in_job(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    fn family(&self) -> Family {
        self.stage.client.family
    }

    fn home(&self) -> Home<'_> {
        Home { folder: &self.home, server: self.stage.server, scopes: &self.scopes }
    }

    /// The same person with the same token at another machine, where the client's cache is empty.
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

    /// Says it in the client's words.
    pub(crate) fn does(&self, deed: &Deed<'_>) -> Outcome {
        self.does_in(self.desk.path(), deed)
    }

    /// Says it in the client's words, in a folder.
    #[track_caller]
    pub(crate) fn does_in(&self, folder: &Path, deed: &Deed<'_>) -> Outcome {
        let words = self.words(deed);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        self.npm_in(folder, &words)
    }

    /// Runs the client.
    pub(crate) fn npm(&self, arguments: &[&str]) -> Outcome {
        self.npm_in(self.desk.path(), arguments)
    }

    /// Runs the client in a folder.
    pub(crate) fn npm_in(&self, folder: &Path, arguments: &[&str]) -> Outcome {
        process::run(self.command(folder, arguments))
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = self.stage.client.start.command();
        command.args(arguments).current_dir(folder).env_clear();
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).env("HOME", &self.home);
        let under_home = [
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_DATA_HOME", ".data"),
            ("XDG_STATE_HOME", ".state"),
            ("npm_config_globalconfig", "no-npmrc-of-the-machine"),
        ];
        command.envs(under_home.map(|(variable, folder)| (variable, self.home.join(folder))));
        command.env("npm_config_update_notifier", "false");
        // The opener of a machine with a browser fails where there is no screen, unless it is told what to open with.
        command.env("BROWSER", "true");
        command.envs(self.family().environment(&self.home()));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Says it in the client's words at a terminal, and types what is asked for.
    #[track_caller]
    pub(crate) fn types(&self, deed: &Deed<'_>, replies: &[Reply<'_>]) -> Outcome {
        self.types_in(self.desk.path(), deed, replies)
    }

    /// Publishes a package in the client's words at a terminal, and types what is asked for.
    pub(crate) fn publish_typing(&self, package: &Package, deed: &Deed<'_>, replies: &[Reply<'_>]) -> Outcome {
        self.types_in(&self.folder_with(package), deed, replies)
    }

    fn types_in(&self, folder: &Path, deed: &Deed<'_>, replies: &[Reply<'_>]) -> Outcome {
        let words = self.words(deed);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        process::converse_at_a_terminal(self.command(folder, &words), replies)
    }

    #[track_caller]
    fn words(&self, deed: &Deed<'_>) -> Vec<String> {
        match self.stage.client.words(deed) {
            Words::Said(words) => words,
            _ => panic!("{} has no words for {deed:?}", self.stage.client.label),
        }
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

    /// The same, at a terminal: some clients ask nobody else.
    pub(crate) fn type_credentials_at_a_terminal(&self, arguments: &[&str], password: &str) -> Outcome {
        let mail = format!("{}@example.com", self.name);
        let replies =
            [Reply::new("Username", &self.name), Reply::new("Password", password), Reply::new("Email", &mail)];
        process::converse_at_a_terminal(self.command(self.desk.path(), arguments), &replies)
    }

    /// Runs a command that opens a page to log in on, and lets the terminal in there.
    pub(crate) fn log_in_by_browser(&self, arguments: &[&str], password: &str) -> Outcome {
        let server = self.stage.server;
        let let_in = Reply::by(browser::LOGGING_IN, |said| browser::let_in(server, said, &self.name, password));
        let mut replies = vec![let_in];
        if self.family() == Family::Yarn {
            // It names the page only to who does not want it opened.
            replies.insert(0, Reply::new("open your browser", "n"));
        }
        process::converse_at_a_terminal(self.command(self.desk.path(), arguments), &replies)
    }

    /// Gives the client a token.
    pub(crate) fn hold_token(&self, token: &str) {
        self.family().configure(&self.home(), Some(token));
    }

    /// The token that the client holds.
    pub(crate) fn token(&self) -> Option<String> {
        self.family().token(&self.home)
    }

    /// Publishes a package, with these flags of npm's.
    pub(crate) fn publish(&self, package: &Package, flags: &[&str]) -> Outcome {
        self.npm_in(&self.folder_with(package), &[&["publish"], flags].concat())
    }

    /// Publishes a package in the client's words.
    pub(crate) fn publish_as(&self, package: &Package, deed: &Deed<'_>) -> Outcome {
        self.does_in(&self.folder_with(package), deed)
    }

    fn folder_with(&self, package: &Package) -> PathBuf {
        let folder = self.stage.new_folder();
        package.write_to(&folder);
        self.family().settle(&folder, Some(package.name()));
        folder
    }

    /// Installs into a new project.
    pub(crate) fn install(&self, what: &str) -> Outcome {
        self.install_into(&self.new_project(), what)
    }

    /// Installs into a project.
    pub(crate) fn install_into(&self, project: &Project, what: &str) -> Outcome {
        self.does_in(project.path(), &Deed::Add(what))
    }

    /// Looks at a package, or at one field of it.
    pub(crate) fn view(&self, what: &[&str]) -> Outcome {
        self.npm(&[&["view"], what].concat())
    }

    /// A project that depends on nothing.
    pub(crate) fn new_project(&self) -> Project {
        let project = Project::new(self.stage.new_folder());
        self.family().settle(project.path(), Some("project"));
        project
    }

    /// What the registry answers to this person's token, with no client in between.
    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answered {
        wire::send(self.stage.server.address(), self.token().as_deref(), method, path, body)
    }

    /// The same with a one-time code.
    #[track_caller]
    pub(crate) fn ask_with_code(&self, code: &str, method: &str, path: &str, body: Option<&Value>) -> Answered {
        wire::send_with_code(self.stage.server.address(), self.token().as_deref(), Some(code), method, path, body)
    }

    /// A package as this person sees it, with no client in between.
    #[track_caller]
    pub(crate) fn sees(&self, package: &str) -> Value {
        self.ask("GET", &format!("/{package}"), None).expect(200).json()
    }

    /// Puts a package there, with no client in between.
    #[track_caller]
    pub(crate) fn puts(&self, package: &Package) {
        self.tries_to_put(package).expect(201);
    }

    /// The same, whatever the answer.
    pub(crate) fn tries_to_put(&self, package: &Package) -> Answered {
        self.ask("PUT", &format!("/{}", package.name()), Some(&package.document()))
    }
}
