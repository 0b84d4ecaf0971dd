//! The whole decision, printed: actor × token × visibility × billing × action.
//!
//! The snapshot is meant to be read, also by who does not program; a change of a rule is a change of that file.

use std::fmt::Write as _;
use std::sync::Arc;

use strongroom::clock::Time;
use strongroom::names::{AccountId, PackageName};
use strongroom::policy::{
    AccountFacts, AccountKind, Action, Actor, BillingFacts, BillingFlag, Decision, ExistingPackage, Grant, Lack,
    Narrowing, OrganizationRole, PackageFacts, Permission, Principal, Visibility, decide,
};

const OWNER: i64 = 1;
const READER: i64 = 2;
const WRITER: i64 = 3;
const STRANGER: i64 = 4;
const ADMIN: i64 = 5;
const MEMBER: i64 = 6;
const ORGANIZATION: i64 = 10;

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
    })
}

/// One way to ask: who, and through which token.
struct Asker {
    label: String,
    actor: Actor,
}

fn askers(organization: bool, actor_paid: bool) -> Vec<Asker> {
    let mut people = vec![("reader", READER), ("writer", WRITER), ("stranger", STRANGER)];
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
        for (token, narrowing, address) in tokens() {
            let principal = Principal {
                account: account(id, &label.replace(' ', "-"), actor_paid),
                token: 1.into(),
                narrowing: Arc::new(narrowing),
                address: address.parse().expect("an address"),
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
        (", read-only token", Narrowing { read_only: true, ..Narrowing::default() }, "192.0.2.1"),
        (", this package's token", Narrowing { packages: narrowed("@scope/*"), ..Narrowing::default() }, "192.0.2.1"),
        (", other package's token", Narrowing { packages: narrowed("@scope/b"), ..Narrowing::default() }, "192.0.2.1"),
        (", right network", Narrowing { networks: networks.clone(), ..Narrowing::default() }, "10.1.2.3"),
        (", wrong network", Narrowing { networks, ..Narrowing::default() }, "192.0.2.1"),
    ]
}

fn facts(visibility: Option<Visibility>, organization: bool, owner_paid: bool) -> PackageFacts {
    let name: PackageName = "@scope/a".parse().expect("a name");
    let owner = account(if organization { ORGANIZATION } else { OWNER }, "scope", owner_paid);
    let grants = vec![
        Grant { user: READER.into(), permission: Permission::ReadOnly },
        Grant { user: WRITER.into(), permission: Permission::ReadWrite },
    ];
    let package =
        visibility.map(|visibility| Arc::new(ExistingPackage { id: 1.into(), visibility, grants, revision: 1 }));
    PackageFacts { name, owner: Some(owner), package }
}

fn word(decision: &Decision) -> String {
    match decision {
        Decision::Allow => "yes".into(),
        Decision::Unauthenticated => "401".into(),
        Decision::DeadCredential => "401 dead".into(),
        Decision::NotFound => "404".into(),
        Decision::PaymentRequired(payer) => format!("402 {payer}"),
        Decision::Forbidden(lack) => match lack {
            Lack::Network => "403 network",
            Lack::ReadOnlyToken => "403 read-only",
            Lack::OtherPackagesToken => "403 package",
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
        Action::Unpublish => "unpublish",
        Action::ChangeCollaborators => "touch people",
        Action::SetVisibility(Visibility::Public) => "make public",
        Action::SetVisibility(Visibility::Restricted) => "make private",
        Action::Grant => "grant",
        Action::Revoke => "revoke",
        Action::Leave => "leave",
    }
}

/// Creating is asked where nothing is, everything else where something is.
fn applies(action: Action, missing: bool) -> bool {
    let creates = matches!(action, Action::Create | Action::CreateAs(_));
    creates == missing || (missing && matches!(action, Action::Read | Action::Publish | Action::Grant))
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
                        if !reads {
                            assert_eq!(decision, ask(&missing, action), "{}: {action:?} tells a name", asker.label);
                            assert!(!matches!(decision, Decision::PaymentRequired(_)), "{}: {action:?}", asker.label);
                        }
                        if asker.label.ends_with("read-only token") && decision == Decision::Allow {
                            let changes = !matches!(action, Action::Read | Action::Inspect | Action::ListCollaborators);
                            assert!(!changes, "{} may {action:?}", asker.label);
                        }
                    }
                }
            }
        }
    }
}
