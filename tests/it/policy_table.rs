//! The whole decision, printed: actor × token × visibility × billing × action.
//!
//! The snapshot is meant to be read, also by who does not program; a change of a rule is a change of that file.

use std::fmt::Write as _;
use std::sync::Arc;

use strongroom::clock::Time;
use strongroom::names::{AccountId, PackageName};
use strongroom::policy::{
    AccountFacts, AccountKind, Action, Actor, BillingFacts, BillingFlag, Decision, ExistingPackage, Grant, Lack,
    Narrowing, Offer, OrganizationRole, PackageFacts, PackageSecondFactor, Permission, Principal, TokenRight,
    TrustedDeeds, Visibility, decide,
};

const OWNER: i64 = 1;
const READER: i64 = 2;
const WRITER: i64 = 3;
const STRANGER: i64 = 4;
const ADMIN: i64 = 5;
const MEMBER: i64 = 6;
/// In a team with read-write, and named with read-only.
const TEAMMATE: i64 = 7;
/// Whose grants have just ended.
const FORMER: i64 = 8;
/// Whose better grant has just ended.
const LEAVING: i64 = 9;
const ORGANIZATION: i64 = 10;

fn grant(user: i64, permission: Permission, expires_at: Option<Time>, team: Option<&str>) -> Grant {
    Grant { user: user.into(), permission, expires_at, team: team.map(|team| team.parse().expect("a name")) }
}

fn now() -> Time {
    "2026-05-01T12:00:00Z".parse().expect("a moment")
}

fn flag(paid: bool) -> BillingFlag {
    // A plan that ended a moment ago is as good as none: lapsing is by time, not by an event.
    BillingFlag::Paid { until: Some(if paid { now() + chrono::TimeDelta::seconds(1) } else { now() }) }
}

fn account(id: i64, name: &str, paid: bool) -> Arc<AccountFacts> {
    let kind = if id == ORGANIZATION { AccountKind::Organization } else { AccountKind::User };
    let members = match kind {
        AccountKind::User => Vec::new(),
        AccountKind::Organization => vec![
            (AccountId::from(OWNER), OrganizationRole::Owner),
            (AccountId::from(ADMIN), OrganizationRole::Admin),
            (AccountId::from(MEMBER), OrganizationRole::Member),
        ],
    };
    Arc::new(AccountFacts {
        id: id.into(),
        name: name.parse().expect("a name"),
        kind,
        billing: flag(paid),
        members,
        disabled: false,
        second_factor: None,
        administrator: false,
        members_need_second_factor: false,
    })
}

/// One way to ask: who, and through which token.
struct Asker {
    label: String,
    actor: Actor,
}

fn askers(organization: bool, actor_paid: bool) -> Vec<Asker> {
    let mut people = vec![
        ("reader", READER),
        ("writer", WRITER),
        ("stranger", STRANGER),
        ("teammate", TEAMMATE),
        ("former", FORMER),
        ("leaving", LEAVING),
    ];
    if organization {
        people.splice(0..0, [("org owner", OWNER), ("org admin", ADMIN), ("org member", MEMBER)]);
    } else {
        people.insert(0, ("owner", OWNER));
    }
    let mut askers = vec![
        Asker { label: "anonymous".into(), actor: Actor::Anonymous },
        Asker { label: "dead token".into(), actor: Actor::Dead },
        Asker { label: "operator".into(), actor: Actor::Operator },
    ];
    for (label, id) in people {
        let plain = [TEAMMATE, FORMER, LEAVING].contains(&id);
        for (token, narrowing, address) in tokens().into_iter().take(if plain { 1 } else { usize::MAX }) {
            let principal = Principal {
                account: account(id, &label.replace(' ', "-"), actor_paid),
                token: 1.into(),
                narrowing: Arc::new(narrowing),
                address: address.parse().expect("an address"),
                confirmed: false,
                offer: Offer::default(),
            };
            askers.push(Asker { label: format!("{label}{token}"), actor: Actor::User(principal) });
        }
    }
    askers
}

