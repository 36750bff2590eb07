//! What the store is told before it opens: which database, and how careful it is.
//!
//! Left to others: reading these values from a file or the command line (`server::config`).

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Error;
use crate::postgres::Address;

/// How to open the database.
#[derive(Clone, Debug)]
pub struct Config {
    /// `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `sqlite::memory:` for a database
    /// that is gone with the last handle.
    pub url: String,
    /// When a commit counts as done.
    pub synchronous: Synchronous,
    /// Most connections for reading that are open at the same time.
    pub readers: usize,
    /// How long a lock, or a free connection, is waited for before the answer is [`Error::Busy`].
    pub busy_timeout: Duration,
    /// How many of its last history events are kept of each execution; older ones are deleted now
    /// and then, some hundreds at a time. `None` = all.
    pub history_kept: Option<u32>,
    /// Where other servers of the same database reach this one: `host:port`; empty = nowhere.
    pub address: String,
    /// How long a server that says nothing counts as there.
    pub lease: Duration,
}

impl Config {
    /// The URL without its password, for messages.
    pub(crate) fn shown(&self) -> Result<String, Error> {
        Ok(match Target::parse(&self.url)? {
            Target::Postgres(address) => address.to_string(),
            Target::SqliteFile(_) | Target::SqliteMemory => self.url.clone(),
        })
    }

    /// The defaults for this database: nothing acknowledged is ever lost.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            synchronous: Synchronous::Full,
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            history_kept: None,
            address: String::new(),
            lease: Duration::from_secs(5),
        }
    }
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// When it is on the disk: it survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: it survives a crash of this process, and a power cut
    /// takes at most the last commits, never the consistency of the rest.
    Normal,
}

/// The database that a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file.
    SqliteFile(PathBuf),
    /// The memory of this process.
    SqliteMemory,
    /// A server.
    Postgres(Box<Address>),
}

impl Target {
    /// Reads `scheme:rest`; the rest of SQLite is a path and nothing else, so no parameters.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let refuse = |reason| Error::Url {
            url: url.to_owned(),
            reason,
        };
        let (scheme, rest) = url.split_once(':').ok_or_else(|| {
            refuse("it has no scheme; write sqlite:PATH or postgres://HOST/DATABASE")
        })?;
        match (scheme, rest) {
            ("sqlite", ":memory:") => Ok(Self::SqliteMemory),
            ("sqlite", "" | "//") => Err(refuse("the path is empty")),
            ("sqlite", path) if path.contains('\0') => Err(refuse("the path holds a NUL")),
            ("sqlite", path) => Ok(Self::SqliteFile(
                path.strip_prefix("//").unwrap_or(path).into(),
            )),
            ("postgres" | "postgresql", _) => {
                Address::parse(url).map(|address| Self::Postgres(Box::new(address)))
            }
            _ => Err(refuse(
                "the scheme is unknown; use sqlite:PATH or postgres://HOST/DATABASE",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_database_or_say_why_not() {
        let file = |path: &str| Some(Target::SqliteFile(path.into()));
        for (url, expected) in [
            ("sqlite:autan.db", file("autan.db")),
            (
                "sqlite:/var/lib/autan/autan.db",
                file("/var/lib/autan/autan.db"),
            ),
            ("sqlite:///var/lib/autan.db", file("/var/lib/autan.db")),
            ("sqlite:a?mode=ro", file("a?mode=ro")),
            ("sqlite::memory:", Some(Target::SqliteMemory)),
            ("sqlite:", None),
            ("autan.db", None),
            ("mysql://host/db", None),
            (
                "postgres://host/db",
                Address::parse("postgres://host/db")
                    .map(Box::new)
                    .ok()
                    .map(Target::Postgres),
            ),
            ("postgres:db", None),
        ] {
            let found = Target::parse(url);
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{url}: {found:?}");
        }
    }
}
