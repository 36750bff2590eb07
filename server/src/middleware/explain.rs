//! Errors that the transport makes up by itself get the reason and the code that the contract
//! promises: a request that is too long or malformed is the caller's fault, and says so.

use proto::v1::ErrorReason;
use tonic::{Code, Status};

use super::{Inner, Middleware, Request, Response, Rest};
use crate::api::{REQUEST_BYTES_MAX, status};

/// The services of the contract. Health and reflection have rules of their own.
const OURS: &str = "/autan.";

/// The services beside them.
const THEIRS: &str = "/grpc.";

/// The layer.
#[derive(Clone)]
pub(crate) struct Explain;

impl Middleware for Explain {
    async fn handle<S: Inner>(self, request: Request, rest: Rest<S>) -> Response {
        let path = request.uri().path();
        let (is_ours, is_theirs) = (path.starts_with(OURS), path.starts_with(THEIRS));
        let response = rest.answer(request).await;
        if is_theirs {
            return response;
        }
        // An error before the first message stands in the headers.
        let Some(found) = Status::from_header_map(response.headers()) else {
            return response;
        };
        match explained(&found, is_ours) {
            Some(better) => better.into_http(),
            None => response,
        }
    }
}

/// The status that should be sent instead, if any.
fn explained(found: &Status, is_ours: bool) -> Option<Status> {
    if found.code() == Code::Ok || status::is_explained(found) {
        return None;
    }
    match found.code() {
        Code::OutOfRange => Some(status::request_too_large(REQUEST_BYTES_MAX)),
        Code::Unimplemented => {
            let message = if found.message().is_empty() {
                "the server has no such method".to_owned()
            } else {
                found.message().to_owned()
            };
            Some(status::plain(ErrorReason::NotSupported, message))
        }
        // Only the codec says INTERNAL here: faults of ours are explained.
        Code::Internal if is_ours => {
            let message = format!("the request cannot be read: {}", found.message());
            Some(status::plain(ErrorReason::InvalidField, message))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn errors_of_the_transport_are_explained() {
        for (found, expected) in [
            (Status::ok(""), None),
            (
                Status::out_of_range("too large"),
                Some((Code::InvalidArgument, "PAYLOAD_TOO_LARGE")),
            ),
            (
                Status::unimplemented(""),
                Some((Code::Unimplemented, "NOT_SUPPORTED")),
            ),
            (
                Status::internal("bad bytes"),
                Some((Code::InvalidArgument, "INVALID_FIELD")),
            ),
            (Status::cancelled("gone"), None),
            (status::plain(ErrorReason::Internal, "ours"), None),
        ] {
            let better = explained(&found, true).map(|status| {
                let reason = status.get_details_error_info().map(|info| info.reason);
                (status.code(), reason.unwrap_or_default())
            });
            let better = better
                .as_ref()
                .map(|(code, reason)| (*code, reason.as_str()));
            assert_eq!(better, expected, "{found:?}");
        }
    }
}
