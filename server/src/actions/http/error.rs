//! Why a request of `std.http` has no answer. The texts become error results, so authors of
//! workflows read them.

use std::error::Error as StdError;
use std::fmt;

use crate::actions::egress::Refusal;

/// Why the action fails without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Two bodies; Mistral refuses this before it sends anything.
    #[error("Only one of the parameters 'json' and 'body' can be passed")]
    TwoBodies,
    /// Everything else, in the words of Mistral.
    #[error("Failed to send HTTP request: {0}")]
    NotSent(#[from] Problem),
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// A parameter is not what it should be.
    #[error("'{parameter}' must be {expected}")]
    Parameter {
        parameter: &'static str,
        expected: &'static str,
    },
    /// A header cannot be sent.
    #[error("the header '{name}' is not valid: {reason}")]
    Header { name: String, reason: &'static str },
    /// A cookie cannot be sent.
    #[error("the cookie '{name}' is not valid")]
    Cookie { name: String },
    /// The URL is none.
    #[error("invalid URL '{url}': {reason}")]
    Url { url: String, reason: String },
    /// The URL of a proxy is none that can be used.
    #[error("invalid proxy '{proxy}': only http:// and https:// proxies are supported")]
    Proxy { proxy: String },
    /// The policy forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Redirected again and again.
    #[error("exceeded {max} redirects")]
    TooManyRedirects { max: usize },
    /// It took too long.
    #[error("timed out after {seconds} s")]
    TimedOut { seconds: f64 },
    /// The answer is too large, by what it says of itself or by what came.
    #[error("the response is larger than {max} bytes")]
    TooLarge { max: usize },
    /// The certificates to check others against are missing.
    #[error("no TLS certificates can be checked on this server: {0}")]
    NoTrust(String),
    /// The network or the other side failed.
    #[error("{}", Causes(.0))]
    Transport(#[source] reqwest::Error),
}

impl From<reqwest::Error> for Problem {
    fn from(error: reqwest::Error) -> Self {
        // A refusal by the resolver lies below the errors of the connection.
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(refusal) = inner.downcast_ref::<Refusal>() {
                return Self::Refused(refusal.clone());
            }
            cause = inner.source();
        }
        // The URL may hold secrets in its query, and the author knows it.
        Self::Transport(error.without_url())
    }
}

/// The causes of an error, outermost first.
struct Causes<'a>(&'a reqwest::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The outermost only says that a request failed, which the reader knows already.
        let mut cause = self.0.source();
        if cause.is_none() {
            return self.0.fmt(f);
        }
        let mut last = String::new();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !last.contains(&text) {
                let comma = if last.is_empty() { "" } else { ": " };
                write!(f, "{comma}{text}")?;
                last = text;
            }
            cause = inner.source();
        }
        Ok(())
    }
}
