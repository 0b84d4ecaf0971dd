//! The sentence behind each refusal of a deed on one's own account.

use crate::error::{Error, WRONG_NETWORK};
use crate::policy::{Decision, Lack};

/// Turns a decision other than `Allow` into the error that the caller sees.
pub fn explain_account(decision: &Decision) -> Error {
    match decision {
        Decision::Unauthenticated => Error::Unauthenticated("You are not logged in. Run npm login first.".into()),
        Decision::DeadCredential => Error::DeadCredential,
        Decision::SecondFactorRequired => Error::SecondFactorRequired { web: None },
        Decision::Forbidden(lack) => Error::Lacking { lack: *lack, sentence: forbidden(*lack).into(), ask: None },
        Decision::Allow | Decision::NotFound | Decision::PaymentRequired(_) => {
            Error::internal("a deed on an account was refused for no reason that accounts have")
        }
    }
}

/// The same of a deed on the instance.
pub fn explain_instance(decision: &Decision) -> Error {
    match decision {
        Decision::NotFound => Error::NotFound("There is no such page, or nothing that you may see.".into()),
        decision => explain_account(decision),
    }
}

fn forbidden(lack: Lack) -> &'static str {
    match lack {
        Lack::Network => WRONG_NETWORK,
        Lack::ReadOnlyToken => {
            "This token is read-only, so it changes nothing. Log in with npm login to change your account."
        }
        Lack::MachineToken => {
            "This token stands in for a second factor, so it cannot change tokens, profile or settings. Log in with npm \
             login and do it again."
        }
        _ => {
            "This token was made for packages or organizations, so it cannot change your account. Log in with npm login \
             and do it again."
        }
    }
}
