//! Why the actions cannot be set up. How a single action fails is left to its own file.

use std::path::{Path, PathBuf};

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
    /// A file or folder that the configuration names cannot be read.
    #[error("actions.{key}: cannot read {}: {source}", path.display())]
    Read {
        /// Which key, below `actions`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that the configuration names does not hold what it should.
    #[error("actions.{key}: {} holds no usable {expected}", path.display())]
    Malformed {
        /// Which key, below `actions`.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// The HTTP client cannot be made.
    #[error("cannot set up the HTTP client: {source}")]
    Client {
        /// What the library said.
        source: reqwest::Error,
    },
}

/// Reads a file that the configuration names.
pub(super) fn read_file(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read {
        key,
        path: path.into(),
        source,
    })
}