fn tokens() -> Vec<(&'static str, Narrowing, &'static str)> {
    let networks = vec!["10.0.0.0/8".parse().expect("a network")];
    let narrowed = |package: &str| vec![package.parse().expect("a pattern")];
    vec![
        ("", Narrowing::default(), "192.0.2.1"),
        (", read-only token", Narrowing::read_only(), "192.0.2.1"),
        (", stage-only token", Narrowing { right: TokenRight::StageOnly, ..Narrowing::default() }, "192.0.2.1"),
        (", organizations' token", Narrowing { right: TokenRight::Nothing, ..Narrowing::default() }, "192.0.2.1"),
        (", trusted publisher", Narrowing { right: trusted(), ..Narrowing::default() }, "192.0.2.1"),
        (", machine's token", Narrowing { bypasses_second_factor: true, ..Narrowing::default() }, "192.0.2.1"),
        (", this package's token", Narrowing { packages: narrowed("@scope/*"), ..Narrowing::default() }, "192.0.2.1"),
        (", other package's token", Narrowing { packages: narrowed("@scope/b"), ..Narrowing::default() }, "192.0.2.1"),
        (", right network", Narrowing { networks: networks.clone(), ..Narrowing::default() }, "10.1.2.3"),
        (", wrong network", Narrowing { networks, ..Narrowing::default() }, "192.0.2.1"),
    ]
}

fn trusted() -> TokenRight {
    TokenRight::Trusted(TrustedDeeds { publish: true, stage: true, tags: false })
}

fn facts(visibility: Option<Visibility>, organization: bool, owner_paid: bool) -> PackageFacts {
    let name: PackageName = "@scope/a".parse().expect("a name");
    let owner = account(if organization { ORGANIZATION } else { OWNER }, "scope", owner_paid);
    let grants = vec![
        grant(READER, Permission::ReadOnly, None, None),
        grant(WRITER, Permission::ReadWrite, None, None),
        // The better of two counts, whichever way it came.
        grant(TEAMMATE, Permission::ReadOnly, None, None),
        grant(TEAMMATE, Permission::ReadWrite, None, Some("ops")),
        grant(FORMER, Permission::ReadWrite, Some(now()), None),
        grant(FORMER, Permission::ReadOnly, Some(now()), Some("ops")),
        grant(LEAVING, Permission::ReadWrite, Some(now()), None),
        grant(LEAVING, Permission::ReadOnly, Some(now() + chrono::TimeDelta::seconds(1)), Some("ops")),
    ];
    let second_factor = PackageSecondFactor::default();
    let package = visibility
        .map(|visibility| Arc::new(ExistingPackage { id: 1.into(), visibility, grants, second_factor, revision: 1 }));
    PackageFacts { name, owner: Some(owner), package }
}

fn word(decision: &Decision) -> String {
    match decision {
        Decision::Allow => "yes".into(),
        Decision::Unauthenticated => "401".into(),
        Decision::DeadCredential => "401 dead".into(),
        Decision::NotFound => "404".into(),
        Decision::PaymentRequired(debtor) => format!("402 {}", debtor.name),
        Decision::SecondFactorRequired => "401 code".into(),
        Decision::Forbidden(lack) => match lack {
            Lack::Network => "403 network",
            Lack::ReadOnlyToken => "403 read-only",
            Lack::NarrowToken => "403 token",
            Lack::OtherPackagesToken => "403 package",
            Lack::MachineToken => "403 machine",
            Lack::SecondFactor => "403 no factor",
            Lack::MemberSecondFactor => "403 member",
            Lack::Membership => "403 membership",
            Lack::Role(_) => "403 role",
            Lack::Collaboration => "403 stranger",
            Lack::Write => "403 write",
            Lack::Administration => "403 admin",
        }
        .into(),
    }
}

fn heading(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Inspect => "inspect",
        Action::ListCollaborators => "list people",
        Action::Create => "create",
        Action::CreateAs(Visibility::Public) => "create public",
        Action::CreateAs(Visibility::Restricted) => "create private",
        Action::Publish => "publish",
        Action::Stage => "stage",
        Action::SeeStaged => "see staged",
        Action::ReviewStaged => "review",
        Action::Deprecate => "deprecate",
        Action::Transfer => "transfer",
        Action::MoveTag => "move tag",
        Action::MoveLatest => "move latest",
        Action::Star => "star",
        Action::Delete => "delete",
        Action::Restore => "restore",
        Action::Explain => "explain",
        Action::ExplainOthers => "explain others",
        Action::Export => "export",
        Action::RequireSecondFactor => "ask for code",
        Action::SeeTrust => "see trust",
        Action::SetTrust => "set trust",
        Action::Unpublish => "unpublish",
        Action::ChangeCollaborators => "touch people",
        Action::SetVisibility(Visibility::Public) => "make public",
        Action::SetVisibility(Visibility::Restricted) => "make private",
        Action::Grant => "grant",
        Action::Revoke => "revoke",
        Action::Leave => "leave",
    }
}

