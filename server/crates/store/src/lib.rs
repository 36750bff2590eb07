//! Everything that Autan remembers: SQL, and nothing but SQL.
//!
//! **Invariant:** the only crate that knows diesel, and none of its types leaves it.
//! **Invariant:** synchronous. Every function blocks until the database has answered; the caller
//! chooses the thread.
//! **Invariant:** one writer a server. A [`Writer`] belongs to the thread that owns the executions;
//! readers see what it committed, whole commits only. Servers that share a database write each for
//! its own shards (`cluster`).
//! Left to others: what a change is (`engine`), when it is committed (`server::driver`), texts of
//! filters and page tokens (`server::api`).

mod backup;
mod batch;
mod cluster;
mod codec;
mod commit;
mod config;
mod connection;
mod definition;
mod dialect;
mod environment;
mod error;
mod filter;
mod load;
mod lower;
mod migrate;
mod moving;
mod operation;
mod page;
mod portable;
mod postgres;
mod predicate;
mod promote;
mod pulse;
mod reader;
mod readers;
mod schema;
mod statement;
mod store;
mod tables;
mod views;
mod worker;
mod writer;

pub use backup::{Copied, back_up, restore};
pub use batch::{Batch, Changed, ExecutionKey, Removal, RequestRecord};
pub use cluster::{ClusterView, Membership, SHARDS, Seat, ServerRow, ServerState, ShardRow};
pub use config::{Config, Synchronous};
pub use definition::{
    Applied, ApplyMode, DefinitionChange, DefinitionKind, DefinitionRow, Deletion, NewDefinition,
    Source, SourceKind, WorkbookChange, WorkbookRow,
};
pub use environment::{EnvironmentChange, EnvironmentRow};
pub use error::{Cause, Entity, Error};
pub use filter::{
    DefinitionField, EnvironmentField, ExecutionField, Filter, FilterValue, Operator, TaskField,
};
pub use migrate::Migrated;
pub use operation::OperationRow;
pub use page::{Page, Slice};
pub use promote::{Moved, promote};
pub use pulse::Pulse;
pub use reader::Reader;
pub use readers::Readers;
pub use store::Store;
pub use views::{
    ActionRow, ChangeRow, ChangedRow, CountGroup, Counts, DefinitionName, DeletedRow, HistoryRange,
    Loaded, Payloads, Searched, SourceHash, SourceUses, Standing,
};
pub use worker::{QueueRow, WorkerActionRow};
pub use writer::Writer;
