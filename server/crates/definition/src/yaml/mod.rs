//! YAML text to a tree of nodes that know where they stand, as Mistral's loader would read it.
//!
//! **Invariant:** the only importer of the YAML parser, and the only place that knows which keys
//! merge and what is refused. What a bare word means is left to `expr::yaml_scalar`,
//! and hiding `*`, `&` and `@`, which mean nothing to Mistral's loader, to `expr::YamlMask`.
//! **Invariant:** linear in the text; every dimension has a limit (`limits`).
//!
//! | file      | owns                                                                   |
//! |-----------|------------------------------------------------------------------------|
//! | `layout`  | lines within brackets and quotes that begin further left                |
//! | `reader`  | events to nodes, duplicate keys, merge keys, limits                    |
//! | `tabs`    | refusing tabs outside of text, which the parser would accept           |
//! | `node`    | the tree                                                               |
//! | `dump`    | a value back to text that reads as the same value                      |
//!
//! What keys and values mean for a workflow is left to `check`.

mod dump;
mod layout;
pub(crate) mod limits;
mod node;
mod reader;
mod tabs;

pub(crate) use dump::dump;
pub(crate) use node::{Content, Entry, Mapping, Node};
pub(crate) use reader::{Read, read};

#[cfg(test)]
mod tests;
