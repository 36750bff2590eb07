//! One log line for each call that fails, with what one needs to find out why.
//!
//! Faults of callers are for whoever looks for them, faults of the server are errors, and only
//! they show what was inside.

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use super::methods::{Methods, Shape};
use super::{Inner, Middleware, Request, Response, Rest, request_id};

/// The layer.
#[derive(Clone)]
pub(crate) struct Trace {
    methods: Methods,
}

impl Trace {
    pub(super) fn new() -> Self {
        Self {
            methods: Methods::of_contract(),
        }
    }
}

impl Middleware for Trace {
    async fn handle<S: Inner>(self, request: Request, rest: Rest<S>) -> Response {
        let call = Call::of(&request);
        let is_unary = self.methods.shape(&call.path) == Some(Shape::Unary);
        let response = rest.answer(request).await;
        // An error before the first message stands in the headers; the extension knows its cause.
        let early = response.extensions().get::<Status>().cloned();
        if let Some(status) = early.or_else(|| Status::from_header_map(response.headers())) {
            call.log(&status);
            return response;
        }
        if is_unary {
            return response;
        }
        response.map(|inner| {
            Body::new(Traced {
                inner,
                call: Some(call),
            })
        })
    }
}

/// What is known of a call from its beginning.
struct Call {
    path: String,
    request_id: String,
    began: Instant,
}

impl Call {
    fn of(request: &Request) -> Self {
        let id = request.headers().get(request_id::HEADER);
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let path = request.uri().path().to_owned();
        Self {
            path,
            request_id: id.to_owned(),
            began: Instant::now(),
        }
    }

    /// Logs a failure.
    fn log(&self, status: &Status) {
        let Self {
            path,
            request_id,
            began,
        } = self;
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (code, message) = (status.code(), status.message());
        // The level of a line must be known when it is compiled.
        macro_rules! line {
            ($level:ident $(, $cause:expr)?) => {
                tracing::$level!(
                    rpc.method = %path, rpc.code = ?code, duration_ms, request.id = %request_id,
                    $(cause = %$cause,)?
                    "{path} failed after {duration_ms} ms: {code:?}: {message}"
                )
            };
        }
        match code {
            Code::Ok => {}
            Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable => {
                line!(error, causes(status));
            }
            Code::DeadlineExceeded | Code::ResourceExhausted => line!(warn),
            Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => line!(info),
        }
    }
}

/// What is behind a status, from the outside in.
fn causes(status: &Status) -> String {
    let mut texts = Vec::new();
    let mut next = status.source();
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    // Transparent errors repeat what they hold.
    texts.dedup();
    texts.join(": ")
}

/// The body of a stream, whose status comes at its end.
struct Traced {
    inner: Body,
    call: Option<Call>,
}

impl http_body::Body for Traced {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        let status = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.trailers_ref().and_then(Status::from_header_map),
            Poll::Ready(Some(Err(status))) => Some(status.clone()),
            Poll::Ready(None) | Poll::Pending => None,
        };
        if let Some(status) = status
            && let Some(call) = self.call.take()
        {
            call.log(&status);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}
