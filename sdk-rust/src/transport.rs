//! Connections and the one way in which unary calls are made.
//!
//! Owns channels, headers, deadlines and repetition. Left to others: what is called, and long
//! streams, which get channels of their own from here but are driven by `watch`.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tonic::metadata::{AsciiMetadataValue, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::error::{Code, Error, RpcError};
use crate::retry::{Budget, RetryPolicy};

/// Streams that share a connection: a stalled one can hold up others on it.
const WATCHES_PER_CHANNEL: usize = 4;
/// Names the tenant in a header, for routing and policies in front of the server.
const PROJECT_HEADER: &str = "autan-project";

/// Names the caller to people, in the history of what it changes.
const IDENTITY_HEADER: &str = "autan-identity";

/// How calls are made.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) authorization: Option<AsciiMetadataValue>,
    pub(crate) identity: AsciiMetadataValue,
    pub(crate) timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) watch: WatchSettings,
}

/// How streams are kept alive.
#[derive(Clone, Debug)]
pub(crate) struct WatchSettings {
    /// Asked of the server; three missed ones are the end of a stream.
    pub(crate) heartbeat: Duration,
    /// Without a sign of life for so long, the stream fails for good.
    pub(crate) patience: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            patience: Duration::from_mins(5),
        }
    }
}

/// Everything that the clones of a client share.
pub(crate) struct Transport {
    pub(crate) settings: Settings,
    channel: Channel,
    endpoint: Endpoint,
    budget: Budget,
    watch_channels: Mutex<Vec<Arc<WatchChannel>>>,
    /// Who polls for tasks, if anybody does.
    worker_id: String,
}

