//! Calls go to the server that can answer them, whichever was asked.
//!
//! Reads are answered here. What a change is of, only the service can say: when it finds that
//! another server owns it, it refuses with the shard, and the call is made again there. So the body
//! of a unary call is kept until it is answered. Calls of workers, and of what one server does for
//! all, go to that server as they come.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, Limited};
use proto::v1::ErrorReason;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::methods::{Methods, Place, Shape};
use super::{Inner, Middleware, Request, Response, Rest};
use crate::api::{REQUEST_BYTES_MAX, status};
use crate::cluster::{Cluster, INTERNAL, Map, Peer, Unanswered};

/// Says that a call was passed on once, so that it is answered where it is.
const PASSED: &str = "autan-passed";

/// How long an owner is waited for: longer than it takes to find that a server is dead.
const OWNER_MAX: Duration = Duration::from_secs(15);

/// How long the same owner is left in peace when it says that it is not.
const PAUSE: Duration = Duration::from_millis(50);

/// What is said when the other server has gone.
const GONE: &str = "the server that has this has gone; whether it has acted is unknown";

/// The layer.
#[derive(Clone)]
pub(crate) struct Forward {
    methods: Methods,
    cluster: Cluster,
}

impl Forward {
    pub(super) fn new(cluster: Cluster) -> Self {
        Self {
            methods: Methods::of_contract(),
            cluster,
        }
    }
}

impl Middleware for Forward {
    async fn handle<S: Inner>(self, mut request: Request, rest: Rest<S>) -> Response {
        let path = request.uri().path();
        if path.starts_with(INTERNAL) {
            return self.cluster.answer(request).await;
        }
        let map = self.cluster.map();
        let is_passed = request.headers_mut().remove(PASSED).is_some();
        let path = request.uri().path();
        let (shape, place) = (self.methods.shape(path), self.methods.place(path));
        if is_passed && place == Place::Desk && !map.is_desk() {
            return moved();
        }
        if is_passed || !map.is_shared() {
            return rest.answer(request).await;
        }
        match (shape, place) {
            (Some(_), Place::Desk) => self.at_desk(&map, request, rest).await,
            (Some(Shape::Unary), Place::Owner) => self.at_owner(request, rest).await,
            _ => rest.answer(request).await,
        }
    }
}

impl Forward {
    /// Passes a call on to the server that does for all what it is about.
    async fn at_desk<S: Inner>(&self, map: &Map, request: Request, rest: Rest<S>) -> Response {
        match map.desk() {
            Some(peer) if !map.is_desk() => {
                match self.cluster.peers().pass(peer, passed(request)).await {
                    Ok(response) => response.map(|body| Body::new(Passed(Some(body)))),
                    Err(error) => unreachable(&error),
                }
            }
            _ => rest.answer(request).await,
        }
    }

    /// Answers a call here, or where the service says that it belongs.
    async fn at_owner<S: Inner>(&self, request: Request, rest: Rest<S>) -> Response {
        let (head, body) = request.into_parts();
        // A byte more than a message may have with its frame: then the service refuses it.
        let body = Limited::new(body, REQUEST_BYTES_MAX + 1024).collect().await;
        let body: Bytes = match body {
            Ok(body) => body.to_bytes(),
            Err(_) => return too_large(),
        };
        let again = || Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
        let deadline = Instant::now() + OWNER_MAX;
        let mut maps = self.cluster.maps();
        let mut response = rest.clone().answer(again()).await;
        while let Some(shard) = shard_of(response.headers()) {
            let map: Arc<Map> = maps.borrow_and_update().clone();
            let next = match map.owner(shard) {
                Some(peer) if peer.seat != map.me() => self.ask(peer, again()).await,
                Some(_) => Ok(rest.clone().answer(again()).await),
                None => Err(None),
            };
            match next {
                Ok(answered) => response = answered,
                Err(Some(lost)) => return lost,
                Err(None) => {}
            }
            if Instant::now() >= deadline {
                break;
            }
            if shard_of(response.headers()).is_some() {
                let until = deadline.min(Instant::now() + PAUSE);
                let _ = timeout_at(until, maps.changed()).await;
            }
        }
        response.headers_mut().remove(status::SHARD);
        response
    }

    /// Asks another server. `Err(None)` if the call did not get there.
    async fn ask(&self, peer: &Peer, request: Request) -> Result<Response, Option<Response>> {
        let answered = self.cluster.peers().pass(peer, passed(request)).await;
        answered.map_err(|error| match error {
            Unanswered::NotSent { .. } => None,
            Unanswered::Lost { .. } => Some(unreachable(&error)),
        })
    }
}

/// The answer of another server; should that server go, the answer ends with a status as any other.
struct Passed(Option<Body>);

impl http_body::Body for Passed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let error = match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Err(error))) => error,
            other => return other,
        };
        tracing::debug!("another server has gone in the middle of an answer: {error}");
        self.0 = None;
        let mut trailers = HeaderMap::new();
        let gone = status::plain(ErrorReason::OwnerUnavailable, GONE);
        Poll::Ready(Some(match gone.add_header(&mut trailers) {
            Ok(()) => Ok(Frame::trailers(trailers)),
            Err(status) => Err(status),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}

/// A call as it is passed on.
fn passed(mut request: Request) -> Request {
    let headers = request.headers_mut();
    headers.insert(PASSED, HeaderValue::from_static("1"));
    request
}

/// In which shard the execution is that a call was refused for.
fn shard_of(headers: &HeaderMap) -> Option<i16> {
    headers.get(status::SHARD)?.to_str().ok()?.parse().ok()
}

fn unreachable(error: &Unanswered) -> Response {
    tracing::warn!("a call could not be passed on: {error}");
    status::plain(ErrorReason::OwnerUnavailable, GONE).into_http()
}

/// Whoever has passed a call on sees the other servers otherwise.
fn moved() -> Response {
    let message = "another server does this since a moment";
    status::plain(ErrorReason::OwnerUnavailable, message).into_http()
}

fn too_large() -> Response {
    let message = format!("a request has at most {REQUEST_BYTES_MAX} bytes");
    status::plain(ErrorReason::PayloadTooLarge, message).into_http()
}
