//! The egress policy: where actions may send requests.
//!
//! A workflow is written by somebody who may not be trusted with the network that the server stands
//! in, so the server's own machine and link-local addresses (metadata services of clouds among them)
//! are denied unless configured otherwise. A target is checked three times: its URL before each
//! hop, and every address that its name resolves to, inside the resolver that the connection uses,
//! so that the checked address is the used one. What is no HTTP connects through the policy itself.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;
use tokio::net::TcpStream;

/// Where requests may go.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// If given, only these hosts.
    pub allowed_hosts: Option<Vec<HostPattern>>,
    /// No address of these, also if its host is allowed.
    pub denied_networks: Vec<Network>,
}

/// A host, or with `*.` in front all hosts below it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct HostPattern {
    host: String,
    below: bool,
}

/// A network such as `10.0.0.0/8`; a single address is a network too.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

/// Why a value of the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is no network.
    #[error("'{0}' is not a network such as 10.0.0.0/8")]
    Network(String),
    /// It is no host.
    #[error("'{0}' is not a host such as api.example.com or *.example.com")]
    Host(String),
}

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the scheme '{scheme}' is not allowed, only http and https are")]
    Scheme { scheme: String },
    #[error("the URL names no host")]
    NoHost,
    #[error("the egress policy does not allow the host '{host}'")]
    Host { host: String },
    #[error("the egress policy denies the address {address} of '{host}' (in {network})")]
    Address {
        host: String,
        address: IpAddr,
        network: Network,
    },
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreachable {
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The name has no address.
    #[error("cannot find the address of '{host}': {source}")]
    Unknown { host: String, source: io::Error },
    /// No address answers.
    #[error("cannot connect to '{host}' at port {port}: {source}")]
    Closed {
        host: String,
        port: u16,
        source: io::Error,
    },
}

/// The policy in force. Cheap to clone.
#[derive(Clone)]
pub(super) struct Policy(Arc<Config>);

/// What is denied by default: the own machine, and what is only reachable on the own link.
const DENIED_BY_DEFAULT: [&str; 6] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::/128",
    "::1/128",
    "fe80::/10",
];

impl Default for Config {
    fn default() -> Self {
        let denied = DENIED_BY_DEFAULT.map(|text| Network(text.parse().expect("a network")));
        Self {
            allowed_hosts: None,
            denied_networks: denied.into(),
        }
    }
}

impl Policy {
    pub(super) fn new(config: Config) -> Self {
        Self(Arc::new(config))
    }

    /// Whether a request to this URL may be sent, as far as the URL alone can say.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme {
                scheme: url.scheme().into(),
            });
        }
        let host = url.host_str().ok_or(Refusal::NoHost)?;
        self.check_host(host)
    }

    /// Whether the host is allowed; if it is an address, also whether that is denied.
    pub(super) fn check_host(&self, host: &str) -> Result<(), Refusal> {
        if let Some(allowed) = &self.0.allowed_hosts
            && !allowed.iter().any(|pattern| pattern.matches(host))
        {
            return Err(Refusal::Host { host: host.into() });
        }
        match bare(host).parse() {
            Ok(address) => self.check_address(host, address),
            Err(_) => Ok(()),
        }
    }

    /// Whether a name that is resolved elsewhere, by a proxy, stands for a denied address here. A
    /// name that is unknown here is left to the proxy.
    pub(super) async fn check_remote_name(&self, host: &str) -> Result<(), Refusal> {
        let Ok(found) = tokio::net::lookup_host((bare(host), 0)).await else {
            return Ok(());
        };
        self.check_addresses(host, found).map(drop)
    }

    /// Connects to an allowed host, at one of the very addresses that were checked.
    pub(super) async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Unreachable> {
        self.check_plain_host(host)?;
        let unknown = |source| Unreachable::Unknown {
            host: host.into(),
            source,
        };
        let found = tokio::net::lookup_host((host, port)).await;
        let checked = self.check_addresses(host, found.map_err(unknown)?)?;
        let closed = |source| Unreachable::Closed {
            host: host.into(),
            port,
            source,
        };
        TcpStream::connect(&checked[..]).await.map_err(closed)
    }

    /// The same as [`Self::check_host`] for a host that is written without brackets.
    pub(super) fn check_plain_host(&self, host: &str) -> Result<(), Refusal> {
        match host.parse::<Ipv6Addr>() {
            Ok(address) => self.check_host(&format!("[{address}]")),
            Err(_) => self.check_host(host),
        }
    }

    fn check_addresses(
        &self,
        host: &str,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        // One denied address denies the name: mixed answers are how a name is rebound.
        found
            .map(|found| self.check_address(host, found.ip()).map(|()| found))
            .collect()
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        let embedded = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => embedded_v4(address).map(IpAddr::V4),
        };
        let reaches = |network: &&Network| {
            network.0.contains(&address) || embedded.is_some_and(|v4| network.0.contains(&v4))
        };
        match self.0.denied_networks.iter().find(reaches) {
            None => Ok(()),
            Some(network) => Err(Refusal::Address {
                host: host.into(),
                address,
                network: *network,
            }),
        }
    }
}

impl Resolve for Policy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            // Port 0 stands for the one that the URL names.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let checked = policy.check_addresses(name.as_str(), found)?;
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        if !self.below {
            return host.eq_ignore_ascii_case(&self.host);
        }
        let Some(at) = host.len().checked_sub(self.host.len()) else {
            return false;
        };
        host.is_char_boundary(at)
            && host[at..].eq_ignore_ascii_case(&self.host)
            && host[..at].len() > 1
            && host[..at].ends_with('.')
    }
}

impl TryFrom<String> for HostPattern {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        // Addresses of version 6 stand in brackets in URLs, and here they may without.
        let rest = match rest.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => rest.strip_suffix('.').unwrap_or(rest).to_owned(),
        };
        // The same normal form as in URLs, for names in other scripts too.
        let url = Url::parse(&format!("http://{rest}/")).ok();
        let host = url
            .as_ref()
            .and_then(Url::host_str)
            .unwrap_or_default()
            .to_owned();
        let only_host = url.is_some_and(|url| url.as_str() == format!("http://{host}/"));
        // A port of 80 would vanish in the normal form.
        let no_port = rest.ends_with(']') || !rest.contains(':');
        let plain = !host.is_empty() && !host.contains('*') && only_host && no_port;
        if plain {
            Ok(Self { host, below })
        } else {
            Err(Malformed::Host(text))
        }
    }
}

impl TryFrom<String> for Network {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        let network = text
            .parse()
            .or_else(|_| text.parse().map(|one: IpAddr| IpNet::from(one)));
        network.map(Self).map_err(|_| Malformed::Network(text))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A host without the brackets of an address of version 6.
fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The address of version 4 that a gateway or the own system may take an address of version 6 for:
/// mapped (`::ffff:a.b.c.d`), compatible (`::a.b.c.d`), NAT64 (`64:ff9b::a.b.c.d`), 6to4
/// (`2002:a.b.c.d::`).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let take = |from: usize| {
        Ipv4Addr::new(
            octets[from],
            octets[from + 1],
            octets[from + 2],
            octets[from + 3],
        )
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(take(12)),
        [0x2002, ..] => Some(take(2)),
        _ => None,
    }
}