fn may_precede(action: Action) -> bool {
    use Action::{Restore, ReviewStaged, SeeStaged, SeeTrust, SetTrust, Stage};
    matches!(action, Stage | SeeStaged | ReviewStaged | SeeTrust | SetTrust | Restore)
}

/// Creating is asked where nothing is, everything else where something is.
fn applies(action: Action, missing: bool) -> bool {
    let creates = matches!(action, Action::Create | Action::CreateAs(_));
    creates == missing
        || (missing && (may_precede(action) || matches!(action, Action::Read | Action::Publish | Action::Grant)))
}

fn section(out: &mut String, visibility: Option<Visibility>, organization: bool, paid: (bool, bool)) {
    let (owner_paid, actor_paid) = paid;
    let what = visibility.map_or("missing", Visibility::as_str);
    let whose = if organization { "an organization" } else { "a user" };
    let say = |paid| if paid { "paid" } else { "unpaid" };
    writeln!(out, "## a {what} package of {whose}; owner {}, actor {}\n", say(owner_paid), say(actor_paid))
        .expect("text");
    let actions: Vec<Action> =
        Action::ALL.into_iter().filter(|action| applies(*action, visibility.is_none())).collect();
    let mut row = format!("{:34}", "");
    for action in &actions {
        write!(row, "{:16}", heading(*action)).expect("text");
    }
    writeln!(out, "{}", row.trim_end()).expect("text");
    for asker in askers(organization, actor_paid) {
        let facts = facts(visibility, organization, owner_paid);
        let billing = BillingFacts::of(facts.owner.as_deref(), asker.actor.account());
        // A scope's owner is one account: it has one flag, the owner's.
        let mut row = format!("{:34}", asker.label);
        for action in &actions {
            let decision = decide(&asker.actor, *action, &facts, &billing, now());
            write!(row, "{:16}", word(&decision)).expect("text");
        }
        writeln!(out, "{}", row.trim_end()).expect("text");
    }
    out.push('\n');
}

#[test]
fn the_table_of_all_decisions() {
    let mut out = String::new();
    for organization in [false, true] {
        for visibility in [Some(Visibility::Restricted), Some(Visibility::Public), None] {
            for paid in [(true, true), (false, true), (true, false), (false, false)] {
                section(&mut out, visibility, organization, paid);
            }
        }
    }
    insta::assert_snapshot!(out);
}

/// What must hold of every line of the table, said once more without the table.
#[test]
fn no_rule_is_broken_anywhere_in_the_table() {
    for organization in [false, true] {
        for visibility in [Some(Visibility::Restricted), Some(Visibility::Public), None] {
            for (owner_paid, actor_paid) in [(true, true), (false, true), (true, false), (false, false)] {
                for asker in askers(organization, actor_paid) {
                    let facts = facts(visibility, organization, owner_paid);
                    let missing = self::facts(None, organization, owner_paid);
                    let ask = |facts: &PackageFacts, action| {
                        let billing = BillingFacts::of(facts.owner.as_deref(), asker.actor.account());
                        decide(&asker.actor, action, facts, &billing, now())
                    };
                    let reads = ask(&facts, Action::Inspect) == Decision::Allow
                        || matches!(ask(&facts, Action::Read), Decision::PaymentRequired(_));
                    for action in Action::ALL.into_iter().filter(|action| applies(*action, false)) {
                        let decision = ask(&facts, action);
                        // A member may create in the scope, and so finds out which names are taken.
                        let finds_out = asker.label.starts_with("org member") && may_precede(action);
                        if !reads && !finds_out {
                            assert_eq!(decision, ask(&missing, action), "{}: {action:?} tells a name", asker.label);
                            assert!(!matches!(decision, Decision::PaymentRequired(_)), "{}: {action:?}", asker.label);
                        }
                        if let Decision::PaymentRequired(debtor) = &decision {
                            let owes = facts.owner.as_ref().filter(|owner| owner.name == debtor.name);
                            let kind = owes.map_or(AccountKind::User, |owner| owner.kind);
                            assert_eq!(debtor.kind, kind, "{}: {action:?} names {debtor:?}", asker.label);
                        }
                        if asker.label.ends_with("read-only token") && decision == Decision::Allow {
                            assert!(!action.changes(), "{} may {action:?}", asker.label);
                        }
                    }
                }
            }
        }
    }
}