impl Transport {
    pub(crate) fn new(endpoint: Endpoint, channel: Channel, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            channel,
            endpoint,
            budget: Budget::default(),
            watch_channels: Mutex::default(),
            worker_id: Uuid::new_v4().to_string(),
        })
    }

    /// Under which id the clones of a client poll for tasks.
    pub(crate) fn worker_id(&self) -> String {
        self.worker_id.clone()
    }

    /// The tenant of every request.
    pub(crate) fn project(&self) -> String {
        self.settings.project.clone()
    }

    /// Where the server is.
    pub(crate) fn address(&self) -> String {
        let uri = self.endpoint.uri().to_string();
        uri.strip_suffix('/').map(str::to_owned).unwrap_or(uri)
    }

    /// The channel of unary calls.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A channel of its own, on the runtime that this is called in.
    pub(crate) fn new_channel(&self) -> Channel {
        self.endpoint.connect_lazy()
    }

    /// Adds the headers that every call carries.
    pub(crate) fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.settings.authorization {
            request
                .metadata_mut()
                .insert("authorization", authorization.clone());
        }
        let identity = self.settings.identity.clone();
        request.metadata_mut().insert(IDENTITY_HEADER, identity);
        // A project that cannot stand in a header is still in the message.
        if let Ok(project) = MetadataValue::try_from(self.settings.project.as_str())
            && !self.settings.project.is_empty()
        {
            request.metadata_mut().insert(PROJECT_HEADER, project);
        }
        request
    }

    /// Makes a call with the usual deadline.
    pub(crate) async fn unary<Q, A, F, Fut>(&self, message: Q, send: F) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(Channel, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        self.unary_within(self.settings.timeout, message, send)
            .await
    }

    /// Makes a call, and makes it again as the policy allows; the deadline is that of each attempt.
    pub(crate) async fn unary_within<Q, A, F, Fut>(
        &self,
        timeout: Duration,
        message: Q,
        send: F,
    ) -> Result<A, Error>
    where
        Q: Clone,
        F: Fn(Channel, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let mut failures = 0;
        loop {
            let mut request = self.request(message.clone());
            request.set_timeout(timeout);
            let error = match attempt(timeout, send(self.channel(), request)).await {
                Ok(answer) => {
                    self.budget.succeed();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            failures += 1;
            match self.settings.retry.next_delay(&error, failures) {
                Some(delay) if self.budget.fail() => tokio::time::sleep(delay).await,
                Some(_) | None => return Err(error.into()),
            }
        }
    }

    /// Makes a call once, over this channel.
    pub(crate) async fn unary_once<Q, A, F, Fut>(
        &self,
        channel: Channel,
        message: Q,
        send: F,
    ) -> Result<A, Error>
    where
        F: FnOnce(Channel, Request<Q>) -> Fut,
        Fut: Future<Output = Result<Response<A>, Status>>,
    {
        let timeout = self.settings.timeout;
        let mut request = self.request(message);
        request.set_timeout(timeout);
        Ok(attempt(timeout, send(channel, request)).await?)
    }

    /// A place on a channel for one stream.
    pub(crate) fn watch_channel(&self) -> WatchLease {
        let mut channels = self
            .watch_channels
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Channels that were given up by their users leave when the last one does.
        channels.retain(|channel| Arc::strong_count(channel) > 1);
        let free = channels.iter().find(|channel| {
            !channel.is_retired() && channel.users.load(Ordering::Relaxed) < WATCHES_PER_CHANNEL
        });
        let channel = free.cloned().unwrap_or_else(|| {
            let channel = Arc::new(WatchChannel {
                channel: self.endpoint.connect_lazy(),
                users: AtomicUsize::new(0),
                failures: AtomicUsize::new(0),
            });
            channels.push(channel.clone());
            channel
        });
        channel.users.fetch_add(1, Ordering::Relaxed);
        WatchLease(channel)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("uri", self.endpoint.uri())
            .finish_non_exhaustive()
    }
}

async fn attempt<A>(
    timeout: Duration,
    call: impl Future<Output = Result<Response<A>, Status>>,
) -> Result<A, RpcError> {
    let begin = Instant::now();
    let late = || {
        RpcError::local(
            Code::DeadlineExceeded,
            format!("no answer within {timeout:?}"),
        )
    };
    match tokio::time::timeout(timeout, call).await {
        Err(_) => Err(late()),
        Ok(Ok(answer)) => Ok(answer.into_inner()),
        // tonic calls its own deadline CANCELLED; it is the same deadline as ours.
        Ok(Err(status))
            if status.code() == tonic::Code::Cancelled && begin.elapsed() >= timeout =>
        {
            Err(late())
        }
        Ok(Err(status)) => Err(RpcError::from_status(&status)),
    }
}

/// Failures in a row after which a channel may be stuck to a server that is gone.
const CHANNEL_FAILURES_MAX: usize = 3;

struct WatchChannel {
    channel: Channel,
    users: AtomicUsize,
    failures: AtomicUsize,
}

impl WatchChannel {
    fn is_retired(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= CHANNEL_FAILURES_MAX
    }
}

/// The right to run one stream on a channel.
pub(crate) struct WatchLease(Arc<WatchChannel>);

impl WatchLease {
    pub(crate) fn channel(&self) -> Channel {
        self.0.channel.clone()
    }

    /// Books a good or bad end of a stream. `false`: take a new lease, on a new channel.
    pub(crate) fn report(&self, good: bool) -> bool {
        if good {
            self.0.failures.store(0, Ordering::Relaxed);
        } else {
            self.0.failures.fetch_add(1, Ordering::Relaxed);
        }
        !self.0.is_retired()
    }
}

impl Drop for WatchLease {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport() -> Arc<Transport> {
        let endpoint = Endpoint::from_static("http://localhost:1");
        let channel = endpoint.connect_lazy();
        let settings = Settings {
            project: "shop".to_owned(),
            authorization: None,
            identity: MetadataValue::from_static("ada@host/1"),
            timeout: Duration::from_secs(1),
            retry: RetryPolicy::none(),
            watch: WatchSettings::default(),
        };
        Transport::new(endpoint, channel, settings)
    }

    #[tokio::test]
    async fn few_watches_share_a_channel_and_a_bad_channel_is_left() {
        let transport = transport();
        let same = |a: &WatchLease, b: &WatchLease| Arc::ptr_eq(&a.0, &b.0);
        let mut leases: Vec<_> = (0..5).map(|_| transport.watch_channel()).collect();
        assert!(same(&leases[0], &leases[3]));
        assert!(!same(&leases[0], &leases[4]));

        drop(leases.remove(1));
        let replacement = transport.watch_channel();
        assert!(same(&leases[0], &replacement), "a free place is used again");
        drop(leases.remove(1));

        assert_eq!(
            [false; 3].map(|good| leases[0].report(good)),
            [true, true, false]
        );
        assert!(!same(&leases[0], &transport.watch_channel()));
    }

    #[tokio::test]
    async fn project_and_caller_are_in_the_headers() {
        let request = transport().request(());
        assert_eq!(request.metadata().get(PROJECT_HEADER).unwrap(), "shop");
        let identity = request.metadata().get(IDENTITY_HEADER);
        assert_eq!(identity.unwrap(), "ada@host/1");
        assert!(request.metadata().get("authorization").is_none());
    }
}
