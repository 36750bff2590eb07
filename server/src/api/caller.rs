//! Who makes a call: what a request says of its sender, beside its message.
//!
//! Left to others: whether a message may be sent at all.

use std::sync::Arc;

use engine::Caller;
use tonic::Request;

use super::convert::field;
use super::fault::Fault;
use crate::driver::RequestKey;

/// The metadata by which callers name themselves.
const IDENTITY: &str = "autan-identity";

/// Most bytes of it.
const IDENTITY_BYTES_MAX: usize = 200;

/// Who has sent a request.
pub(super) struct Sender {
    /// How it names itself, for people only.
    pub(super) identity: Option<Arc<str>>,
}

/// Takes the message out of a request whose sender is to be recorded.
pub(super) fn open<T>(request: Request<T>) -> Result<(T, Sender), Fault> {
    let identity = match request.metadata().get(IDENTITY) {
        None => None,
        Some(given) => identity(given.as_bytes())?,
    };
    Ok((request.into_inner(), Sender { identity }))
}

fn identity(given: &[u8]) -> Result<Option<Arc<str>>, Fault> {
    let actual = given.len();
    if actual > IDENTITY_BYTES_MAX {
        let description = format!("has {actual} bytes, {IDENTITY_BYTES_MAX} are allowed");
        return Err(Fault::field(IDENTITY, description));
    }
    match std::str::from_utf8(given) {
        Ok("") => Ok(None),
        Ok(text) if given.iter().all(|byte| matches!(byte, b' '..=b'~')) => Ok(Some(text.into())),
        Ok(_) | Err(_) => Err(Fault::field(
            IDENTITY,
            "must have printable ASCII characters only",
        )),
    }
}

impl Sender {
    /// What is recorded of a call that gives no reason.
    pub(super) fn silent(&self, request: Option<&RequestKey>) -> Caller {
        Caller {
            principal: None,
            reason: None,
            request_id: request.map(|key| key.id.clone()),
            identity: self.identity.clone(),
        }
    }

    /// What is recorded of a call: by whom, why, under which id.
    pub(super) fn caller(
        &self,
        reason: &str,
        request: Option<&RequestKey>,
    ) -> Result<Caller, Fault> {
        Ok(Caller {
            reason: field::optional_text("reason", reason)?,
            ..self.silent(request)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_name_themselves_in_printable_ascii() {
        let long = "x".repeat(IDENTITY_BYTES_MAX + 1);
        for (given, expected) in [
            ("", Ok(None)),
            ("ada@host/17", Ok(Some("ada@host/17"))),
            ("the night shift ~", Ok(Some("the night shift ~"))),
            (&long[1..], Ok(Some(&long[1..]))),
            (&long, Err("autan-identity: has 201 bytes, 200 are allowed")),
            (
                "a\tb",
                Err("autan-identity: must have printable ASCII characters only"),
            ),
            (
                "zo\u{eb}",
                Err("autan-identity: must have printable ASCII characters only"),
            ),
        ] {
            let found = identity(given.as_bytes()).map_err(|fault| fault.to_string());
            let found = match &found {
                Ok(found) => Ok(found.as_deref()),
                Err(text) => Err(&**text),
            };
            assert_eq!(found, expected, "{given:?}");
        }
        assert!(identity(&[0xff]).is_err());
    }
}
