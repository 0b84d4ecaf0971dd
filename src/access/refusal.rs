//! The sentence behind each refusal: what happened, why, what to do next.

use crate::billing;
use crate::error::{Error, READ_ONLY_TOKEN, WRONG_NETWORK};
use crate::names::{AccountName, PackageName};
use crate::policy::{AccountKind, Actor, Debtor, Decision, Lack};

/// Turns a decision other than `Allow` into the error that the caller sees.
///
/// The sentence of `NotFound` depends on the actor and on the name as it was sent, on nothing else: a missing package
/// and a hidden one read the same (`security.md` 2.2).
pub(super) fn explain(decision: &Decision, actor: &Actor, name: &PackageName, public_url: &str) -> Error {
    match decision {
        Decision::Allow => Error::internal("an allowed action was refused"),
        Decision::Unauthenticated => Error::Unauthenticated(
            format!("You must be logged in to do this to {name}. Run npm login --registry={public_url}.").into(),
        ),
        Decision::DeadCredential => Error::DeadCredential,
        Decision::NotFound => not_found(actor, name),
        Decision::Forbidden(lack) => {
            let sentence = forbidden(*lack, actor, name).into();
            let asks_owner = matches!(lack, Lack::Collaboration | Lack::Write | Lack::Administration);
            Error::Lacking { lack: *lack, sentence, ask: asks_owner.then(|| format!("@{}", name.scope())) }
        }
        Decision::PaymentRequired(debtor) => payment_required(debtor, actor, name, public_url),
        Decision::SecondFactorRequired => Error::SecondFactorRequired { web: None },
    }
}

/// The same, where it is not known yet which package it is about.
pub(super) fn explain_credential(decision: &Decision, public_url: &str) -> Error {
    match decision {
        Decision::DeadCredential => Error::DeadCredential,
        Decision::Forbidden(lack) => {
            let sentence = match lack {
                Lack::Network => WRONG_NETWORK,
                Lack::ReadOnlyToken => READ_ONLY_TOKEN,
                _ => "This token may not publish. Use one that may.",
            };
            Error::Lacking { lack: *lack, sentence: sentence.into(), ask: None }
        }
        _ => Error::Unauthenticated(
            format!("You must be logged in to publish packages. Run npm login --registry={public_url}.").into(),
        ),
    }
}

fn not_found(actor: &Actor, name: &PackageName) -> Error {
    let sentence = match actor {
        Actor::Operator => format!("There is no package {name}. Check the name."),
        Actor::User(principal) => format!(
            "No package {name} that you may read. You are signed in as {}; if it was shared with you, ask its owner to \
             check its access.",
            principal.account.name
        ),
        Actor::Anonymous | Actor::Dead => format!(
            "No package {name} that you may read. You are not signed in; if it is private, run npm login first."
        ),
    };
    Error::NotFound(sentence.into())
}

fn forbidden(lack: Lack, actor: &Actor, name: &PackageName) -> String {
    let who = actor.account().map_or_else(|| "You".to_owned(), |account| format!("Account {}", account.name));
    let scope = name.scope();
    match lack {
        Lack::Network => WRONG_NETWORK.into(),
        Lack::ReadOnlyToken => READ_ONLY_TOKEN.into(),
        Lack::NarrowToken => {
            format!("This token was made for less than this change of {name}. Use one that may do it.")
        }
        Lack::MachineToken => {
            "This token stands in for a second factor, so it may publish and no more. Log in to change settings.".into()
        }
        Lack::SecondFactor => {
            format!("{who} has no second factor, and {name} asks for one here. Set one up with npm profile enable-2fa.")
        }
        Lack::MemberSecondFactor => {
            format!(
                "@{scope} asks its members for a second factor, and {who} has none. Turn one on: npm profile enable-2fa."
            )
        }
        Lack::OtherPackagesToken => {
            format!("This token was made for other packages than {name}. Use one that covers it.")
        }
        Lack::Collaboration => format!("{who} is no collaborator of {name}. Ask @{scope} to be added."),
        Lack::Write => format!(
            "You do not have permission to publish \"{name}\": {who} may read it only. Ask @{scope} for read-write access."
        ),
        Lack::Administration => {
            format!("Only @{scope} can change who sees and maintains {name}; {who} can not. Ask @{scope} to do it.")
        }
        Lack::Membership | Lack::Role(_) => format!("{who} may not do this in @{scope}. Ask one of its owners."),
    }
}

fn forbidden_member(scope: &AccountName) -> String {
    format!("@{scope} asks its members for a second factor, and your account has none: npm profile enable-2fa.")
}

fn payment_required(debtor: &Debtor, actor: &Actor, name: &PackageName, public_url: &str) -> Error {
    let page = billing::address(debtor, public_url);
    let debtor_name = &debtor.name;
    let pays_alone = actor.account().is_some_and(|account| account.name == *debtor_name);
    let sentence = match debtor.kind {
        AccountKind::User if pays_alone => format!(
            "Account {debtor_name} has no plan, so it cannot work with private packages such as {name}. Pick one at {page}"
        ),
        AccountKind::User => format!(
            "The plan of @{debtor_name}, who owns {name}, is missing or has lapsed, so nobody can work with it. \
             @{debtor_name} can renew it at {page}"
        ),
        AccountKind::Organization => format!(
            "The plan of @{debtor_name}, who owns {name}, is missing or has lapsed, so nobody can work with it. \
             Owners of @{debtor_name} can renew it at {page}"
        ),
    };
    Error::PaymentRequired { debtor: Box::new(debtor.clone()), sentence: sentence.into() }
}

/// The same of a deed that concerns a whole scope.
pub(super) fn explain_scope(decision: &Decision, actor: &Actor, scope: &AccountName) -> Error {
    match decision {
        Decision::SecondFactorRequired => Error::SecondFactorRequired { web: None },
        Decision::Unauthenticated => Error::Unauthenticated("You are not logged in. Run npm login first.".into()),
        Decision::DeadCredential => Error::DeadCredential,
        Decision::Forbidden(Lack::SecondFactor) => Error::Forbidden(
            "This takes a second factor, and your account has none. Set one up with npm profile enable-2fa.".into(),
        ),
        Decision::Forbidden(Lack::MemberSecondFactor) => {
            Error::Lacking { lack: Lack::MemberSecondFactor, sentence: forbidden_member(scope).into(), ask: None }
        }
        // What concerns a scope as a whole asks for no plan.
        Decision::Forbidden(_) | Decision::NotFound | Decision::PaymentRequired(_) | Decision::Allow => {
            let who = actor.account().map_or("you", |account| account.name.as_str());
            Error::Forbidden(
                format!("{who} may not do this to the whole scope @{scope} with this token. Ask one of its owners.")
                    .into(),
            )
        }
    }
}
