//! Who makes a request, always together with what their token allows.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::names::{AccountId, AccountName, PackageName, PackagePattern, TokenId};

use super::action::Action;
use super::facts::AccountFacts;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Actor {
    /// A request without a credential.
    Anonymous,
    /// A request whose credential is unknown, expired, revoked, or belongs to a disabled account: answered 401, except
    /// for reads that anyone may do.
    Dead,
    /// A user, narrowed by the token they showed.
    User(Principal),
    /// Whoever has a shell on the server: may do everything but break an invariant.
    Operator,
}

impl Actor {
    /// The user's account, where there is one.
    pub fn account(&self) -> Option<&AccountFacts> {
        match self {
            Self::User(principal) => Some(&principal.account),
            Self::Anonymous | Self::Dead | Self::Operator => None,
        }
    }

    /// Whether the request shows something as a second factor, right or wrong.
    pub fn offers_second_factor(&self) -> bool {
        matches!(self, Self::User(principal) if principal.offer.code.is_some())
    }

    /// The id of the user's account, where there is one.
    pub fn account_id(&self) -> Option<AccountId> {
        self.account().map(|account| account.id)
    }
}

/// A user together with the token they act through.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The account of the user.
    pub account: Arc<AccountFacts>,
    /// The token they showed.
    pub token: TokenId,
    /// What the token was narrowed to.
    pub narrowing: Arc<Narrowing>,
    /// Where the request comes from: the socket's peer, or what a configured proxy says.
    pub address: IpAddr,
    /// Whether this request has shown a second factor that is right.
    pub confirmed: bool,
    /// What the request offers as a second factor, not looked at yet.
    pub offer: Offer,
}

impl Principal {
    /// Somebody for whom something acts that they left behind, such as an invitation: with all their present rights, and
    /// no token that could narrow them. What it takes to leave it behind was asked then, a second factor too.
    pub fn standing_in(account: Arc<AccountFacts>, address: IpAddr) -> Self {
        let (narrowing, offer) = (Arc::default(), Offer::default());
        Self { account, token: TokenId::NONE, narrowing, address, confirmed: true, offer }
    }
}

/// What a request offers as a second factor, and which way its client could be asked for one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The text of `npm-otp`: a one-time code, a recovery code, or what a web challenge gave (`protocol.md` 1.7).
    pub code: Option<Arc<str>>,
    /// Whether the client can send its user to a page and wait.
    pub web: bool,
}

impl fmt::Debug for Offer {
    /// Never the code.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Offer").field("code", &self.code.is_some()).field("web", &self.web).finish()
    }
}

/// How a token narrows its user; a token can never widen them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// What it may do to the packages that it reaches.
    pub right: TokenRight,
    /// The packages that the token reaches; empty means all of its user's.
    pub packages: Vec<PackagePattern>,
    /// The networks it may be used from; empty means any.
    pub networks: Vec<IpNet>,
    /// What it may do to organizations: members and teams.
    pub organizations: OrganizationReach,
    /// Stands in for a second factor where packages are changed, so that a machine can publish; for that it may change
    /// nothing else (`protocol.md` 1.7).
    pub bypasses_second_factor: bool,
}

/// What a token may do to packages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenRight {
    /// Whatever its user may.
    #[default]
    Everything,
    /// Read, and change nothing.
    ReadOnly,
    /// Read, and put versions up for approval.
    StageOnly,
    /// Nothing: it was made for organizations alone.
    Nothing,
    /// What a trusted publisher was given.
    Trusted(TrustedDeeds),
}

/// What a trusted publisher may do (`protocol.md` 7.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrustedDeeds {
    /// Publish versions.
    pub publish: bool,
    /// Put versions up for approval.
    pub stage: bool,
    /// Move dist-tags.
    pub tags: bool,
}

impl TokenRight {
    /// The right as a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::ReadOnly => "read-only",
            Self::StageOnly => "stage-only",
            Self::Nothing => "nothing",
            Self::Trusted(_) => "trusted",
        }
    }

    /// Whether a token with this right lets its user do `action`.
    pub(super) fn allows(self, action: Action) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::ReadOnly => !action.changes(),
            Self::StageOnly => !action.changes() || action == Action::Stage,
            Self::Trusted(deeds) => match action {
                Action::Create | Action::CreateAs(_) | Action::Publish => deeds.publish,
                Action::Stage => deeds.stage,
                Action::MoveTag | Action::MoveLatest => deeds.tags,
                _ => !action.changes(),
            },
        }
    }
}

/// What a token may do to which organizations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganizationReach {
    /// What it may do.
    pub right: OrganizationRight,
    /// The organizations it reaches; empty means all of its user's.
    pub names: Vec<AccountName>,
}

/// What a token may do to members and teams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrganizationRight {
    /// Nothing.
    Nothing,
    /// See them.
    Read,
    /// Whatever its user may.
    #[default]
    Write,
}

impl Narrowing {
    /// A token that changes nothing.
    pub fn read_only() -> Self {
        let organizations = OrganizationReach { right: OrganizationRight::Read, names: Vec::new() };
        Self { right: TokenRight::ReadOnly, organizations, ..Self::default() }
    }

    /// Whether the token may be used from `address`.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether the token reaches `package`.
    pub fn covers(&self, package: &PackageName) -> bool {
        let reaches = self.packages.is_empty() || self.packages.iter().any(|pattern| pattern.covers(package));
        reaches && self.right != TokenRight::Nothing
    }

    /// Whether the token reaches every package of its user, be it only to read.
    pub fn reaches_all_packages(&self) -> bool {
        self.packages.is_empty() && !matches!(self.right, TokenRight::Nothing | TokenRight::Trusted(_))
    }

    /// Whether the token reaches `organization` with this right.
    pub fn reaches_organization(&self, organization: &AccountName, right: OrganizationRight) -> bool {
        let reach = &self.organizations;
        reach.right >= right && (reach.names.is_empty() || reach.names.contains(organization))
    }

    /// Whether the token is worth its user, wherever it may be used: only such a token changes the account itself.
    pub fn is_whole(&self) -> bool {
        let unbounded = self.packages.is_empty() && self.organizations == OrganizationReach::default();
        unbounded && self.right == TokenRight::Everything && !self.bypasses_second_factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_never_printed() {
        let offer = Offer { code: Some("123456".into()), web: true };
        assert!(!format!("{offer:?}").contains("123456"));
    }

    #[test]
    fn a_token_is_whole_only_if_nothing_was_taken_from_it() {
        assert!(Narrowing::default().is_whole());
        assert!(Narrowing { networks: vec!["10.0.0.0/8".parse().unwrap()], ..Narrowing::default() }.is_whole());
        assert!(!Narrowing::read_only().is_whole());
        assert!(!Narrowing { bypasses_second_factor: true, ..Narrowing::default() }.is_whole());
        assert!(!Narrowing { packages: vec!["@acme/x".parse().unwrap()], ..Narrowing::default() }.is_whole());
    }
}
