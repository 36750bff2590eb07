//! Documents on their way to the server: texts, or definitions written in code.

use crate::define::{Workbook, Workflow};

/// The text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&String> for Source {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

impl From<&Workflow> for Source {
    fn from(workflow: &Workflow) -> Self {
        Self(workflow.to_yaml())
    }
}

impl From<Workflow> for Source {
    fn from(workflow: Workflow) -> Self {
        Self::from(&workflow)
    }
}

impl From<&Workbook> for Source {
    fn from(workbook: &Workbook) -> Self {
        Self(workbook.to_yaml())
    }
}

impl From<Workbook> for Source {
    fn from(workbook: Workbook) -> Self {
        Self::from(&workbook)
    }
}
