//! Every end-to-end test, in one binary. Each starts a server of its own.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod actions;
mod bad_input;
mod batch;
mod cluster;
mod crash;
mod definitions;
mod environments;
mod failures;
mod idempotency;
mod interrupted;
mod language;
mod listing;
mod payloads;
mod rollback;
mod rust_worker;
mod scenarios;
mod shutdown;
mod store_faults;
mod support;
mod tidy;
mod toolchain;
mod upkeep;
mod watch;
mod worker_desk;
mod workers;
