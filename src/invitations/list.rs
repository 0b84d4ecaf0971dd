//! Lists of people, pasted or from a file.

use crate::error::{Error, Result};
use crate::names::{Email, TeamName};
use crate::policy::OrganizationRole;

use super::Invitee;

/// The most lines that are read at once.
pub const MOST_LINES: usize = 500;

/// A line of a list: who, in which role, in which teams, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which line it was, from 1.
    pub number: usize,
    /// The line.
    pub text: String,
    /// What it says.
    pub read: std::result::Result<(Invitee, OrganizationRole, Vec<TeamName>), String>,
}

/// Reads lines of `who`, `who, role` or `who, role, team team`; semicolons and tabs are commas too. Empty lines are left
/// out, and so is a first line that names columns; who comes twice is told of.
pub fn read_list(text: &str, role: OrganizationRole) -> Vec<Line> {
    let mut seen: Vec<String> = Vec::new();
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut lines = Vec::new();
    for (at, line) in numbered.take(MOST_LINES + 1) {
        let text = line.trim().to_owned();
        if at == 0 && is_heading(&text) {
            continue;
        }
        let mut read = if lines.len() >= MOST_LINES {
            Err(format!("A list has at most {MOST_LINES} lines. Send the rest in another one."))
        } else {
            read_line(&text, role)
        };
        if let Ok((invitee, ..)) = &read {
            let who = invitee.to_string().to_lowercase();
            if seen.contains(&who) {
                read = Err(format!("{who} is in this list already."));
            } else {
                seen.push(who);
            }
        }
        lines.push(Line { number: at + 1, text, read });
    }
    lines
}

/// Reads mail addresses, separated by blanks, lines, commas or semicolons; who comes twice is invited once.
///
/// # Errors
/// `Unprocessable`, naming what is no address; also for none at all, and for more than can be invited at once.
pub fn read_addresses(text: &str) -> Result<Vec<Email>> {
    let mut addresses: Vec<Email> = Vec::new();
    let words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';'));
    for word in words.filter(|word| !word.is_empty()) {
        let email: Email = word.trim_matches(['<', '>', '"']).parse().map_err(|_| {
            let word: String = word.chars().take(60).collect();
            Error::Unprocessable(format!("{word} is no mail address. Mend or remove it; nobody was invited.").into())
        })?;
        if !addresses.iter().any(|known| known.as_str().eq_ignore_ascii_case(email.as_str())) {
            addresses.push(email);
        }
    }
    match addresses.len() {
        0 => Err(Error::Unprocessable("There is no mail address on this list. Write one on each line.".into())),
        1..=MOST_LINES => Ok(addresses),
        _ => Err(Error::Unprocessable(
            format!("At most {MOST_LINES} people are invited at once. Send the rest in another list.").into(),
        )),
    }
}

fn is_heading(line: &str) -> bool {
    let first = line.split([',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"').to_lowercase();
    ["email", "e-mail", "mail", "name", "user", "username", "who"].contains(&first.as_str())
}

fn read_line(
    line: &str,
    role: OrganizationRole,
) -> std::result::Result<(Invitee, OrganizationRole, Vec<TeamName>), String> {
    let mut cells = line.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"').trim());
    let who = cells.next().unwrap_or_default();
    let invitee = Invitee::read(who).map_err(|cause| cause.to_string())?;
    let role = match cells.next().unwrap_or_default().to_lowercase().as_str() {
        "" => role,
        word => word.parse().map_err(|()| format!("{word:?} is no role. Say member, admin or owner."))?,
    };
    let teams = cells.flat_map(str::split_whitespace).map(str::parse::<TeamName>);
    let teams = teams.collect::<std::result::Result<_, _>>().map_err(|cause| cause.to_string())?;
    Ok((invitee, role, teams))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_from_people_and_from_spreadsheets() {
        let text = "email;role;teams\r\nada@example.com\n\n bob , admin, core web \n\"eve@example.com\";Owner;\ncarol\tmember\nbob";
        let lines = read_list(text, OrganizationRole::Member);
        let shown: Vec<String> = lines
            .iter()
            .map(|line| match &line.read {
                Ok((who, role, teams)) => format!("{} {who} {} {}", line.number, role.as_str(), teams.len()),
                Err(problem) => format!("{} {problem}", line.number),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 ada@example.com member 0",
                "4 bob admin 2",
                "5 eve@example.com owner 0",
                "6 carol member 0",
                "7 bob is in this list already.",
            ]
        );
    }

    #[test]
    fn addresses_are_pasted_as_they_come() {
        let read = |text: &str| read_addresses(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        let pasted = " ada@example.com, <bob@example.com>;\r\nADA@example.com\teve@example.com\n\n";
        assert_eq!(read(pasted).unwrap(), ["ada@example.com", "bob@example.com", "eve@example.com"]);
        for (wrong, why) in [("", "no mail address on this list"), ("ada@example.com bob", "bob is no mail address")] {
            assert!(read(wrong).unwrap_err().to_string().contains(why), "{wrong}");
        }
        let many: Vec<_> = (0..=MOST_LINES).map(|at| format!("a{at}@example.com")).collect();
        assert!(read(&many.join("\n")).unwrap_err().to_string().contains("At most"));
    }

    #[test]
    fn what_is_wrong_is_told_of_its_line() {
        let lines = read_list("a b\n@\nada, boss\nada, member, No Team!", OrganizationRole::Member);
        assert!(lines.iter().all(|line| line.read.is_err()), "{lines:?}");
        let many = "x@example.com\n".repeat(600);
        assert_eq!(read_list(&many, OrganizationRole::Member).len(), MOST_LINES + 1);
    }
}
