//! The built-in actions that touch the world outside or take time: `std.sleep`, `std.echo` with a
//! delay, requests, mail, scripts, commands on other machines.
//!
//! [`Runner`] runs what the engine has dispatched, after the commit of the dispatch, and reports
//! how it ended. Actions that touch nothing outside run inside the engine and never come here.
//! What a result does to its task is left to the engine, when to run to `driver`.

mod address;
mod config;
mod egress;
mod email;
mod error;
mod http;
mod javascript;
mod runner;
#[cfg(feature = "ssh")]
mod ssh;
mod wait;

#[cfg(test)]
mod tests;

pub use config::{Config, Email, Http, Javascript, Ssh};
pub use egress::{Config as Egress, HostPattern, Network};
pub use error::Error;
pub use runner::Runner;

pub(crate) use engine::catalog::known_actions;
