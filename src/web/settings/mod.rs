//! What belongs to somebody's own account: profile, security, tokens, and everything of it to take away.
//!
//! Every page is a form that works without script; what only a browser can do, talking to a passkey, is hidden where there
//! is none.

pub(super) mod export;
pub(super) mod keys;
pub(super) mod new_token;
pub(super) mod profile;
pub(super) mod recovery;
pub(super) mod redirects;
pub(super) mod revoke;
pub(super) mod security;
pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod totp;
mod wish;
mod words;

use crate::app::App;
use crate::policy::{AccountAction, AccountPermit};

use super::shell::{Problem, Visitor};

/// The pages of `settings/frame.html`: where they are, and what they are called.
const TABS: [(&str, &str); 6] = [
    ("/settings", "Profile"),
    ("/settings/security", "Security"),
    ("/settings/tokens", "Tokens"),
    ("/settings/billing", "Billing"),
    ("/settings/notifications", "Notifications"),
    ("/settings/export", "Export"),
];

/// A tab of the frame.
#[derive(Debug)]
pub(super) struct Tab {
    pub(super) path: &'static str,
    pub(super) label: &'static str,
    pub(super) is_current: bool,
}

/// The tabs, as they stand around the page at a path.
pub(super) fn tabs(place: &str) -> Vec<Tab> {
    let is_current = |path: &str| match path {
        "/settings" => place == path,
        _ => place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    TABS.map(|(path, label)| Tab { path, label, is_current: is_current(path) }).into()
}

/// The proof that the visitor may do this to their own account.
async fn permit(app: &App, visitor: &Visitor, action: AccountAction) -> Result<AccountPermit, Problem> {
    visitor.principal()?;
    Ok(app.second_factor.permit(visitor.actor(), action).await?)
}

/// The same for what matters most: whoever has not shown lately who they are is asked, whatever their account has.
async fn confirmed_permit(app: &App, visitor: &Visitor) -> Result<AccountPermit, Problem> {
    let visitor = visitor.require_confirmed(app).await?;
    permit(app, &visitor, AccountAction::Change).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tab_is_the_current_one() {
        let current =
            |path: &str| tabs(path).iter().filter(|tab| tab.is_current).map(|tab| tab.label).collect::<Vec<_>>();
        assert_eq!(current("/settings"), ["Profile"]);
        assert_eq!(current("/settings/tokens/new"), ["Tokens"]);
        assert_eq!(current("/settings/tokensmith"), [""; 0]);
    }
}
