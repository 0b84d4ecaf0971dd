//! A token as somebody asks for it on a page: read, checked field by field, and turned into one.

use chrono::TimeDelta;
use ipnet::IpNet;

use crate::clock::Time;
use crate::names::{AccountId, AccountName, PackagePattern};
use crate::policy::{Narrowing, OrganizationReach, OrganizationRight, TokenRight};
use crate::tokens::{ListedToken, NewToken, TokenKind, days_allowed};

use super::super::shell::FormErrors;

/// How many packages, organizations or networks a token may name, each.
const MOST_NAMED: usize = 50;

const USUAL_DAYS: i64 = 90;

/// The fields as they are typed; they hold no secret, so they may stand in an address.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) name: String,
    pub(super) right: String,
    pub(super) packages: String,
    pub(super) organization_right: String,
    pub(super) organizations: String,
    pub(super) networks: String,
    pub(super) days: String,
    pub(super) bypasses_second_factor: bool,
    /// The key of the token that it takes the place of.
    pub(super) replaces: String,
    pub(super) ends_replaced: bool,
}

impl Wish {
    /// Reads the fields from wherever they stand.
    pub(super) fn read<'a>(field: impl Fn(&str) -> &'a str) -> Self {
        let text = |name| field(name).trim().to_owned();
        Self {
            name: text("name"),
            right: text("right"),
            packages: text("packages"),
            organization_right: text("organization-right"),
            organizations: text("organizations"),
            networks: text("networks"),
            days: text("days"),
            bypasses_second_factor: !field("bypass").is_empty(),
            replaces: text("replaces"),
            ends_replaced: !field("ends-replaced").is_empty(),
        }
    }

    /// What a CI that installs needs.
    pub(super) fn to_install(scope: &AccountName) -> Self {
        Self {
            name: "ci-read".into(),
            right: "read-only".into(),
            packages: format!("@{scope}/*"),
            organization_right: "no-access".into(),
            days: "365".into(),
            ..Self::default()
        }
    }

    /// An empty form.
    pub(super) fn plain() -> Self {
        Self {
            right: "read-only".into(),
            organization_right: "no-access".into(),
            days: USUAL_DAYS.to_string(),
            ..Self::default()
        }
    }

    /// Another one like this.
    pub(super) fn like(token: &ListedToken) -> Self {
        let narrowing = &token.narrowing;
        let lines = |texts: Vec<String>| texts.join("\n");
        let (_, most) = days_allowed(changes(narrowing));
        let days = token.expires_at.map_or(USUAL_DAYS, |end| (end - token.created_at).num_days());
        Self {
            name: token.name.clone(),
            right: right_word(narrowing.right).into(),
            packages: lines(narrowing.packages.iter().map(ToString::to_string).collect()),
            organization_right: organization_word(narrowing.organizations.right).into(),
            organizations: lines(narrowing.organizations.names.iter().map(ToString::to_string).collect()),
            networks: lines(narrowing.networks.iter().map(ToString::to_string).collect()),
            days: days.clamp(1, most).to_string(),
            bypasses_second_factor: narrowing.bypasses_second_factor,
            replaces: token.key.clone(),
            ends_replaced: false,
        }
    }

    /// The token that is wanted, or what is wrong with which field.
    pub(super) fn to_token(&self, account: AccountId, now: Time) -> Result<NewToken, FormErrors> {
        let mut errors = FormErrors::default();
        let packages = parsed(&self.packages, "packages", &mut errors, |text| {
            text.parse::<PackagePattern>().map_err(|cause| cause.to_string())
        });
        let names = parsed(&self.organizations, "organizations", &mut errors, |text| {
            text.trim_start_matches('@').parse::<AccountName>().map_err(|cause| cause.to_string())
        });
        let networks = parsed(&self.networks, "networks", &mut errors, |text| {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
            network.map_err(|_| format!("{text} is no network. Give one such as 192.0.2.0/24."))
        });
        let narrowing = Narrowing {
            right: self.right(),
            packages,
            networks,
            organizations: OrganizationReach { right: self.organization_right(), names },
            bypasses_second_factor: self.bypasses_second_factor,
        };
        let (_, most) = days_allowed(changes(&narrowing));
        let days = self.days.parse::<i64>().ok().filter(|days| (1..=most).contains(days));
        if days.is_none() {
            errors.add("days", format!("A token like this lasts from 1 to {most} days. Give another number."));
        }
        let token = NewToken {
            account,
            name: self.name.clone(),
            description: None,
            kind: TokenKind::Granular,
            narrowing,
            expires_at: days.map(|days| now + TimeDelta::days(days)),
        };
        if self.name.is_empty() {
            errors.add("name", "A token needs a name, by which you know it again. Give one.");
        } else if let Err(refused) = token.check() {
            let field = if token.name.chars().count() > 128 { "name" } else { "right" };
            errors.add(field, refused.to_string());
        }
        if errors.is_empty() { Ok(token) } else { Err(errors) }
    }

    fn right(&self) -> TokenRight {
        match self.right.as_str() {
            "read-write" => TokenRight::Everything,
            "stage-only" => TokenRight::StageOnly,
            "no-access" => TokenRight::Nothing,
            // What is no right gives the least that is of use.
            _ => TokenRight::ReadOnly,
        }
    }

    fn organization_right(&self) -> OrganizationRight {
        match self.organization_right.as_str() {
            "read-write" => OrganizationRight::Write,
            "read-only" => OrganizationRight::Read,
            _ => OrganizationRight::Nothing,
        }
    }
}

fn changes(narrowing: &Narrowing) -> bool {
    let packages = !matches!(narrowing.right, TokenRight::ReadOnly | TokenRight::Nothing);
    packages || narrowing.organizations.right == OrganizationRight::Write
}

fn right_word(right: TokenRight) -> &'static str {
    match right {
        TokenRight::Everything => "read-write",
        TokenRight::StageOnly => "stage-only",
        TokenRight::Nothing => "no-access",
        TokenRight::ReadOnly | TokenRight::Trusted(_) => "read-only",
    }
}

fn organization_word(right: OrganizationRight) -> &'static str {
    match right {
        OrganizationRight::Write => "read-write",
        OrganizationRight::Read => "read-only",
        OrganizationRight::Nothing => "no-access",
    }
}

/// The words of a field, each read; what cannot be is noted.
fn parsed<T>(
    text: &str,
    field: &'static str,
    errors: &mut FormErrors,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let texts: Vec<&str> =
        text.split(|one: char| one.is_whitespace() || one == ',').filter(|one| !one.is_empty()).collect();
    if texts.len() > MOST_NAMED {
        errors.add(field, format!("A token names at most {MOST_NAMED} of these. Make several tokens."));
        return Vec::new();
    }
    let read: Result<Vec<T>, String> = texts.into_iter().map(parse).collect();
    read.unwrap_or_else(|sentence| {
        errors.add(field, sentence);
        Vec::new()
    })
}
