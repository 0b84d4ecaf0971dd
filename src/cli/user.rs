//! `strongroom user`.

use std::io::{BufRead, IsTerminal};

use anyhow::Context;
use clap::Subcommand;

use crate::audit::By;
use crate::config::Config;
use crate::names::{AccountName, Email};
use crate::policy::{Actor, InstanceAction};
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
    /// Invite somebody to make an account, where accounts are made by invitation. Prints the link, if no mail is sent.
    Invite {
        /// Their mail address.
        email: Email,
    },
    /// Switch an account off: its tokens are dead at once, and nobody logs in.
    Disable {
        /// The account.
        name: AccountName,
    },
    /// Switch an account on again, with the tokens that it had.
    Enable {
        /// The account.
        name: AccountName,
    },
    /// Print a one-time link by which somebody who lost their password, and their mail, chooses a new one.
    Recover {
        /// The account.
        name: AccountName,
    },
    /// Take the second factor away from somebody who lost theirs.
    #[command(name = "disable-2fa")]
    DisableSecondFactor {
        /// The account.
        name: AccountName,
    },
}

pub(super) async fn run(command: UserCommand, config: Config) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { name, email, password_stdin, admin } => {
            let user = NewUser {
                name: AccountName::for_registration(&name)?,
                email: email.parse::<Email>()?,
                password: Password::chosen(&read_password(password_stdin)?)?,
                administrator: admin,
            };
            create(user, config).await
        }
        UserCommand::Invite { email } => invite(&email, config).await,
        UserCommand::Disable { name } => set_disabled(name, true, config).await,
        UserCommand::Enable { name } => set_disabled(name, false, config).await,
        UserCommand::Recover { name } => {
            with_app(config, async |app| {
                println!("{}", app.recovery.hand_out(&name).await?);
                Ok(())
            })
            .await
        }
        UserCommand::DisableSecondFactor { name } => {
            with_app(config, async |app| {
                app.second_factor.disable_for(&name).await?;
                println!("{name}: no second factor");
                Ok(())
            })
            .await
        }
    }
}

async fn set_disabled(name: AccountName, disabled: bool, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| {
        app.users.set_disabled(&name, disabled).await?;
        println!("{name}: {}", if disabled { "disabled" } else { "enabled" });
        Ok(())
    })
    .await
}

async fn create(user: NewUser, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| {
        let profile = app.users.create(user, &By::from(&Actor::Operator)).await?;
        println!("{}", profile.name);
        Ok(())
    })
    .await
}

async fn invite(email: &Email, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| {
        let permit = app.second_factor.permit_instance(&Actor::Operator, InstanceAction::ChangeAccounts).await?;
        match app.invitations.invite_to_instance(&permit, email).await?.url {
            Some(url) => println!("{url}"),
            None => println!("{email}: invited by mail"),
        }
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
