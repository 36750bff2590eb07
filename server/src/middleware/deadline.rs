//! Deadlines: the caller's, or a default one for calls that are no streams.
//!
//! The transport has a timer of its own for the caller's deadline, which answers CANCELLED, looks
//! at the first message only, and is replayed by proxies. This one comes a moment earlier, answers
//! `DEADLINE_EXCEEDED`, and ends streams too.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use proto::v1::ErrorReason;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::Status;
use tonic::body::Body;

use super::methods::{Methods, Shape};
use super::{Inner, Middleware, Request, Response, Rest};
use crate::api::status;

/// Time for a call whose caller names none. Streams have none then.
const DEFAULT: Duration = Duration::from_mins(1);

/// How much earlier than the caller's time the answer is given up: the answer has a way to go, and
/// the transport's own timer must not be the first.
const MARGIN_MAX: Duration = Duration::from_millis(20);

/// The header with the caller's time.
const HEADER: &str = "grpc-timeout";

/// The layer.
#[derive(Clone)]
pub(crate) struct Deadline {
    methods: Methods,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self {
            methods: Methods::of_contract(),
        }
    }
}

impl Middleware for Deadline {
    async fn handle<S: Inner>(self, request: Request, rest: Rest<S>) -> Response {
        let shape = self.methods.shape(request.uri().path());
        let Some(budget) = budget(request.headers(), shape) else {
            return rest.answer(request).await;
        };
        let deadline = Instant::now() + budget;
        match timeout_at(deadline, rest.answer(request)).await {
            // The answer of a unary call is complete now.
            Ok(response) if shape == Some(Shape::Unary) => response,
            Ok(response) => response.map(|body| Body::new(Bounded::new(body, deadline))),
            Err(_) => exceeded().into_http(),
        }
    }
}

fn exceeded() -> Status {
    status::plain(
        ErrorReason::Deadline,
        "the time for the call is over; its outcome is unknown",
    )
}

/// The time that the service has.
fn budget(headers: &HeaderMap, shape: Option<Shape>) -> Option<Duration> {
    let asked = headers
        .get(HEADER)
        .and_then(|value| parse(value.to_str().ok()?));
    match (asked, shape) {
        (Some(asked), _) => Some(asked.saturating_sub(MARGIN_MAX.min(asked / 10))),
        (None, Some(Shape::Unary)) => Some(DEFAULT),
        (None, Some(Shape::Streaming) | None) => None,
    }
}

/// Reads at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The body of a stream that ends at the deadline, with a status as any other end.
struct Bounded {
    inner: Body,
    sleep: Pin<Box<Sleep>>,
    is_over: bool,
}

impl Bounded {
    fn new(inner: Body, deadline: Instant) -> Self {
        Self {
            inner,
            sleep: Box::pin(sleep_until(deadline)),
            is_over: false,
        }
    }
}

impl http_body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        // Time first: a stream that always has something to send must end, too.
        if self.sleep.as_mut().poll(context).is_ready() {
            self.is_over = true;
            let mut trailers = HeaderMap::new();
            return Poll::Ready(Some(match exceeded().add_header(&mut trailers) {
                Ok(()) => Ok(Frame::trailers(trailers)),
                Err(status) => Err(status),
            }));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
    use http_body_util::{BodyExt as _, StreamBody};
    use tower::{Layer as _, Service as _};

    use super::super::Wrap;
    use super::*;

    #[test]
    fn timeouts_are_read_by_the_protocol() {
        for (text, expected) in [
            ("1S", Some(Duration::from_secs(1))),
            ("99999999H", Some(Duration::from_hours(99_999_999))),
            ("2M", Some(Duration::from_mins(2))),
            ("5m", Some(Duration::from_millis(5))),
            ("7u", Some(Duration::from_micros(7))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("+1S", None),
            ("123456789S", None),
            ("1ß", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn only_unary_calls_have_a_default() {
        let asked = HeaderMap::from_iter([(
            http::HeaderName::from_static(HEADER),
            HeaderValue::from_static("10S"),
        )]);
        let none = HeaderMap::new();
        let margin = Duration::from_millis(9980);
        for (headers, shape, expected) in [
            (&none, Some(Shape::Unary), Some(DEFAULT)),
            (&none, Some(Shape::Streaming), None),
            (&none, None, None),
            (&asked, Some(Shape::Unary), Some(margin)),
            (&asked, Some(Shape::Streaming), Some(margin)),
            (&asked, None, Some(margin)),
        ] {
            assert_eq!(budget(headers, shape), expected);
        }
    }

    /// What a caller gets from a service that takes its time, and how long that took.
    async fn call<F>(path: &str, timeout: &'static str, answer: fn() -> F) -> (HeaderMap, Duration)
    where
        F: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let mut service = Wrap(Deadline::new()).layer(tower::service_fn(move |_| answer()));
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().expect("the path is one");
        if !timeout.is_empty() {
            request
                .headers_mut()
                .insert(HEADER, HeaderValue::from_static(timeout));
        }
        let began = Instant::now();
        let Ok(response) = service.call(request).await;
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.expect("the body ends well");
        let trailers = collected.trailers().cloned();
        (trailers.unwrap_or(parts.headers), began.elapsed())
    }

    async fn never() -> Result<Response, Infallible> {
        std::future::pending().await
    }

    /// A stream whose headers come at once, and then nothing.
    async fn endless() -> Result<Response, Infallible> {
        let frames = futures_util::stream::pending::<Result<Frame<Bytes>, Status>>();
        Ok(Response::new(Body::new(StreamBody::new(frames))))
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_a_call_is_kept() {
        let unary = "/autan.v1.SystemService/GetServerInfo";
        let stream = "/autan.v1.ExecutionService/WatchExecution";
        for (headers, took, expected) in [
            pair(call(unary, "2S", never).await, 1980),
            pair(call(unary, "", never).await, 60_000),
            pair(call(unary, "100m", never).await, 90),
            pair(call(stream, "2S", never).await, 1980),
            pair(call(stream, "2S", endless).await, 1980),
        ] {
            assert_eq!(headers["grpc-status"], "4");
            assert!(headers.contains_key("grpc-status-details-bin"));
            let after = took.saturating_sub(Duration::from_millis(expected));
            assert!(
                after < Duration::from_millis(5),
                "{took:?}, not {expected} ms"
            );
        }
    }

    fn pair((headers, took): (HeaderMap, Duration), ms: u64) -> (HeaderMap, Duration, u64) {
        (headers, took, ms)
    }
}
