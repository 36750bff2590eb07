//! Definitions: YAML text in, a checked model or a list of everything that is wrong out.
//!
//! [`check`] is the way in. It reads a text by the rules of PyYAML, checks it as Mistral would,
//! and gives a [`Document`] that the engine runs, or [`Diagnostic`]s that [`render`] shows.
//! [`load`] gives the bare value of a text.
//!
//! **Invariant:** pure. The same text gives the same answer; no clock, I/O, threads or hashing.
//! **Invariant:** all problems are reported at once, each with its place; only text that is not
//! YAML stops at the first.
//! **Invariant:** time and memory grow linearly with the text, and everything has a limit.
//!
//! Left to others: the expression languages (`expr`), running (`engine`), storing (`store`).

#![forbid(unsafe_code)]

mod check;
mod diagnostic;
pub mod model;
mod parts;
mod position;
mod render;
mod yaml;

pub use check::{Checked, KnownAction, Options, check, keys, load};
pub use diagnostic::{Diagnostic, Related, Rule, Severity};
pub use model::{Document, Kind};
pub use parts::Part;
pub use position::{Position, Span};
pub use render::render;
