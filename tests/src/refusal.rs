//! An error of a call as tests compare it: code, reason and metadata.
//!
//! Owns reading the details of a status. Left to others: what a call should answer.

use std::collections::HashMap;
use std::fmt;

use proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Domain of all reasons.
pub const DOMAIN: &str = "autan";

/// A refused call.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// The reason as sent; empty if there was none.
    pub reason: String,
    /// The domain of the reason.
    pub domain: String,
    /// Changing parts of the message.
    pub metadata: HashMap<String, String>,
    /// Fields and descriptions of `BadRequest`.
    pub fields: Vec<(String, String)>,
    /// The text for people.
    pub message: String,
}

impl Refusal {
    /// Reads a status.
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info().cloned();
        let (reason, domain, metadata) = info
            .map(|info| (info.reason, info.domain, info.metadata))
            .unwrap_or_default();
        let violations = details
            .bad_request()
            .map(|bad| bad.field_violations.as_slice());
        let fields = violations.unwrap_or_default().iter();
        Self {
            code: status.code(),
            reason,
            domain,
            metadata,
            fields: fields
                .map(|v| (v.field.clone(), v.description.clone()))
                .collect(),
            message: status.message().to_owned(),
        }
    }

    /// Whether it is this one of the contract.
    pub fn is(&self, code: Code, reason: ErrorReason) -> bool {
        self.code == code && self.domain == DOMAIN && self.reason == reason_word(reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if self.reason.is_empty() {
            "no reason"
        } else {
            &self.reason
        };
        write!(f, "{:?}/{reason}: {}", self.code, self.message)
    }
}

/// A reason as it is sent.
pub fn reason_word(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}
