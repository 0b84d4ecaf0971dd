//! The sentence behind each refusal that concerns an organization.

use crate::error::{Error, READ_ONLY_TOKEN, WRONG_NETWORK};
use crate::names::AccountName;
use crate::policy::{Actor, Decision, Lack, OrganizationRole};

pub(super) fn explain(decision: &Decision, actor: &Actor, name: &AccountName) -> Error {
    match decision {
        Decision::Allow | Decision::PaymentRequired(_) => {
            Error::internal("a deed on an organization was refused for no reason that organizations have")
        }
        Decision::Unauthenticated => {
            Error::Unauthenticated(format!("You must be logged in for @{name}. Run npm login first.").into())
        }
        Decision::DeadCredential => Error::DeadCredential,
        Decision::NotFound => no_organization(name),
        Decision::SecondFactorRequired => Error::SecondFactorRequired { web: None },
        Decision::Forbidden(lack) => {
            let sentence = forbidden(*lack, actor, name).into();
            let asks_owner = matches!(lack, Lack::Membership | Lack::Role(_));
            Error::Lacking { lack: *lack, sentence, ask: asks_owner.then(|| format!("@{name}")) }
        }
    }
}

pub(super) fn no_organization(name: &AccountName) -> Error {
    Error::NotFound(format!("There is no organization {name}. Check the name; the operator can create it.").into())
}

fn forbidden(lack: Lack, actor: &Actor, name: &AccountName) -> String {
    let who = actor.account().map_or_else(|| "You".to_owned(), |account| format!("Account {}", account.name));
    match lack {
        Lack::Network => WRONG_NETWORK.into(),
        Lack::ReadOnlyToken => READ_ONLY_TOKEN.into(),
        Lack::MachineToken => {
            "This token stands in for a second factor, so it may publish and no more. Log in to change teams.".into()
        }
        Lack::SecondFactor => format!("{who} has no second factor. Set one up with npm profile enable-2fa."),
        Lack::MemberSecondFactor => {
            format!("@{name} asks its members for a second factor, and {who} has none. Turn one on, then come back.")
        }
        Lack::Role(OrganizationRole::Owner) => {
            format!(
                "Only owners of @{name} can say who its members are, how it is set and what it pays, and take all of it \
                 away; {who} is none. Ask one."
            )
        }
        Lack::Role(_) => {
            format!("Only owners and admins of @{name} can change its teams; {who} is neither. Ask one of them.")
        }
        Lack::Membership => format!("{who} is no member of @{name}. Ask one of its owners to be added."),
        _ => format!("This token was not made for @{name}. Use one that reaches it."),
    }
}
