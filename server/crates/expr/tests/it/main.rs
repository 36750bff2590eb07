//! Integration tests of the expression languages: recorded behaviour, limits and properties.

mod conformance;
mod host;
mod limits;
mod properties;
