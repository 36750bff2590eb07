//! Why a message is not sent. The texts become error results, so authors of workflows read them.

use crate::actions::egress::Unreachable;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// A parameter is not what it should be.
    #[error("'{parameter}' must be {expected}")]
    Parameter {
        parameter: &'static str,
        expected: &'static str,
    },
    /// An address is none.
    #[error("'{parameter}' has '{address}', which is not an address: {reason}")]
    Address {
        parameter: &'static str,
        address: String,
        reason: String,
    },
    /// Nobody would get it.
    #[error("it has no recipients")]
    NoRecipients,
    /// The message cannot be written.
    #[error("the message cannot be written: {0}")]
    Unwritten(#[from] lettre::error::Error),
    /// The server cannot be connected to.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// The password would go out in the clear.
    #[error("the server does not offer STARTTLS, and without it the password is not sent")]
    NoTls,
    /// It took too long.
    #[error("timed out after {seconds} s")]
    TimedOut { seconds: u64 },
    /// The server refused, or the network failed.
    #[error(transparent)]
    Smtp(#[from] lettre::transport::smtp::Error),
}
