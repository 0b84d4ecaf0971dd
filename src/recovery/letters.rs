//! What the letters say.

use crate::mail::Letter;
use crate::names::{AccountName, Email};

pub(super) fn reset(to: Email, account: &AccountName, registry: &str, address: Option<&str>, url: &str) -> Letter {
    let from = address.map(|address| format!(", from {address},")).unwrap_or_default();
    Letter::new("recovery.reset", to, &format!("Choose a new password for {account}"))
        .paragraph(&format!("Somebody{from} forgot the password of account {account} at {registry}."))
        .paragraph("If that was you, choose a new one here within 30 minutes. Everything that is logged in then ends:")
        .link(url)
        .paragraph("If it was not you, do nothing: the old password stays, and the link ends by itself.")
}

pub(super) fn verify(to: Email, account: &AccountName, registry: &str, url: &str) -> Letter {
    Letter::new("recovery.verify", to, &format!("Is this the address of {account}?"))
        .paragraph(&format!("Account {account} at {registry} has its mail sent here. If it is yours, say so:"))
        .link(url)
        .paragraph("If it is not, do nothing: the link ends by itself after two days.")
}
