//! From text to model: walks the tree that `yaml` reads, reports everything that is wrong, and
//! builds the model on the way.
//!
//! **Invariant:** the verdict is Mistral's, but for supersets that are listed in the module that
//! makes them. What Mistral drops or loses without a word is a warning here.
//!
//! | file                                | owns                                               |
//! |-------------------------------------|----------------------------------------------------|
//! | `document`, `workflow`, `task`, …   | one part of the language each                      |
//! | `inline`                            | inline parameters                                  |
//! | `graph`                             | links between tasks                                |
//! | `expressions`                       | compiling expressions and placing their errors     |
//! | `facts`, `dataflow`, `lookup`       | who sets the variables, who is called with what    |
//! | `exclusive`                         | joins of branches of which only one runs           |
//! | `shape`                             | types, emptiness, repetition, known keys           |
//! | `sink`, `path`, `place`, `suggest`  | diagnostics                                        |
//! | `keys`                              | the keys of the language, for those who must know  |

mod action;
mod bases;
mod calls;
mod dataflow;
mod defaults;
mod document;
mod exclusive;
mod expressions;
mod facts;
mod graph;
mod inline;
mod keys;
mod lookup;
mod names;
mod on_clause;
mod parameters;
mod path;
mod place;
mod policies;
mod publish;
mod rollback;
mod shape;
mod sink;
mod suggest;
mod task;
mod with_items;
mod workflow;

use expr::Value;

use crate::diagnostic::{Diagnostic, Rule, Severity};
use crate::model::{Document, Kind};
use crate::yaml;

pub use keys::keys;
use path::{Path, Quoted};
use sink::Sink;

/// The version that is added to every specification.
const VERSION: &str = "2.0";

/// How strictly to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Warnings are errors.
    pub strict: bool,
    /// The actions that are built into the server, all of whose names begin with `std.`. Where
    /// there are none, nothing is said about calls of them.
    pub actions: &'static [KnownAction],
}

/// An action whose inputs are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAction {
    /// Its name.
    pub name: &'static str,
    /// The inputs that must be given.
    pub required: Vec<&'static str>,
    /// The inputs that may be given.
    pub optional: Vec<&'static str>,
}

/// What a check gives.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The model, if nothing is wrong.
    pub document: Option<Document>,
    /// Everything found, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How much work there was beyond reading the text: characters read again or walked over,
    /// names compared, transitions followed.
    pub steps: usize,
}

/// Checks a text as a document of the given kind.
pub fn check(source: &str, kind: Kind, options: Options) -> Checked {
    let mut sink = Sink::new(options, source);
    let document = read(&mut sink, source, kind);
    Checked {
        document: document.filter(|_| sink.errors() == 0),
        steps: sink.steps(),
        diagnostics: sink.into_diagnostics(),
    }
}

/// Reads a text by the rules of Mistral's loader: its value, or why it is no YAML. Dates stay
/// the text that they are; a text without a document is null.
pub fn load(source: &str) -> Result<Value, Box<Diagnostic>> {
    match yaml::read(source) {
        Ok(read) => Ok(read.root.map(|root| root.to_value()).unwrap_or_default()),
        Err(fault) => Err(Box::new(Diagnostic {
            severity: Severity::Error,
            rule: fault.rule,
            message: fault.message,
            span: fault.span,
            path: String::new(),
            suggestion: fault.help,
            related: None,
        })),
    }
}

fn read(sink: &mut Sink, source: &str, kind: Kind) -> Option<Document> {
    let read = match yaml::read(source) {
        Ok(read) => read,
        Err(fault) => {
            sink.error(fault.rule, &Path::ROOT, fault.span, fault.message)
                .suggestion = fault.help;
            return None;
        }
    };
    sink.spend(read.reread);
    for duplicate in read.duplicates {
        let message = format!(
            "the key {} occurs twice; the last one counts",
            Quoted(&duplicate.key)
        );
        sink.warn(Rule::DuplicateKey, &Path::ROOT, duplicate.span, message)
            .also(duplicate.earlier, "this one is lost");
    }
    for span in read.sigils {
        let message = "there are no anchors and aliases: this is text";
        sink.warn(Rule::SigilText, &Path::ROOT, span, message)
            .help("quote it, so that every reader of YAML takes it for text");
    }
    let document = document::document(sink, source, read.root.as_ref(), kind)?;
    lookup::check(sink, &document);
    Some(document)
}

#[cfg(test)]
mod tests;
