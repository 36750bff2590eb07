//! Definitions written in code and rendered as the YAML text that the server reads.
//!
//! Owns the builders. Left to others: whether a definition is right; the server checks it and says
//! where it is wrong, with the lines of the rendered text.
//!
//! Values may be anything that turns into [`serde_json::Value`]: texts, numbers, `json!({…})`. A
//! text with `<% … %>` (YAQL) or `{{ … }}` (Jinja2) in it is an expression.
//!
//! ```
//! use autan::{Next, Retry, Task, Workflow};
//! use serde_json::json;
//!
//! let order = Workflow::new("order")
//!     .input("order_id")
//!     .input_with_default("currency", "EUR")
//!     .output("receipt", "<% $.receipt %>")
//!     .task(
//!         Task::action("charge", "std.http")
//!             .input(json!({"url": "http://payments/charge", "method": "POST"}))
//!             .publish("receipt", "<% task().result.content.receipt %>")
//!             .retry(Retry::times(3).delay(5))
//!             .on_success("ship")
//!             .on_error(Next::fail("not charged")),
//!     )
//!     .task(Task::workflow("ship", "shipping").input(json!({"id": "<% $.order_id %>"})));
//! assert!(order.to_yaml().contains("on-success:\n        - ship\n"));
//! ```

mod next;
mod retry;
mod rollback;
mod task;
mod workflow;
mod yaml;

pub use next::Next;
pub use retry::Retry;
pub use rollback::Rollback;
pub use task::{Task, TaskDefaults};
pub use workflow::{Workbook, Workflow};

#[cfg(test)]
mod tests;
