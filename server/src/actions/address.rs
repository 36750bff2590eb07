//! Reading where to connect to: a host, with a port if it is not the usual one.

use std::net::Ipv6Addr;

use reqwest::Url;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// A name or an address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Address {
    /// Reads `host`, `host:port`, an address of version 6, or one in brackets with a port. Names in
    /// other scripts get the form that name servers know. `None` for what is none of these.
    pub(super) fn parse(text: &str, usual_port: u16) -> Option<Self> {
        let text = text.trim();
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Some(Self {
                host: address.to_string(),
                port: usual_port,
            });
        }
        // Of a URL only the place is left, and a port that would be left out as usual is not.
        let url = Url::parse(&format!("ssh://{text}")).ok()?;
        let is_place = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && !text.contains(['/', '?', '#', '@', '%']);
        let http = Url::parse(&format!("http://{text}")).ok()?;
        let host = http.host_str().filter(|_| is_place)?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        Some(Self {
            host: bare.unwrap_or(host).into(),
            port: url.port().unwrap_or(usual_port),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_nothing_else() {
        let cases = [
            ("example.com", Some(("example.com", 22))),
            (" example.com:80 ", Some(("example.com", 80))),
            ("bücher.example:2222", Some(("xn--bcher-kva.example", 2222))),
            ("127.1", Some(("127.0.0.1", 22))),
            ("::1", Some(("::1", 22))),
            ("[::1]:2200", Some(("::1", 2200))),
            ("host:99999", None),
            ("user@host", None),
            ("host/path", None),
            ("a b", None),
            ("", None),
            (":22", None),
        ];
        for (text, expected) in cases {
            let found = Address::parse(text, 22);
            let found = found
                .as_ref()
                .map(|found| (found.host.as_str(), found.port));
            assert_eq!(found, expected, "{text}");
        }
    }
}
