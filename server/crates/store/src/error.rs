//! What can go wrong in the store, sorted by what a caller can do about it.
//!
//! The database's own words stay inside, as the source of an error: they are for the log, never
//! for a client.

use std::path::PathBuf;

/// What the database or the operating system said; for logs.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A kind of thing that has a name in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entity {
    /// An execution, by its id.
    Execution,
    /// A workflow, by its name.
    Workflow,
    /// An ad-hoc action, by its name.
    Action,
    /// A workbook, by its name.
    Workbook,
    /// An environment, by its name.
    Environment,
}

impl Entity {
    /// The word for messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Workflow => "workflow",
            Self::Action => "action",
            Self::Workbook => "workbook",
            Self::Environment => "environment",
        }
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The URL of the database is not understood. The configuration must be corrected.
    #[error("database URL {url:?} cannot be used: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The server cannot be reached, or does not let us in.
    #[error("database {database} cannot be reached")]
    Connect {
        /// The URL without its password.
        database: String,
        /// What was said.
        #[source]
        cause: Cause,
    },
    /// The file or its folder cannot be made, opened or written.
    #[error("database {} cannot be opened: {reason}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// In which step.
        reason: &'static str,
        /// What the operating system or the database said.
        #[source]
        cause: Option<Cause>,
    },
    /// Another process, or another store of this one, has the database open.
    #[error("database {database} is in use by another server")]
    InUse {
        /// The file, or the URL without its password.
        database: String,
    },
    /// A file of that name is there, and is not written over.
    #[error("{} exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Rows are to go into a database that has some already. Nothing was changed.
    #[error("database {database} is not empty: its table {table} has rows")]
    NotEmpty {
        /// The URL without its password.
        database: String,
        /// The first table that has some.
        table: String,
    },
    /// What was written to another database is not what is read there. Nothing was changed.
    #[error("table {table} differs: {here} rows were read, {there} are there, or they hold others")]
    Differs {
        /// The table.
        table: String,
        /// Rows that were read.
        here: u64,
        /// Rows that were found.
        there: u64,
    },
    /// The database was moved to another one, which has gone on since.
    #[error(
        "database {database} was moved to {to}; to use it all the same, and run again what has run \
         there, delete the row `moved_to` from its table `meta`"
    )]
    Moved {
        /// The file.
        database: String,
        /// Where it was moved to, without the password.
        to: String,
    },
    /// The database was being moved to another one when that was interrupted, and may be there.
    #[error(
        "the move of database {database} to {to} was not finished: run `autan promote` again, or \
         delete {} if nothing has come to {to}",
        note.display()
    )]
    Moving {
        /// The file.
        database: String,
        /// Where it was to go, without the password.
        to: String,
        /// The file that says so.
        note: PathBuf,
    },
    /// Other servers of the database have taken this one for dead, and its executions go on there.
    /// Nothing was changed, and nothing can be any more.
    #[error("other servers of database {database} have taken this one for dead")]
    Fenced {
        /// The URL without its password.
        database: String,
    },
    /// The store has one writer, and it was handed out already.
    #[error("the writer of the database is taken")]
    WriterTaken,
    /// The schema is not the one that this version knows. `found` is empty for a database that
    /// was made by something else.
    #[error("database has schema {found:?}, this version works with {wanted:?}")]
    Schema {
        /// The newest or odd migration in the database.
        found: String,
        /// The newest migration of this version.
        wanted: String,
    },
    /// A lock, or a free connection, did not come in time. Nothing was changed; try again.
    #[error("the database is busy")]
    Busy,
    /// The disk is full, or cannot be read or written. Nothing was changed; try again later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Cause),
    /// The file is damaged, or a row does not make sense. Needs a person.
    #[error("the database is damaged at {place}")]
    Corrupt {
        /// Which file or column.
        place: &'static str,
        /// What about it.
        #[source]
        cause: Cause,
    },
    /// Something of that name exists. Nothing was changed.
    #[error("{} {name:?} exists", entity.word())]
    Conflict {
        /// What.
        entity: Entity,
        /// Its name.
        name: String,
    },
    /// Nothing of that name exists. Nothing was changed.
    #[error("{} {name:?} not found", entity.word())]
    NotFound {
        /// What.
        entity: Entity,
        /// Its name.
        name: String,
    },
    /// It was changed since the caller read it. Nothing was changed now.
    #[error("{} {name:?} has etag {found:?}, not {expected:?}", entity.word())]
    EtagMismatch {
        /// What.
        entity: Entity,
        /// Its name.
        name: String,
        /// What the caller expects.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The filter cannot be applied to this list.
    #[error("filter field {field}: {reason}")]
    Filter {
        /// Name of the field.
        field: String,
        /// Why not.
        reason: &'static str,
    },
    /// The caller broke a rule of this crate.
    #[error("invalid request to the store: {0}")]
    Invalid(&'static str),
    /// The database refused something that it never should: a bug.
    #[error("unexpected answer of the database")]
    Internal(#[source] Cause),
}

impl Error {
    /// Whether it lies with the database that something was not written, and not with what was to
    /// be.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Unavailable(_) | Self::Connect { .. } | Self::Corrupt { .. }
        )
    }
}
