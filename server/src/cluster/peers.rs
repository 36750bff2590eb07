//! Connections to the other servers, and calls among them.
//!
//! Calls of clients are passed on as they came. What servers say to one another is a JSON document
//! on a path of its own, signed with a key that only who shares the database knows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderValue, Method, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use store::Seat;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::{Service as _, ServiceExt as _};

use super::map::Peer;

/// How long a connection may take to stand.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// How often a silent connection is asked whether it is alive, and how long for an answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a call among servers may take.
const CALL_MAX: Duration = Duration::from_secs(10);

/// Most bytes of a document that servers send one another.
const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// Where servers speak to one another.
pub(crate) const INTERNAL: &str = "/autan.internal/";

/// Header with the signature of a document.
const SIGNATURE: &str = "autan-signature";

/// Header with the length of a document, and the signature of that: nothing is read from whoever
/// does not have the key.
const LENGTH: &str = "autan-length";

/// The other servers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Peers(Arc<Inner>);

struct Inner {
    channels: Mutex<HashMap<Seat, Channel>>,
    key: Hmac<Sha256>,
}

/// Why another server gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The call did not get there: it had no effect.
    #[error("server {seat} at {address} cannot be reached: {cause}")]
    NotSent {
        /// Which.
        seat: Seat,
        /// Where it should be.
        address: Arc<str>,
        /// What was said.
        cause: String,
    },
    /// It may have got there.
    #[error("server {seat} has not answered: {cause}")]
    Lost {
        /// Which.
        seat: Seat,
        /// What was said.
        cause: String,
    },
}

impl Peers {
    pub(super) fn new(secret: &[u8]) -> Self {
        let mut key = Hmac::new_from_slice(secret).expect("a key may have any length");
        // So that nothing that is signed for another purpose is good here.
        key.update(b"between servers\0");
        Self(Arc::new(Inner {
            channels: Mutex::default(),
            key,
        }))
    }

    /// Passes a call on.
    pub(crate) async fn pass(
        &self,
        peer: &Peer,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, Unanswered> {
        let lost = |cause: tonic::transport::Error| Unanswered::Lost {
            seat: peer.seat,
            cause: said(&cause),
        };
        let mut channel = self.channel(peer).await?;
        // A channel that has failed connects again; when that fails, nothing was sent.
        if let Err(cause) = channel.ready().await {
            self.0.channels.lock().remove(&peer.seat);
            return Err(Unanswered::NotSent {
                seat: peer.seat,
                address: peer.address.clone(),
                cause: said(&cause),
            });
        }
        channel.call(request).await.map_err(lost)
    }

    /// Sends a document to another server and gets one back.
    pub(crate) async fn ask<Q: Serialize, A: DeserializeOwned>(
        &self,
        peer: &Peer,
        what: &str,
        question: &Q,
    ) -> Result<A, Unanswered> {
        let lost = |cause: String| Unanswered::Lost {
            seat: peer.seat,
            cause,
        };
        let document = serde_json::to_vec(question).map_err(|error| lost(error.to_string()))?;
        let path = format!("{INTERNAL}{what}");
        let mut request = http::Request::new(Body::new(Full::new(Bytes::from(document.clone()))));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::try_from(&path).expect("the path is one");
        let length = document.len().to_string();
        let signed_length = format!("{length} {}", self.sign(LENGTH, length.as_bytes()));
        for (name, value) in [
            (LENGTH, signed_length),
            (SIGNATURE, self.sign(&path, &document)),
        ] {
            let value = HeaderValue::try_from(value).expect("base64 is a header value");
            request.headers_mut().insert(name, value);
        }
        let answered = tokio::time::timeout(CALL_MAX, async {
            let response = self.pass(peer, request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), DOCUMENT_BYTES_MAX);
            let body = body
                .collect()
                .await
                .map_err(|error| lost(error.to_string()))?;
            if status != StatusCode::OK {
                return Err(lost(format!("it answers {status}")));
            }
            Ok(body.to_bytes())
        });
        let answer = answered
            .await
            .unwrap_or_else(|_| Err(lost("time is up".into())))?;
        serde_json::from_slice(&answer).map_err(|error| lost(error.to_string()))
    }

    /// What another server says, if it is one.
    pub(crate) async fn hear(&self, request: http::Request<Body>) -> Option<(String, Bytes)> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let what = path.strip_prefix(INTERNAL)?.to_owned();
        let header = |name| parts.headers.get(name)?.to_str().ok();
        let (length, signature) = header(LENGTH)?.split_once(' ')?;
        if !self.is_signed(LENGTH, length.as_bytes(), signature) {
            return None;
        }
        let length: usize = length.parse().ok()?;
        let signature = header(SIGNATURE)?.to_owned();
        let body = Limited::new(body, length.min(DOCUMENT_BYTES_MAX));
        let document = body.collect().await.ok()?.to_bytes();
        self.is_signed(&path, &document, &signature)
            .then_some((what, document))
    }

    fn is_signed(&self, path: &str, document: &[u8], signature: &str) -> bool {
        let bytes = BASE64.decode(signature);
        bytes.is_ok_and(|bytes| self.mac(path, document).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, path: &str, document: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.key.clone();
        mac.update(path.as_bytes());
        mac.update(&[0]);
        mac.update(document);
        mac
    }

    fn sign(&self, path: &str, document: &[u8]) -> String {
        BASE64.encode(self.mac(path, document).finalize().into_bytes())
    }

    async fn channel(&self, peer: &Peer) -> Result<Channel, Unanswered> {
        if let Some(channel) = self.0.channels.lock().get(&peer.seat) {
            return Ok(channel.clone());
        }
        let not_sent = |cause: String| Unanswered::NotSent {
            seat: peer.seat,
            address: peer.address.clone(),
            cause,
        };
        let endpoint = Endpoint::from_shared(format!("http://{}", peer.address))
            .map_err(|error| not_sent(error.to_string()))?
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| not_sent(said(&error)))?;
        let mut channels = self.0.channels.lock();
        // Those of servers that sat there before are of no use any more.
        channels.retain(|seat, _| seat.slot != peer.seat.slot);
        channels.insert(peer.seat, channel.clone());
        Ok(channel)
    }
}

/// An error with what caused it.
fn said(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
