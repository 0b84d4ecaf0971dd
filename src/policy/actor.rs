//! Who makes a request, always together with what their token allows.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::names::{AccountId, PackageName, PackagePattern, TokenId};

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
}

/// How a token narrows its user; a token can never widen them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Refuses every change.
    pub read_only: bool,
    /// The packages that the token reaches; empty means all of its user's.
    pub packages: Vec<PackagePattern>,
    /// The networks it may be used from; empty means any.
    pub networks: Vec<IpNet>,
}

impl Narrowing {
    /// Whether the token may be used from `address`.
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whether the token reaches `package`.
    pub fn covers(&self, package: &PackageName) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|pattern| pattern.covers(package))
    }
}
