//! `strongroom user`.

use std::io::{BufRead, IsTerminal};

use anyhow::Context;
use clap::Subcommand;

use crate::audit::By;
use crate::config::Config;
use crate::names::{AccountName, Email};
use crate::policy::Actor;
use crate::users::{NewUser, Password};

use super::session::with_app;

/// Verbs on accounts.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Create an account.
    Create {
        /// Its name, and the name of its scope.
        name: String,
        /// Where mail goes.
        #[arg(long, value_name = "MAIL")]
        email: String,
        /// Read the password from standard input, up to the end of the first line.
        #[arg(long)]
        password_stdin: bool,
        /// Let it administer this instance.
        #[arg(long)]
        admin: bool,
    },
}

pub(super) async fn run(command: UserCommand, config: Config) -> anyhow::Result<()> {
    let UserCommand::Create { name, email, password_stdin, admin } = command;
    let user = NewUser {
        name: AccountName::for_registration(&name)?,
        email: email.parse::<Email>()?,
        password: Password::chosen(&read_password(password_stdin)?)?,
        administrator: admin,
    };
    with_app(config, async |app| {
        let profile = app.users.create(user, &By::from(&Actor::Operator)).await?;
        println!("{}", profile.name);
        Ok(())
    })
    .await
}

fn read_password(from_stdin: bool) -> anyhow::Result<String> {
    if !from_stdin && std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        let again = rpassword::prompt_password("Once more: ")?;
        anyhow::ensure!(first == again, "the two passwords differ. Nothing was changed");
        return Ok(first);
    }
    anyhow::ensure!(from_stdin, "no terminal to ask for a password. Pipe it in and give --password-stdin");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password could not be read")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}
