//! `strongroom access`: the operator's door to the verbs that `npm owner`, `npm access` and the access page use.

use std::str::FromStr;

use clap::{Subcommand, ValueEnum};

use crate::access::{Explanation, Term};
use crate::clock::{Time, to_npm_time};
use crate::config::Config;
use crate::names::{AccountName, PackageName, TeamName};
use crate::policy::{Actor, Ground, Intent, Permission};

use super::moment::parse_moment;
use super::session::with_app;

/// Verbs on access.
#[derive(Debug, Subcommand)]
pub(super) enum AccessCommand {
    /// Give a user or a team access to a package, or change what they have.
    Grant {
        /// Which package.
        package: PackageName,
        /// Who: a user, or a team as @ORG:TEAM.
        who: Grantee,
        /// What they may do.
        level: Level,
        /// When it ends: a date, a moment (2027-01-31T12:00:00Z), or how long from now (90d).
        #[arg(long, value_name = "TIME", value_parser = parse_moment)]
        until: Option<Time>,
    },
    /// Take the access of a user or a team.
    Revoke {
        /// Which package.
        package: PackageName,
        /// Who: a user, or a team as @ORG:TEAM.
        who: Grantee,
    },
    /// List who has access.
    List {
        /// Which package.
        package: PackageName,
    },
    /// Say why a user can or cannot read, write and administer a package.
    Explain {
        /// Who.
        user: AccountName,
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

/// Whom something is given to.
#[derive(Debug, Clone)]
pub(super) enum Grantee {
    User(AccountName),
    Team(AccountName, TeamName),
}

impl FromStr for Grantee {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('@').unwrap_or(text);
        let sentence = |cause: crate::names::InvalidName| cause.to_string();
        match text.split_once(':') {
            None => Ok(Self::User(text.parse().map_err(sentence)?)),
            Some((organization, team)) => {
                Ok(Self::Team(organization.parse().map_err(sentence)?, team.parse().map_err(sentence)?))
            }
        }
    }
}

impl std::fmt::Display for Grantee {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "{user}"),
            Self::Team(organization, team) => write!(formatter, "@{organization}:{team}"),
        }
    }
}

impl Grantee {
    /// A team has access in the scope of its organization only.
    fn fits(&self, package: &PackageName) -> anyhow::Result<()> {
        if let Self::Team(organization, _) = self {
            let scope = package.scope();
            anyhow::ensure!(
                organization.as_str() == scope.as_str(),
                "{package} is not in the scope of @{organization}"
            );
        }
        Ok(())
    }
}

pub(super) async fn run(command: AccessCommand, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| {
        let operator = Actor::Operator;
        let access = &app.access;
        match command {
            AccessCommand::Grant { package, who, level, until } => {
                who.fits(&package)?;
                let permit = access.permit(&operator, &package, Intent::GRANT).await?;
                let term = Term { permission: level.into(), until };
                match &who {
                    Grantee::User(user) => access.grant(&permit, user, term).await?,
                    Grantee::Team(_, team) => access.grant_team(&permit, team, term).await?,
                }
                let end = until.map_or_else(String::new, |until| format!(" until {}", to_npm_time(until)));
                println!("{who}: {}{end}", term.permission.as_str());
            }
            AccessCommand::Revoke { package, who } => {
                who.fits(&package)?;
                let permit = access.permit(&operator, &package, Intent::REVOKE).await?;
                match &who {
                    Grantee::User(user) => access.revoke(&permit, user).await?,
                    Grantee::Team(_, team) => access.revoke_team(&permit, team).await?,
                }
                println!("{who}: no access");
            }
            AccessCommand::List { package } => {
                let permit = access.permit(&operator, &package, Intent::LIST_COLLABORATORS).await?;
                for one in access.list_collaborators(&permit).await? {
                    let why = if one.owns { " (owns the scope)" } else { "" };
                    println!("{}: {}{why}", one.name, one.permission.as_str());
                }
            }
            AccessCommand::Explain { user, package } => {
                tell(&access.explain(&operator, &package, Some(&user)).await?);
            }
        }
        Ok(())
    })
    .await
}

fn tell(explanation: &Explanation) {
    let Explanation { user, package, visibility, .. } = explanation;
    println!("{package} is {}", visibility.as_str());
    for verdict in &explanation.verdicts {
        match &verdict.refusal {
            None => println!("{user} may {} it", verdict.deed),
            Some((code, sentence)) => println!("{user} may not {} it: {sentence} [{code}]", verdict.deed),
        }
    }
    if explanation.grounds.is_empty() {
        println!("because: nothing was given to {user}");
    }
    for ground in &explanation.grounds {
        println!("because: {}", in_words(ground));
    }
}

fn in_words(ground: &Ground) -> String {
    match ground {
        Ground::Public => "anyone may read a public package".into(),
        Ground::OwnsScope => "the scope is theirs".into(),
        Ground::Member { organization, role } => format!("{} of @{organization}", role.as_npm_word()),
        Ground::Granted { permission, team, until, ended } => {
            let through =
                team.as_ref().map_or_else(|| "given by name".to_owned(), |team| format!("through team {team}"));
            let end = match (until, ended) {
                (None, _) => String::new(),
                (Some(until), true) => format!(", ended {}", to_npm_time(*until)),
                (Some(until), false) => format!(", until {}", to_npm_time(*until)),
            };
            format!("{} {through}{end}", permission.as_str())
        }
    }
}
