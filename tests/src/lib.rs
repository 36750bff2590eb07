//! What the end-to-end tests share: a server of one's own, clients of it, and the recorded cases.
//!
//! Knows the server only from outside: its binary, its signals and the contract in `proto`; of its
//! crates only definitions and expressions, which it measures. Left to
//! others: what is tested (`it`, `bin/conformance`).

pub mod api;
pub mod cloud;
pub mod conformance;
pub mod definitions;
pub mod expressions;
pub mod http;
pub mod ladder;
pub mod large;
pub mod proxy;
pub mod refusal;
pub mod server;
