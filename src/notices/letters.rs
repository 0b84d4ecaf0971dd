//! What the letters say.

use std::sync::Arc;

use crate::mail::Letter;
use crate::names::{AccountName, Email, PackageName};
use crate::policy::Permission;

use super::store::Happened;

/// What every letter needs to know of the instance.
pub(super) struct Writer {
    pub(super) registry: String,
    pub(super) url: Arc<str>,
}

impl Writer {
    fn letter(&self, kind: &'static str, to: Email, subject: &str, sentence: &str) -> Letter {
        Letter::new(kind, to, subject).paragraph(&format!("{sentence} This is about {} ({}).", self.registry, self.url))
    }

    /// What is told in any case, and how to undo it.
    fn warning(&self, kind: &'static str, to: Email, account: &AccountName, what: &str, place: &str) -> Letter {
        self.letter(kind, to, what, &format!("{what}{place}."))
            .paragraph(
                "If that was you, there is nothing to do. If not, choose a new password now; it ends all logins:",
            )
            .link(&format!("{}/forgot", self.url))
            .paragraph(&format!("Account {account} is told of this in any case."))
    }

    /// What may be switched off, and where.
    fn notice(&self, kind: &'static str, to: Email, subject: &str, sentence: &str, link: &str) -> Letter {
        self.letter(kind, to, subject, sentence)
            .link(&format!("{}{link}", self.url))
            .paragraph(&format!("What you are told of by mail is your choice: {}/settings/notifications", self.url))
    }

    pub(super) fn of_account(&self, to: Email, account: &AccountName, happened: &Happened) -> Letter {
        let place = happened.address.as_deref().map(|address| format!(", from {address}")).unwrap_or_default();
        let what = match happened.action.as_deref().unwrap_or_default() {
            "user.password" => format!("The password of {account} was changed"),
            "token.create" => {
                let name = Letter::quoted(happened.word("name").unwrap_or_default());
                if happened.word("kind") == Some("login") {
                    let sentence = format!("A terminal was logged in as {account}{place}: token {name}.");
                    let subject = format!("A terminal was logged in as {account}");
                    return self.notice("notice.login", to, &subject, &sentence, "/settings/tokens");
                }
                format!("A token was made for {account}: {name}")
            }
            _ => format!("The second factor of {account} was changed"),
        };
        self.warning("notice.security", to, account, &what, &place)
    }

    pub(super) fn address_changed(&self, old: Email, account: &AccountName) -> Letter {
        let what = format!("Mail for {account} goes to another address now");
        self.letter("notice.security", old, &what, &format!("{what}, and no longer to this one.")).paragraph(
            "If that was not you, ask the operator of the registry for help: links no longer reach you here.",
        )
    }

    pub(super) fn access_given(&self, to: Email, package: &PackageName, permission: Permission, by: &str) -> Letter {
        let deed = match permission {
            Permission::ReadOnly => "read and install",
            Permission::ReadWrite => "read, install and publish",
        };
        let (subject, sentence) =
            (format!("{by} shares {package} with you"), format!("{by} lets you {deed} {package}."));
        self.notice("notice.access", to, &subject, &sentence, &format!("/package/{package}"))
    }

    pub(super) fn plan_missing(&self, to: Email, package: &PackageName, shared_by: Option<&str>, by: &str) -> Letter {
        let shared = match shared_by {
            Some(sharer) => format!("{sharer} shared {package} with you"),
            None => format!("{package} was shared with you"),
        };
        let sentence = format!(
            "{shared}, and your account has no plan: until it has one, you cannot install the package. {by} reminds you of \
             that. You can pick a plan on your billing page, below."
        );
        self.notice(
            "notice.access",
            to,
            &format!("{package} waits for you to pick a plan"),
            &sentence,
            "/settings/billing",
        )
    }

    pub(super) fn maintainer_added(&self, to: Email, package: &PackageName, user: &AccountName, by: &str) -> Letter {
        let subject = format!("{user} can publish {package} now");
        let sentence = format!("{by} gave {user} read-write access to {package}.");
        self.notice("notice.access", to, &subject, &sentence, &format!("/package/{package}/access"))
    }

    pub(super) fn member(&self, to: Email, organization: &AccountName, role: &str, by: &str) -> Letter {
        let subject = format!("You are {role} of @{organization}");
        let sentence = format!("{by} made you {role} of @{organization}.");
        self.notice("notice.access", to, &subject, &sentence, &format!("/org/{organization}"))
    }

    /// `place` is what they were invited to: a package, an organization, or an account of their own.
    pub(super) fn accepted(&self, to: Email, user: &str, place: &str) -> Letter {
        let (what, link) = if place == user {
            (format!("made the account {user} with your invitation"), format!("/~{user}"))
        } else if place.starts_with('@') {
            (format!("accepted your invitation to {place}"), format!("/package/{place}/access"))
        } else {
            (format!("accepted your invitation to @{place}"), format!("/org/{place}/members"))
        };
        let subject = if place == user { format!("{user} accepted your invitation") } else { format!("{user} {what}") };
        self.notice("notice.access", to, &subject, &format!("{user} {what}."), &link)
    }

    pub(super) fn published(&self, to: Email, package: &PackageName, version: &str, by: &str) -> Letter {
        let subject = format!("{package} {version} was published");
        let sentence = format!("{by} published {package} {version}.");
        self.notice("notice.publish", to, &subject, &sentence, &format!("/package/{package}"))
    }
}
