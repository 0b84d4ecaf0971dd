//! Where a request comes from.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

use crate::error::{Error, Result};

/// The address of the client: the peer's, or what a trusted proxy says (`security.md` 2.3 and 4.4).
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// The networks whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Whether the address is that of a proxy, which speaks for many clients.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Walks the forwarding chain from the near end, for as long as the hops are trusted.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |address: IpAddr| self.contains(address);
        let mut client = peer.to_canonical();
        if !trusted(client) {
            return client;
        }
        let chain = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = chain.flat_map(|line| line.split(',')).map(str::trim).collect();
        for hop in hops.iter().rev() {
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !trusted(client) {
                break;
            }
        }
        client
    }
}

/// What counts as one client where clients are counted: an IPv6 customer has a whole /64.
pub(super) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
        address @ IpAddr::V4(_) => address,
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| Error::internal("a request without an address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &str, trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let proxies = TrustedProxies(vec![trusted.parse().unwrap()]);
        proxies.client_address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn neighbours_in_one_ipv6_network_count_as_one() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
        assert_eq!(network("::ffff:10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("203.0.113.9", "10.0.0.1", "10.0.0.0/8"), "203.0.113.9");
        assert_eq!(client("10.0.0.1", "203.0.113.9", "10.0.0.0/8"), "203.0.113.9");
        assert_eq!(client("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.7", "10.0.0.0/8"), "203.0.113.9");
        assert_eq!(client("10.0.0.1", "6.6.6.6, rubbish", "10.0.0.0/8"), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", "203.0.113.9", "10.0.0.0/8"), "203.0.113.9");
    }
}
