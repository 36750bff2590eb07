//! Why the actions cannot be set up. How a single action fails is left to its own file.

use std::path::PathBuf;

/// Why the actions cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value of the configuration is out of its range.
    #[error("actions.{key} must be between {min} and {max}, not {value}")]
    OutOfRange {
        /// Which key, below `actions`.
        key: &'static str,
        /// The least value that is good.
        min: u64,
        /// The greatest value that is good.
        max: u64,
        /// The value.
        value: u64,
    },
    /// The file of certificates cannot be read.
    #[error("actions.http.ca_file: cannot read {}: {source}", path.display())]
    ReadCertificates {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file of certificates holds none, or broken ones.
    #[error("actions.http.ca_file: {} holds no usable PEM certificates", path.display())]
    BadCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong, where the parser knows more.
        source: Option<reqwest::Error>,
    },
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client: {source}")]
    Client {
        /// What the library said.
        source: reqwest::Error,
    },
}
