//! Many people at once: what a list says, looked at before anything is done, and then done in one go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::access;
use crate::error::{Error, Result};
use crate::names::{AccountName, TeamName};
use crate::policy::{OrganizationPermit, OrganizationRole};
use crate::users;

use super::members::no_owner;
use super::{Organizations, Touched, store};

/// The longest list that is taken at once.
pub const MOST_PEOPLE: usize = 500;

/// A line of a list of people: `name[,role[,team…]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitee {
    /// Who: the name of a user.
    pub user: AccountName,
    /// In which role.
    pub role: OrganizationRole,
    /// Into which teams.
    pub teams: Vec<TeamName>,
}

/// A line as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadLine {
    /// The number of the line, from 1.
    pub number: usize,
    /// Whoever is named, as it was written.
    pub who: String,
    /// What it says, or what is wrong with it.
    pub outcome: Result<Invitee, String>,
}

/// Reads a pasted list or a CSV file. Blank lines, and a heading as spreadsheets write it, are no lines.
///
/// # Errors
/// `Unprocessable` where there is no line, or where there are too many.
pub fn read_people(text: &str) -> Result<Vec<ReadLine>> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines: Vec<_> = lines.filter(|(number, line)| !line.is_empty() && !is_heading(*number, line)).collect();
    if lines.is_empty() {
        return Err(Error::Unprocessable("There is nobody on this list. Write one name on each line.".into()));
    }
    if lines.len() > MOST_PEOPLE {
        return Err(Error::Unprocessable(
            format!("This list has {} lines; {MOST_PEOPLE} are taken at once. Send it in parts.", lines.len()).into(),
        ));
    }
    let mut seen = BTreeSet::new();
    Ok(lines.into_iter().map(|(number, line)| read_line(number, line, &mut seen)).collect())
}

fn is_heading(number: usize, line: &str) -> bool {
    let first = cells(line).next().unwrap_or_default().to_lowercase();
    number == 1 && matches!(first.as_str(), "name" | "user name" | "username" | "e-mail" | "email" | "name-or-email")
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"').trim())
}

fn read_line(number: usize, line: &str, seen: &mut BTreeSet<String>) -> ReadLine {
    let mut cells = cells(line);
    let who = cells.next().unwrap_or_default().trim_start_matches(['@', '~']).to_lowercase();
    let outcome = read_cells(&who, cells).and_then(|invitee| {
        let is_new = seen.insert(who.clone());
        if is_new { Ok(invitee) } else { Err("stands on this list twice".to_owned()) }
    });
    ReadLine { number, who, outcome }
}

fn read_cells<'a>(who: &str, mut cells: impl Iterator<Item = &'a str>) -> Result<Invitee, String> {
    let user = who.parse().map_err(|_| "is no user name".to_owned())?;
    let role = match cells.next().unwrap_or_default() {
        "" => OrganizationRole::Member,
        word => word.to_lowercase().parse().map_err(|()| format!("{word} is no role: member, admin or owner"))?,
    };
    let teams = cells.filter(|cell| !cell.is_empty()).map(|cell| {
        cell.to_lowercase().parse::<TeamName>().map_err(|_| format!("{cell} cannot be the name of a team"))
    });
    Ok(Invitee { user, role, teams: teams.collect::<Result<_, _>>()? })
}

/// What becomes of one line if the list is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preview {
    /// Becomes a member.
    Joins,
    /// Is a member, and gets another role.
    Changes(OrganizationRole),
    /// Is a member in this role already.
    Stays,
    /// What is wrong.
    Wrong(String),
}

impl Organizations {
    /// What would become of each of these people, line by line.
    ///
    /// # Errors
    /// The database's.
    pub async fn preview_people(&self, permit: &OrganizationPermit, people: &[Invitee]) -> Result<Vec<Preview>> {
        let organization = permit.organization();
        let names: Vec<_> = people.iter().map(|one| one.user.clone()).collect();
        let found = users::list_users(self.db.reads(), &names).await?;
        let teams: BTreeSet<_> = store::list_teams(self.db.reads(), organization.id).await?.into_iter().collect();
        let preview = |one: &Invitee| {
            let Some(account) = found.get(&one.user) else {
                return Preview::Wrong(format!("there is no user {}", one.user));
            };
            if let Some(team) = one.teams.iter().find(|team| !teams.contains(team)) {
                return Preview::Wrong(format!("there is no team {team}"));
            }
            match organization.role_of(*account) {
                None => Preview::Joins,
                Some(role) if role == one.role => Preview::Stays,
                Some(role) => Preview::Changes(role),
            }
        };
        Ok(people.iter().map(preview).collect())
    }

    /// Makes all of these people members, in their roles and teams: all of it or nothing. Returns how many members there
    /// now are.
    ///
    /// # Errors
    /// `NotFound` for an unknown user or team, `Unprocessable` where no owner would be left.
    pub async fn add_people(&self, permit: &OrganizationPermit, people: &[Invitee]) -> Result<usize> {
        let mut transaction = self.db.begin().await?;
        let permit = self.lock(&mut transaction, permit).await?;
        let organization = permit.organization();
        let mut size = organization.members.len();
        let now = self.clock.now();
        for one in people {
            let found = users::find_user(&mut transaction, &one.user).await?;
            let account = found.ok_or_else(|| users::no_user(&one.user))?;
            size += usize::from(organization.role_of(account).is_none());
            store::upsert_member(&mut transaction, organization.id, account, one.role, now).await?;
            let developers: TeamName = TeamName::DEVELOPERS.parse()?;
            for name in std::iter::once(&developers).chain(&one.teams) {
                match access::find_team(&mut transaction, organization.id, name).await? {
                    Some(team) => store::insert_team_member(&mut transaction, team, account, now).await?,
                    None if *name == developers => {}
                    None => return Err(super::teams::no_team(&permit, name)),
                }
            }
        }
        let after = store::load_facts(&mut transaction, organization.id).await?;
        if !after.is_some_and(|facts| facts.members.iter().any(|(_, role)| *role == OrganizationRole::Owner)) {
            return Err(no_owner(&organization.name));
        }
        let roles: BTreeMap<_, _> = people.iter().map(|one| (one.user.as_str(), one.role.as_npm_word())).collect();
        let detail = json!({ "users": roles });
        self.finish(transaction, &permit, Touched::EveryPackage, "organization.members", detail).await?;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_read_line_by_line() {
        let lines =
            read_people("Name,Role\n\nbob\n@Carol , admin, ops; design\n\"dave\"\towner\nbob\nno name\neve,king\n");
        let lines = lines.unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.number, line.outcome.as_ref().map(|one| one.role))).collect();
        assert_eq!(told[0], (3, Ok(OrganizationRole::Member)));
        assert_eq!(told[1], (4, Ok(OrganizationRole::Admin)));
        assert_eq!(lines[1].outcome.as_ref().unwrap().teams.len(), 2);
        assert_eq!(told[2], (5, Ok(OrganizationRole::Owner)));
        assert!(told[3].1.unwrap_err().contains("twice"));
        assert!(told[4].1.unwrap_err().contains("no user name"));
        assert!(told[5].1.unwrap_err().contains("king is no role"));
    }

    #[test]
    fn a_list_of_nobody_or_of_too_many_is_refused() {
        assert!(read_people(" \n\n").is_err());
        assert!(read_people(&"bob\n".repeat(MOST_PEOPLE + 1)).is_err());
    }
}
