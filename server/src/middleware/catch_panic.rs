//! A panic in a handler is the end of its call, not of the connection with all the others on it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use proto::v1::ErrorReason;

use super::{Inner, Middleware, Request, Response, Rest};
use crate::api::status;

/// The layer.
#[derive(Clone)]
pub(crate) struct CatchPanic;

impl Middleware for CatchPanic {
    async fn handle<S: Inner>(self, request: Request, rest: Rest<S>) -> Response {
        // What the panic left half done is of this call only: nothing is shared without a lock.
        match AssertUnwindSafe(rest.answer(request)).catch_unwind().await {
            Ok(response) => response,
            Err(panic) => {
                tracing::error!("a handler has panicked: {}", text(&*panic));
                status::plain(ErrorReason::Internal, "the server has made a mistake").into_http()
            }
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let string = panic.downcast_ref::<String>().map(String::as_str);
    string
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
