//! The id by which a call is found in logs: the caller's, or a new one; the answer carries it.

use http::HeaderValue;

use super::{Inner, Middleware, Request, Response, Rest};
use crate::clock;

/// Name of the header, in both directions.
pub(super) const HEADER: &str = "x-request-id";

/// Longest id that is taken from a caller.
const BYTES_MAX: usize = 128;

/// The layer.
#[derive(Clone)]
pub(crate) struct RequestId;

impl Middleware for RequestId {
    async fn handle<S: Inner>(self, mut request: Request, rest: Rest<S>) -> Response {
        let given = request
            .headers()
            .get(HEADER)
            .filter(|id| is_usable(id))
            .cloned();
        let id = given.unwrap_or_else(|| {
            let id = clock::new_uid().to_string();
            HeaderValue::try_from(id).expect("a UUID is a header value")
        });
        request.headers_mut().insert(HEADER, id.clone());
        let mut response = rest.answer(request).await;
        response.headers_mut().insert(HEADER, id);
        response
    }
}

/// Whether an id can be shown in a log as it is.
fn is_usable(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_callers_must_be_fit_for_a_log() {
        let long = "x".repeat(129);
        for (id, usable) in [
            ("a-1", true),
            ("", false),
            ("a b", false),
            (&*long, false),
            (&long[1..], true),
        ] {
            assert_eq!(
                is_usable(&HeaderValue::from_str(id).unwrap()),
                usable,
                "{id}"
            );
        }
    }
}
