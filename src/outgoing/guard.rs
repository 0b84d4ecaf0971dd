//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::OutgoingError;

/// Everything of IPv4 that is not the public internet, after the registry of special-purpose addresses.
const CLOSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
    // A public address that one cloud answers its machines' questions about themselves from.
    v4([168, 63, 129, 16], 32),
];

/// What of IPv6 is handed out to the public internet.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What of that is not the public internet: protocol assignments, documentation, 6to4.
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Where a network without IPv4 puts the IPv4 internet; judged by the address inside.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix)
}

/// Judges addresses: the public internet, and what the operator allowed.
#[derive(Debug)]
pub(super) struct Guard {
    allow: Box<[IpNet]>,
}

impl Guard {
    pub(super) fn new(allow: &[IpNet]) -> Self {
        Self { allow: allow.into() }
    }

    /// One that lets everything through: for addresses that no stranger named.
    pub(super) fn open() -> Self {
        let everything: [IpNet; 2] = [IpNet::V4(v4([0, 0, 0, 0], 0)), IpNet::V6(v6([0, 0, 0, 0, 0, 0, 0, 0], 0))];
        Self::new(&everything)
    }

    /// Resolves a host once and gives those of its addresses that may be connected to. What is connected to are these
    /// addresses, never the name again: it could lead elsewhere by then.
    pub(super) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, OutgoingError> {
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|_| OutgoingError::Unreachable("its name does not resolve".into()))?;
        let mut addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(OutgoingError::Unreachable("its name does not resolve".into()));
        }
        addresses.retain(|address| self.permits(address.ip()));
        if addresses.is_empty() { Err(OutgoingError::Refused) } else { Ok(addresses) }
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            OPEN_V6.contains(&address) && !CLOSED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_open() {
        let guard = Guard::new(&[]);
        for closed in [
            "0.0.0.0",
            "10.1.2.3",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!guard.permits(closed.parse().unwrap()), "{closed}");
        }
        for open in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"] {
            assert!(guard.permits(open.parse().unwrap()), "{open}");
        }
    }

    #[test]
    fn the_operator_opens_a_network_in_every_spelling_of_it() {
        let guard = Guard::new(&["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        for open in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
            assert!(guard.permits(open.parse().unwrap()), "{open}");
        }
        for closed in ["127.0.0.1", "192.168.0.1", "::2"] {
            assert!(!guard.permits(closed.parse().unwrap()), "{closed}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let resolve = async |host| Guard::new(&[]).resolve(host, 80).await;
        for host in ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "::ffff:127.0.0.1", "::1", "0"] {
            let refused = resolve(host).await.unwrap_err();
            assert!(matches!(refused, OutgoingError::Refused | OutgoingError::Unreachable(_)), "{host}: {refused}");
        }
        assert!(matches!(resolve("localhost").await, Err(OutgoingError::Refused)));
        let open = Guard::new(&["127.0.0.0/8".parse().unwrap()]).resolve("localhost", 80).await.unwrap();
        assert!(open.iter().all(SocketAddr::is_ipv4), "{open:?}");
    }
}
