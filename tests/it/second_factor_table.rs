//! The rest of the decision, printed: who is asked for a second factor, and who may do what to an account or to an
//! organization.

use std::fmt::Write as _;
use std::sync::Arc;

use strongroom::clock::Time;
use strongroom::names::{AccountId, PackageName};
use strongroom::policy::{
    AccountAction, AccountFacts, AccountKind, Action, Actor, BillingFacts, BillingFlag, Decision, ExistingPackage,
    Grant, InstanceAction, Lack, Narrowing, Offer, OrganizationAction, OrganizationReach, OrganizationRight,
    OrganizationRole, PackageFacts, PackageSecondFactor, Permission, Principal, SecondFactorMode, TokenRight,
    TrustedDeeds, Visibility, decide, decide_account, decide_instance, decide_organization,
};

const OWNER: i64 = 1;
const ORGANIZATION: i64 = 10;

fn now() -> Time {
    "2026-05-01T12:00:00Z".parse().expect("a moment")
}

fn account(id: i64, second_factor: Option<SecondFactorMode>) -> Arc<AccountFacts> {
    let roles = [OrganizationRole::Owner, OrganizationRole::Admin, OrganizationRole::Member];
    let members = (OWNER..).map(AccountId::from).zip(roles).collect();
    let is_organization = id == ORGANIZATION;
    Arc::new(AccountFacts {
        id: id.into(),
        name: "scope".parse().expect("a name"),
        kind: if is_organization { AccountKind::Organization } else { AccountKind::User },
        billing: BillingFlag::Paid { until: None },
        members: if is_organization { members } else { Vec::new() },
        disabled: false,
        second_factor,
        administrator: false,
        members_need_second_factor: false,
    })
}

fn user(id: i64, mode: Option<SecondFactorMode>, narrowing: Narrowing, confirmed: bool) -> Actor {
    Actor::User(Principal {
        account: account(id, mode),
        token: 1.into(),
        narrowing: Arc::new(narrowing),
        address: [192, 0, 2, 1].into(),
        confirmed,
        offer: Offer::default(),
    })
}

fn tokens() -> Vec<(&'static str, Narrowing)> {
    let organizations = |right, names: &[&str]| OrganizationReach {
        right,
        names: names.iter().map(|name| name.parse().expect("a name")).collect(),
    };
    let packages = vec!["@scope/a".parse().expect("a pattern")];
    let deeds = TrustedDeeds { publish: true, stage: true, tags: true };
    let nothing = organizations(OrganizationRight::Nothing, &[]);
    let here = organizations(OrganizationRight::Write, &["scope"]);
    let elsewhere = organizations(OrganizationRight::Write, &["other"]);
    vec![
        ("login", Narrowing::default()),
        ("read-only", Narrowing::read_only()),
        ("one package's", Narrowing { packages, organizations: nothing.clone(), ..Narrowing::default() }),
        ("this organization's", Narrowing { right: TokenRight::Nothing, organizations: here, ..Narrowing::default() }),
        ("other's", Narrowing { right: TokenRight::Nothing, organizations: elsewhere, ..Narrowing::default() }),
        ("machine's", Narrowing { bypasses_second_factor: true, ..Narrowing::default() }),
        (
            "trusted publisher",
            Narrowing { right: TokenRight::Trusted(deeds), organizations: nothing, ..Narrowing::default() },
        ),
    ]
}

fn word(decision: &Decision) -> String {
    match decision {
        Decision::Allow => "yes".into(),
        Decision::Unauthenticated => "401".into(),
        Decision::DeadCredential => "401 dead".into(),
        Decision::SecondFactorRequired => "401 code".into(),
        Decision::NotFound => "404".into(),
        Decision::PaymentRequired(_) => "402".into(),
        Decision::Forbidden(Lack::MemberSecondFactor) => "403 MemberFactor".into(),
        Decision::Forbidden(lack) => format!("403 {lack:?}"),
    }
}

fn heading(out: &mut String, actions: &[impl std::fmt::Debug]) {
    let names = actions.iter().map(|action| format!("{:22}", format!("{action:?}")));
    let row = names.fold(" ".repeat(52), |row, name| row + &name);
    writeln!(out, "{}", row.trim_end()).expect("text");
}

