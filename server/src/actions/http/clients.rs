//! The clients that requests are sent with: one for each way of checking certificates and each
//! proxy, made when first needed and kept, so that connections are used again.
//!
//! None of them follows redirects or looks at the environment for proxies: `exchange` does the
//! first, since each hop is checked, and the second would let requests leave by a way that nobody
//! configured here.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::{Certificate, Client, Proxy, Url, redirect};

use super::error::Problem;
use crate::actions::Error;
use crate::actions::egress::Policy;

/// Which client a request needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Whether certificates of servers are checked.
    pub(super) verify: bool,
    /// The proxy to go through.
    pub(super) proxy: Option<Url>,
}

pub(super) struct Clients {
    policy: Policy,
    ca: Vec<Certificate>,
    made: Mutex<HashMap<Kind, Client>>,
}

/// Most clients that are kept. Proxies come from workflows, so there may be any number.
const KEPT_MAX: usize = 32;

/// How long a connection is kept for the next request: less than most servers keep it, since a
/// request on a connection that is being closed may be lost.
const IDLE: Duration = Duration::from_secs(4);

/// Longest time to connect, so that a silent address does not use up a long timeout.
const CONNECT: Duration = Duration::from_secs(30);

const USER_AGENT: &str = concat!("autan/", env!("CARGO_PKG_VERSION"));

impl Clients {
    pub(super) fn new(policy: &Policy, ca_file: Option<&Path>) -> Result<Self, Error> {
        // Somebody in the process may have chosen a provider already; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = match ca_file {
            None => Vec::new(),
            Some(path) => read_certificates(path)?,
        };
        let clients = Self {
            policy: policy.clone(),
            ca,
            made: Mutex::default(),
        };
        let plain = Kind {
            verify: false,
            proxy: None,
        };
        clients
            .build(&plain)
            .map_err(|source| Error::Client { source })?;
        // Without extra certificates this waits until it is needed: a bare container may have none
        // at all and only talk plain HTTP, and reading those of the system takes a while.
        if let Some(path) = ca_file {
            let checking = Kind {
                verify: true,
                proxy: None,
            };
            let bad = |source| Error::BadCertificates {
                path: path.into(),
                source: Some(source),
            };
            clients.build(&checking).map_err(bad)?;
        }
        Ok(clients)
    }

    /// The client of this kind.
    pub(super) fn get(&self, kind: &Kind) -> Result<Client, Problem> {
        if let Some(client) = self.made.lock().get(kind) {
            return Ok(client.clone());
        }
        let client = self.build(kind).map_err(|error| {
            let problem = Problem::from(error);
            if kind.verify {
                Problem::NoTrust(problem.to_string())
            } else {
                problem
            }
        })?;
        let mut made = self.made.lock();
        if made.len() >= KEPT_MAX {
            made.retain(|kept, _| kept.proxy.is_none());
        }
        made.insert(kind.clone(), client.clone());
        Ok(client)
    }

    fn build(&self, kind: &Kind) -> reqwest::Result<Client> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(self.policy.clone())
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT);
        if kind.verify {
            builder = builder.tls_certs_merge(self.ca.iter().cloned());
        } else {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(proxy) = &kind.proxy {
            builder = builder.proxy(Proxy::all(proxy.clone())?);
        }
        builder.build()
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    let pem = std::fs::read(path).map_err(|source| Error::ReadCertificates {
        path: path.into(),
        source,
    })?;
    let bad = |source| Error::BadCertificates {
        path: path.into(),
        source,
    };
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(Some(error)))?;
    if found.is_empty() {
        Err(bad(None))
    } else {
        Ok(found)
    }
}
