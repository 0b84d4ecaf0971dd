//! What the letters say.

use crate::mail::Letter;
use crate::names::Email;
use crate::policy::Permission;

use super::Offered;

pub(super) fn invitation(to: Email, inviter: Option<&str>, offered: &Offered, registry: &str, url: &str) -> Letter {
    let who = inviter.unwrap_or("The operator");
    let (subject, sentence) = match offered {
        Offered::Account => {
            (format!("An account at {registry}"), format!("{who} invites you to make an account at {registry}."))
        }
        Offered::Package { name, permission } => {
            let deed = match permission {
                Permission::ReadOnly => "read and install",
                Permission::ReadWrite => "read, install and publish",
            };
            (format!("{who} shares {name} with you"), format!("{who} invites you to {deed} {name} at {registry}."))
        }
        Offered::Organization { name, role, .. } => {
            let role = role.as_npm_word();
            (format!("{who} invites you to @{name}"), format!("{who} invites you to @{name} at {registry}, as {role}."))
        }
    };
    Letter::new("invitation", to, &subject)
        .paragraph(&sentence)
        .paragraph("Accept or decline here within seven days:")
        .link(url)
        .paragraph("If you do not know them, do nothing: the invitation ends by itself.")
}
