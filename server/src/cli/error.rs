//! Why a command failed, and how that is said.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Exit;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The server, or the client, says no.
    #[error(transparent)]
    Client(#[from] autan::Error),
    /// Nobody listens.
    #[error("no server at {address}: {message}")]
    Unreachable {
        /// Where one was expected.
        address: String,
        /// Why it was not reached.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} is not {expected}: {message}", path.display())]
    Content {
        /// Which one.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// Why it is not.
        message: String,
    },
    /// Nothing can be printed any more.
    #[error("cannot print")]
    Print(#[source] io::Error),
    /// A value cannot be printed as JSON or YAML.
    #[error("cannot print the value: {0}")]
    Format(String),
    /// There are several workflows, or not the named one.
    #[error("{problem}; there are: {}", names.join(", "))]
    ChooseWorkflow {
        /// What is wrong with the choice.
        problem: String,
        /// What there is to choose from.
        names: Vec<String>,
    },
    /// The document has errors, which were printed.
    #[error("the document has errors")]
    InvalidDocument,
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server in this process does not start, or has failed.
    #[error(transparent)]
    Server(crate::Error),
    /// A database cannot be copied, moved or changed.
    #[error(transparent)]
    Database(#[from] crate::upkeep::Error),
    /// A program cannot be started.
    #[error("cannot start {program}: {source}")]
    Program {
        /// Which one.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
}

impl Error {
    /// How the program ends with it.
    pub(super) fn exit(&self) -> Exit {
        match self {
            // Who reads the output has enough of it, as `head` does.
            Self::Print(source) if source.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
            Self::ChooseWorkflow { .. } => Exit::Usage,
            _ => Exit::Failure,
        }
    }

    /// For people; `None` if there is nothing to say.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Print(_) | Self::InvalidDocument => None,
            Self::Client(error) => Some(client_text(error)),
            other => Some(other.to_string()),
        }
    }

    /// For scripts.
    pub(super) fn json(&self) -> Value {
        let mut object = json!({"message": self.to_string()});
        if let Self::Client(error) = self
            && let Some(rpc) = error.rpc()
        {
            object["message"] = json!(rpc.message);
            object["code"] = json!(rpc.code.as_str());
            object["reason"] = json!(rpc.reason.as_ref().map(autan::Reason::as_str));
            object["metadata"] = json!(rpc.metadata);
            object["violations"] = rpc
                .violations
                .iter()
                .map(|v| json!({"field": v.field, "description": v.description}))
                .collect();
        }
        json!({"error": object})
    }
}

fn client_text(error: &autan::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        write!(text, ": {cause}").expect("a text takes everything");
        source = cause.source();
    }
    let violations = error
        .rpc()
        .map(|rpc| rpc.violations.as_slice())
        .unwrap_or_default();
    for violation in violations {
        match violation.field.as_str() {
            "" => write!(text, "\n  {}", violation.description),
            field => write!(text, "\n  {field}: {}", violation.description),
        }
        .expect("a text takes everything");
    }
    text
}