fn line(out: &mut String, label: &str, decisions: impl IntoIterator<Item = Decision>) {
    let mut row = format!("{label:52}");
    for decision in decisions {
        write!(row, "{:22}", word(&decision)).expect("text");
    }
    writeln!(out, "{}", row.trim_end()).expect("text");
}

const MODES: [Option<SecondFactorMode>; 3] =
    [None, Some(SecondFactorMode::AuthOnly), Some(SecondFactorMode::AuthAndWrites)];

fn say(mode: Option<SecondFactorMode>, confirmed: bool) -> String {
    let mode = mode.map_or("no second factor", SecondFactorMode::as_str);
    format!("{mode}{}", if confirmed { ", code shown" } else { "" })
}

fn package(second_factor: PackageSecondFactor) -> PackageFacts {
    let name: PackageName = "@scope/a".parse().expect("a name");
    let visibility = Visibility::Restricted;
    let package = ExistingPackage { id: 1.into(), visibility, grants: Vec::new(), second_factor, revision: 1 };
    PackageFacts { name, owner: Some(account(OWNER, None)), package: Some(Arc::new(package)) }
}

#[test]
fn who_is_asked_for_a_second_factor() {
    let actions = [
        Action::Read,
        Action::Star,
        Action::MoveTag,
        Action::Stage,
        Action::MoveLatest,
        Action::Publish,
        Action::Unpublish,
        Action::Delete,
        Action::Grant,
        Action::SetVisibility(Visibility::Public),
        Action::ReviewStaged,
        Action::SetTrust,
    ];
    let mut out = String::new();
    for (publish_requires, automation_overrides) in [(false, false), (true, false), (true, true)] {
        writeln!(out, "## package asks: {publish_requires}; a machine's token will do: {automation_overrides}\n")
            .expect("text");
        heading(&mut out, &actions);
        let facts = package(PackageSecondFactor { publish_requires, automation_overrides });
        for mode in MODES {
            for confirmed in [false, true] {
                for (token, narrowing) in tokens() {
                    let actor = user(OWNER, mode, narrowing, confirmed);
                    let billing = BillingFacts::of(facts.owner.as_deref(), actor.account());
                    let decisions = actions.map(|action| decide(&actor, action, &facts, &billing, now()));
                    line(&mut out, &format!("{token}, {}", say(mode, confirmed)), decisions);
                }
            }
        }
        out.push('\n');
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_may_be_done_to_ones_own_account() {
    let mut out = String::new();
    heading(&mut out, &AccountAction::ALL);
    for (label, actor) in [("anonymous", Actor::Anonymous), ("dead token", Actor::Dead), ("operator", Actor::Operator)]
    {
        line(&mut out, label, AccountAction::ALL.map(|action| decide_account(&actor, action)));
    }
    for mode in MODES {
        for confirmed in [false, true] {
            for (token, narrowing) in tokens() {
                let actor = user(OWNER, mode, narrowing, confirmed);
                let decisions = AccountAction::ALL.map(|action| decide_account(&actor, action));
                line(&mut out, &format!("{token}, {}", say(mode, confirmed)), decisions);
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_may_be_done_to_an_organization() {
    let mut out = String::new();
    heading(&mut out, &OrganizationAction::ALL);
    let organization = account(ORGANIZATION, None);
    let decide =
        |actor: &Actor| OrganizationAction::ALL.map(|action| decide_organization(actor, action, Some(&organization)));
    for (label, actor) in [("anonymous", Actor::Anonymous), ("dead token", Actor::Dead), ("operator", Actor::Operator)]
    {
        line(&mut out, label, decide(&actor));
    }
    for (role, id) in [("owner", OWNER), ("admin", 2), ("member", 3), ("stranger", 4)] {
        for (token, narrowing) in tokens() {
            line(&mut out, &format!("{role}, {token}"), decide(&user(id, None, narrowing, false)));
        }
        for confirmed in [false, true] {
            let mode = Some(SecondFactorMode::AuthAndWrites);
            let label = format!("{role}, login, {}", say(mode, confirmed));
            line(&mut out, &label, decide(&user(id, mode, Narrowing::default(), confirmed)));
        }
    }
    insta::assert_snapshot!(out);
    let nobody = user(OWNER, None, Narrowing::default(), false);
    let user_account = account(OWNER, None);
    for missing in [None, Some(&*user_account)] {
        assert_eq!(decide_organization(&nobody, OrganizationAction::See, missing), Decision::NotFound);
    }
}

/// An organization that asks its members for a second factor: what is left to those who have none.
#[test]
fn what_is_left_to_members_without_a_second_factor() {
    let mut out = String::new();
    let organization = Arc::new(AccountFacts {
        members_need_second_factor: true,
        ..AccountFacts::clone(&account(ORGANIZATION, None))
    });
    heading(&mut out, &OrganizationAction::ALL);
    let people = [("owner", OWNER), ("admin", 2), ("member", 3), ("collaborator", 4)];
    for (role, id) in people {
        for mode in [None, Some(SecondFactorMode::AuthOnly)] {
            let actor = user(id, mode, Narrowing::default(), false);
            let decisions =
                OrganizationAction::ALL.map(|action| decide_organization(&actor, action, Some(&organization)));
            line(&mut out, &format!("{role}, {}", say(mode, false)), decisions);
        }
    }
    let actions = [Action::Read, Action::Inspect, Action::Explain, Action::Publish, Action::Grant, Action::Leave];
    for visibility in [Visibility::Restricted, Visibility::Public] {
        writeln!(out, "\n## a {} package that all were given read-write\n", visibility.as_str()).expect("text");
        heading(&mut out, &actions);
        let grants = (1..=4).map(|id| Grant {
            user: AccountId::from(id),
            permission: Permission::ReadWrite,
            expires_at: None,
            team: None,
        });
        let second_factor = PackageSecondFactor::default();
        let package =
            ExistingPackage { id: 1.into(), visibility, grants: grants.collect(), second_factor, revision: 1 };
        let facts = PackageFacts {
            name: "@scope/a".parse().expect("a name"),
            owner: Some(organization.clone()),
            package: Some(Arc::new(package)),
        };
        for (role, id) in people {
            for mode in [None, Some(SecondFactorMode::AuthOnly)] {
                for (token, narrowing) in
                    tokens().into_iter().filter(|(token, _)| ["login", "trusted publisher"].contains(token))
                {
                    let actor = user(id, mode, narrowing, false);
                    let billing = BillingFacts::of(facts.owner.as_deref(), actor.account());
                    let decisions = actions.map(|action| decide(&actor, action, &facts, &billing, now()));
                    line(&mut out, &format!("{role}, {token}, {}", say(mode, false)), decisions);
                }
            }
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_may_be_done_to_the_instance() {
    let mut out = String::new();
    heading(&mut out, &InstanceAction::ALL);
    let decide = |actor: &Actor| InstanceAction::ALL.map(|action| decide_instance(actor, action));
    for (label, actor) in [("anonymous", Actor::Anonymous), ("dead token", Actor::Dead), ("operator", Actor::Operator)]
    {
        line(&mut out, label, decide(&actor));
    }
    for administrator in [false, true] {
        let who = if administrator { "administrator" } else { "user" };
        for (token, narrowing) in tokens() {
            line(&mut out, &format!("{who}, {token}"), decide(&person(administrator, None, narrowing, false)));
        }
        for confirmed in [false, true] {
            let mode = Some(SecondFactorMode::AuthOnly);
            let actor = person(administrator, mode, Narrowing::default(), confirmed);
            line(&mut out, &format!("{who}, login, {}", say(mode, confirmed)), decide(&actor));
        }
    }
    insta::assert_snapshot!(out);
}

fn person(administrator: bool, mode: Option<SecondFactorMode>, narrowing: Narrowing, confirmed: bool) -> Actor {
    let Actor::User(principal) = user(OWNER, mode, narrowing, confirmed) else { unreachable!("a user") };
    let account = Arc::new(AccountFacts { administrator, ..AccountFacts::clone(&principal.account) });
    Actor::User(Principal { account, ..principal })
}
