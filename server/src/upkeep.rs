//! Work on a database that needs no server: copies, moves, its schema.
//!
//! Owns what such work is asked for and answers. Left to others: doing it (`store`), the command
//! line (`cli`).

use std::path::PathBuf;

use serde::Serialize;

use crate::Config;

/// Why it was not done: all that was said, the last cause at the end.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Error(String);

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(found) = cause {
            text.push_str(": ");
            text.push_str(&found.to_string());
            cause = found.source();
        }
        Self(text)
    }
}

/// A copy of a database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Copied {
    /// The file that was written.
    pub(crate) file: PathBuf,
    /// Its size.
    pub(crate) bytes: u64,
    /// The newest migration in it.
    pub(crate) schema: String,
    /// How many executions are in it.
    pub(crate) executions: u64,
}

impl From<store::Copied> for Copied {
    fn from(copied: store::Copied) -> Self {
        Self {
            file: copied.path,
            bytes: copied.bytes,
            schema: copied.schema,
            executions: copied.executions,
        }
    }
}

/// A table that was moved, and is the same on both sides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Moved {
    pub(crate) table: String,
    pub(crate) rows: u64,
    /// 64 hexadecimal digits.
    pub(crate) checksum: String,
}

/// What was done to the schema of a database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Migrated {
    /// The newest migration before; absent if there was no schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// The newest migration since.
    pub(crate) to: String,
}

/// Copies the embedded database to a new file, while a server may write to it.
pub(crate) async fn back_up(config: &Config, to: PathBuf) -> Result<Copied, Error> {
    let from = crate::store_config(config);
    work(move || store::back_up(&from, &to))
        .await
        .map(Copied::from)
}

/// Puts a copy where no database is.
pub(crate) async fn restore(from: PathBuf, config: &Config) -> Result<Copied, Error> {
    let to = crate::store_config(config);
    work(move || store::restore(&from, &to))
        .await
        .map(Copied::from)
}

/// Moves an embedded database to PostgreSQL.
pub(crate) async fn promote(from: &Config, to: &Config) -> Result<Vec<Moved>, Error> {
    let (from, to) = (crate::store_config(from), crate::store_config(to));
    let moved = work(move || store::promote(&from, &to)).await?;
    let moved = moved.into_iter().map(|moved| Moved {
        table: moved.table,
        rows: moved.rows,
        checksum: moved.checksum,
    });
    Ok(moved.collect())
}

/// Brings the schema of a database up to date.
pub(crate) async fn migrate(config: &Config) -> Result<Migrated, Error> {
    let config = crate::store_config(config);
    let migrated = work(move || store::Store::open(&config).map(|store| store.migrated().clone()));
    let store::Migrated { from, to } = migrated.await?;
    Ok(Migrated { from, to })
}

/// Waits for the database on a thread that may wait.
async fn work<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, store::Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.unwrap_or_else(|gone| std::panic::resume_unwind(gone.into_panic()));
    Ok(done?)
}
