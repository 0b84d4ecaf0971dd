//! The command line: one binary, the operator's doors to the same room verbs that the wire uses.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad
//! configuration, 4 database or storage unreachable, 5 the doctor found failures (`running.md`).
#![expect(clippy::print_stdout, reason = "a command line prints its results")]

mod access;
mod advisory;
mod billing;
mod configuration;
mod doctor;
mod duration;
mod keys;
mod moment;
mod organization;
mod package;
mod serve;
mod session;
mod token;
mod trust;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config, Layers};
use crate::db::embedded::{SHIM_ARGUMENT, shim_main};
use crate::error::Error;
use crate::telemetry;

use session::Unreachable;

/// A private npm registry that anyone can run.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Where the configuration and the data are; the same for every command.
#[derive(Debug, Args)]
struct Place {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", env = "STRONGROOM_CONFIG")]
    config: Option<PathBuf>,
    /// Folder for the embedded Postgres and the package files.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A Postgres to use instead of the embedded one.
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Insist on the embedded Postgres, whatever the configuration says of another one.
    #[arg(long, global = true, conflicts_with = "database_url")]
    embedded: bool,
    /// Folder with the programs of a Postgres 15 to 18, for the embedded one.
    #[arg(long, global = true, value_name = "DIR")]
    postgres_bin: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the registry; what strongroom does without a command.
    Serve(serve::ServeArguments),
    /// Create accounts, switch them off and on, and take a lost second factor off them.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Set and show the billing flag of an account.
    #[command(subcommand)]
    Billing(billing::BillingCommand),
    /// Create, list and revoke tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Create organizations, and say who is in them and in their teams.
    #[command(subcommand)]
    Org(organization::OrganizationCommand),
    /// Give, take, list and explain access to a package.
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// Import, list and remove what npm audit answers from.
    #[command(subcommand)]
    Advisory(advisory::AdvisoryCommand),
    /// List and rotate the keys that versions are signed with.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Say which jobs of a CI may publish a package, or all of a scope.
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// List and restore what was unpublished.
    #[command(subcommand)]
    Package(package::PackageCommand),
    /// Bring the database to the schema of this build.
    Migrate,
    /// Check configuration, database, storage, clock and public URL.
    Doctor,
    /// Show or check the configuration.
    #[command(subcommand)]
    Config(configuration::ConfigCommand),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == SHIM_ARGUMENT) {
        shim_main(words)
    }
    let arguments = Arguments::parse();
    let layers = arguments.layers();
    if let Some(Command::Config(command)) = &arguments.command {
        return finish(configuration::run(command, &layers).map(|()| ExitCode::SUCCESS));
    }
    let config = match config::load(&layers) {
        Ok((config, _)) => config,
        Err(cause) => return finish(Err(cause.into())),
    };
    if arguments.place.embedded && config.database.url.is_some() {
        let sentence = "--embedded was given, and database.url is set. Decide for one of them";
        return finish(Err(BadConfiguration(sentence.into()).into()));
    }
    if let Err(cause) = telemetry::init(&config.log) {
        return finish(Err(BadConfiguration(format!("log.filter is not a tracing filter: {cause}")).into()));
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => finish(runtime.block_on(run(arguments.command, config))),
        Err(cause) => finish(Err(cause.into())),
    }
}

async fn run(command: Option<Command>, config: Config) -> anyhow::Result<ExitCode> {
    match command {
        None | Some(Command::Serve(_)) => serve::run(config).await?,
        Some(Command::User(command)) => user::run(command, config).await?,
        Some(Command::Billing(command)) => billing::run(command, config).await?,
        Some(Command::Token(command)) => token::run(command, config).await?,
        Some(Command::Org(command)) => organization::run(command, config).await?,
        Some(Command::Access(command)) => access::run(command, config).await?,
        Some(Command::Advisory(command)) => advisory::run(command, config).await?,
        Some(Command::Keys(command)) => keys::run(command, config).await?,
        Some(Command::Trust(command)) => trust::run(command, config).await?,
        Some(Command::Package(command)) => package::run(command, config).await?,
        Some(Command::Migrate) => session::open(config).await?.close().await,
        Some(Command::Doctor) => return Box::pin(doctor::run(config)).await,
        Some(Command::Config(_)) => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Marks a failure as one of the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadConfiguration(String);

fn finish(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    let failure = match outcome {
        Ok(code) => return code,
        Err(failure) => failure,
    };
    tracing::debug!(?failure, "the command failed");
    let sentences: Vec<String> = failure.chain().map(ToString::to_string).collect();
    complain(&sentences.join(": "));
    let bad_configuration = failure.is::<config::ConfigError>() || failure.is::<BadConfiguration>();
    let unreachable = failure.is::<Unreachable>()
        || matches!(failure.downcast_ref(), Some(Error::Unavailable(_) | Error::StorageFull));
    ExitCode::from(if bad_configuration {
        3
    } else if unreachable {
        4
    } else {
        1
    })
}

#[expect(clippy::print_stderr, reason = "the one place that tells of a failed command")]
fn complain(sentence: &str) {
    eprintln!("strongroom: {sentence}");
}

impl Arguments {
    fn layers(&self) -> Layers {
        let mut flags = Vec::new();
        let mut flag = |key: &str, value: Option<String>| {
            flags.extend(value.map(|value| (key.to_owned(), value)));
        };
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        flag("server.data_dir", self.place.data_dir.as_ref().map(text));
        flag("database.url", self.place.database_url.clone());
        flag("database.postgres_bin", self.place.postgres_bin.as_ref().map(text));
        if let Some(Command::Serve(serve)) = &self.command {
            flag("server.listen", serve.listen.clone());
            flag("server.public_url", serve.public_url.clone());
        }
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Layers { file: self.place.config.clone(), environment, flags }
    }
}
