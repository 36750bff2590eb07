//! The contract of the store: every case on every database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changes;
mod cluster;
mod commit;
mod concurrency;
mod crash;
mod definition_lists;
mod definitions;
mod feed;
mod filters;
mod history;
mod listing;
mod opening;
mod postgres;
mod requests;
mod roundtrip;
mod support;
mod workbooks;
