//! `strongroom access`: the operator's door to the verbs that `npm owner` and the access page use.

use clap::{Subcommand, ValueEnum};

use crate::config::Config;
use crate::names::{AccountName, PackageName};
use crate::policy::{Actor, Intent, Permission};

use super::session::with_app;

/// Verbs on access.
#[derive(Debug, Subcommand)]
pub(super) enum AccessCommand {
    /// Give a user access to a package, or change what they have.
    Grant {
        /// Which package.
        package: PackageName,
        /// Who.
        user: AccountName,
        /// What they may do.
        level: Level,
    },
    /// Take a user's access.
    Revoke {
        /// Which package.
        package: PackageName,
        /// Who.
        user: AccountName,
    },
    /// List who has access.
    List {
        /// Which package.
        package: PackageName,
    },
}

/// A permission as a word.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Level {
    ReadOnly,
    ReadWrite,
}

impl From<Level> for Permission {
    fn from(level: Level) -> Self {
        match level {
            Level::ReadOnly => Self::ReadOnly,
            Level::ReadWrite => Self::ReadWrite,
        }
    }
}

pub(super) async fn run(command: AccessCommand, config: Config) -> anyhow::Result<()> {
    let operator = Actor::Operator;
    match command {
        AccessCommand::Grant { package, user, level } => {
            with_app(config, async |app| {
                let permit = app.access.permit(&operator, &package, Intent::GRANT).await?;
                app.access.grant(&permit, &user, level.into()).await?;
                println!("{user}: {}", Permission::from(level).as_str());
                Ok(())
            })
            .await
        }
        AccessCommand::Revoke { package, user } => {
            with_app(config, async |app| {
                let permit = app.access.permit(&operator, &package, Intent::REVOKE).await?;
                app.access.revoke(&permit, &user).await?;
                println!("{user}: no access");
                Ok(())
            })
            .await
        }
        AccessCommand::List { package } => {
            with_app(config, async |app| {
                let permit = app.access.permit(&operator, &package, Intent::LIST_COLLABORATORS).await?;
                for one in app.access.list_collaborators(&permit).await? {
                    let why = if one.owns { " (owns the scope)" } else { "" };
                    println!("{}: {}{why}", one.name, one.permission.as_str());
                }
                Ok(())
            })
            .await
        }
    }
}
