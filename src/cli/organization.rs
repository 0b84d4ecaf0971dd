//! `strongroom org`: the operator's door to organizations and teams.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};

use crate::app::App;
use crate::audit::By;
use crate::config::Config;
use crate::names::{AccountName, TeamName};
use crate::policy::{Actor, OrganizationAction, OrganizationPermit, OrganizationRole};

use super::session::with_app;

/// Verbs on organizations.
#[derive(Debug, Subcommand)]
pub(super) enum OrganizationCommand {
    /// Create an organization.
    Create {
        /// Its name, and the name of its scope.
        name: String,
        /// The user who shall own it.
        #[arg(long, value_name = "USER")]
        owner: AccountName,
    },
    /// List organizations.
    List,
    /// Make many users members at once: one line each, USER or USER,ROLE.
    Invite {
        /// Which organization.
        organization: AccountName,
        /// A file of lines; - for standard input.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Say who is a member.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Say which teams there are, and who is in them.
    #[command(subcommand)]
    Team(TeamCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// Make a user a member, or give a member another role.
    Set {
        /// Which organization.
        organization: AccountName,
        /// Who.
        user: AccountName,
        /// In which role.
        #[arg(default_value = "developer")]
        role: Role,
    },
    /// Take a member out of the organization and all its teams.
    Remove {
        /// Which organization.
        organization: AccountName,
        /// Who.
        user: AccountName,
    },
    /// List members.
    List {
        /// Which organization.
        organization: AccountName,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TeamCommand {
    /// Create a team.
    Create {
        /// Which organization.
        organization: AccountName,
        /// Its name.
        team: TeamName,
    },
    /// Remove a team, and what was given through it.
    Destroy {
        /// Which organization.
        organization: AccountName,
        /// Which team.
        team: TeamName,
    },
    /// Put a member into a team.
    Add {
        /// Which organization.
        organization: AccountName,
        /// Which team.
        team: TeamName,
        /// Who.
        user: AccountName,
    },
    /// Take somebody out of a team.
    Remove {
        /// Which organization.
        organization: AccountName,
        /// Which team.
        team: TeamName,
        /// Who.
        user: AccountName,
    },
    /// List the teams of an organization, or who is in one.
    List {
        /// Which organization.
        organization: AccountName,
        /// Which team.
        team: Option<TeamName>,
    },
}

/// A role as a word.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Role {
    Developer,
    Admin,
    Owner,
}

impl From<Role> for OrganizationRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Developer => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

pub(super) async fn run(command: OrganizationCommand, config: Config) -> anyhow::Result<()> {
    with_app(config, async |app| match command {
        OrganizationCommand::Create { name, owner } => {
            let name = AccountName::for_registration(&name)?;
            app.organizations.create(&name, &owner, &By::from(&Actor::Operator)).await?;
            println!("{name}");
            Ok(())
        }
        OrganizationCommand::List => {
            for one in app.organizations.list().await? {
                println!("{}: {} members, {} packages", one.name, one.members, one.packages);
            }
            Ok(())
        }
        OrganizationCommand::Invite { organization, file } => invite(app, &organization, &file).await,
        OrganizationCommand::Member(command) => member(app, command).await,
        OrganizationCommand::Team(command) => team(app, command).await,
    })
    .await
}

async fn permit(app: &App, name: &AccountName, action: OrganizationAction) -> anyhow::Result<OrganizationPermit> {
    Ok(app.organizations.permit(&Actor::Operator, name, action).await?)
}

/// Reads the whole list before anything is changed: a typing error on the last line shall not leave half of it done.
async fn invite(app: &App, organization: &AccountName, file: &Path) -> anyhow::Result<()> {
    let text = if file == Path::new("-") {
        std::io::stdin().lock().lines().collect::<Result<Vec<_>, _>>()?.join("\n")
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    let mut people = Vec::new();
    for (number, line) in lines {
        let (user, role) = line.split_once(',').unwrap_or((line, "developer"));
        let user: AccountName = user.trim().parse().with_context(|| format!("line {number}"))?;
        let role: OrganizationRole =
            role.trim().parse().map_err(|()| anyhow::anyhow!("line {number}: a role is developer, admin or owner"))?;
        anyhow::ensure!(app.users.find(&user).await?.is_some(), "line {number}: there is no user {user}");
        people.push((user, role));
    }
    let permit = permit(app, organization, OrganizationAction::ChangeMembers).await?;
    for (user, role) in &people {
        app.organizations.set_member(&permit, user, *role).await?;
        println!("{user}: {}", role.as_npm_word());
    }
    Ok(())
}

async fn member(app: &App, command: MemberCommand) -> anyhow::Result<()> {
    match command {
        MemberCommand::Set { organization, user, role } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeMembers).await?;
            app.organizations.set_member(&permit, &user, role.into()).await?;
            println!("{user}: {}", OrganizationRole::from(role).as_npm_word());
        }
        MemberCommand::Remove { organization, user } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeMembers).await?;
            let removal = app.organizations.remove_member(&permit, &user).await?;
            println!("{user}: no member");
            if removal.kept_grants > 0 {
                println!("{user} keeps access to {} packages by name", removal.kept_grants);
            }
        }
        MemberCommand::List { organization } => {
            let permit = permit(app, &organization, OrganizationAction::See).await?;
            for member in app.organizations.list_members(&permit).await? {
                println!("{}: {}", member.name, member.role.as_npm_word());
            }
        }
    }
    Ok(())
}

async fn team(app: &App, command: TeamCommand) -> anyhow::Result<()> {
    let organizations = &app.organizations;
    match command {
        TeamCommand::Create { organization, team } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeTeams).await?;
            organizations.create_team(&permit, &team, "").await?;
            println!("@{organization}:{team}");
        }
        TeamCommand::Destroy { organization, team } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeTeams).await?;
            organizations.destroy_team(&permit, &team).await?;
            println!("@{organization}:{team} is gone");
        }
        TeamCommand::Add { organization, team, user } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeTeams).await?;
            organizations.add_to_team(&permit, &team, &user).await?;
            println!("{user}: in @{organization}:{team}");
        }
        TeamCommand::Remove { organization, team, user } => {
            let permit = permit(app, &organization, OrganizationAction::ChangeTeams).await?;
            organizations.remove_from_team(&permit, &team, &user).await?;
            println!("{user}: not in @{organization}:{team}");
        }
        TeamCommand::List { organization, team } => {
            let permit = permit(app, &organization, OrganizationAction::See).await?;
            match team {
                None => {
                    for team in organizations.list_teams(&permit).await? {
                        println!("{team}");
                    }
                }
                Some(team) => {
                    let users = organizations.list_team_members(&permit, &team).await?;
                    for user in &users {
                        println!("{user}");
                    }
                }
            }
        }
    }
    Ok(())
}
