//! Which fields each list has, and what each of them can be compared with.

use engine::{ExecutionState, ExecutionUid, TaskId, TaskState};
use jiff::Timestamp;
use store::{DefinitionField, EnvironmentField, ExecutionField, FilterValue, Operator, TaskField};

use super::scanner::Literal;

/// A set of fields.
pub(crate) trait Field: Sized {
    /// All of them, for messages.
    const NAMES: &'static str;

    /// The field of a name, what it is compared with, and, where the text of the comparison
    /// belongs to the field, the value that remains.
    fn find(
        name: &str,
        member: Option<String>,
        operator: Operator,
        text: &str,
    ) -> Option<(Self, Kind, Option<FilterValue>)>;
}

/// What a field is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Any text; with patterns.
    Text,
    /// A time, or `*`.
    Time,
    /// A text that passes this test, described by these words.
    Exact(fn(&str) -> bool, &'static str),
    /// As `Exact`, or `*`.
    ExactOrAny(fn(&str) -> bool, &'static str),
}

impl Kind {
    pub(super) fn check_operator(self, operator: Operator) -> Result<(), String> {
        match (self, operator) {
            (Self::Text | Self::Time, _)
            | (_, Operator::Equal | Operator::NotEqual | Operator::Has) => Ok(()),
            (Self::Exact(..) | Self::ExactOrAny(..), _) => Err("= or != for this field".to_owned()),
        }
    }

    pub(super) fn value(self, literal: &Literal) -> Result<FilterValue, String> {
        let text = literal.text();
        let has_value = literal.characters == [('*', false)];
        match self {
            Self::Text => pattern(literal),
            Self::Time | Self::ExactOrAny(..) if has_value => Ok(FilterValue::Present),
            Self::Time => {
                let time: Timestamp = text
                    .parse()
                    .map_err(|_| "a time such as 2026-01-31T12:00:00Z".to_owned())?;
                Ok(FilterValue::Time(time.as_microsecond()))
            }
            Self::Exact(known, expected) | Self::ExactOrAny(known, expected) => {
                if known(&text) {
                    Ok(FilterValue::Text(text))
                } else {
                    Err(expected.to_owned())
                }
            }
        }
    }
}

/// Patterns are matched or not; they have no order.
pub(super) fn check_pattern(operator: Operator, value: &FilterValue) -> Result<(), String> {
    let is_single = matches!(value, FilterValue::Text(_) | FilterValue::Time(_));
    match operator {
        Operator::Equal | Operator::NotEqual | Operator::Has => Ok(()),
        _ if is_single => Ok(()),
        _ => Err("=, != or : with a pattern".to_owned()),
    }
}

/// A text with `*` at its ends, or without.
fn pattern(literal: &Literal) -> Result<FilterValue, String> {
    const STAR: (char, bool) = ('*', false);
    let mut characters = literal.characters.as_slice();
    let starts_open = characters.first() == Some(&STAR);
    if starts_open {
        characters = &characters[1..];
        if characters.is_empty() {
            return Ok(FilterValue::Present);
        }
    }
    let ends_open = characters.last() == Some(&STAR);
    if ends_open {
        characters = &characters[..characters.len() - 1];
    }
    if characters.contains(&STAR) {
        return Err(
            "`*` only at the start or end of a value; quote and write \\* for a star".into(),
        );
    }
    let text: String = characters.iter().map(|(character, _)| character).collect();
    Ok(match (starts_open, ends_open) {
        (false, false) => FilterValue::Text(text),
        (false, true) => FilterValue::StartsWith(text),
        (true, false) => FilterValue::EndsWith(text),
        (true, true) => FilterValue::Contains(text),
    })
}

const UID: Kind = Kind::Exact(|text| text.parse::<ExecutionUid>().is_ok(), "a uid");
const KIND: Kind = Kind::Exact(
    |word| matches!(word, "WORKFLOW" | "ACTION"),
    "WORKFLOW or ACTION",
);
const TASK_ID: Kind = Kind::ExactOrAny(
    |text| text.parse::<TaskId>().is_ok(),
    "a task execution id or *",
);

impl Field for ExecutionField {
    const NAMES: &'static str = "execution_id, uid, state, workflow_name, workflow_namespace, \
        create_time, update_time, start_time, end_time, description, root_execution_id, \
        parent_task_execution_id, kind, labels.KEY";

    fn find(
        name: &str,
        member: Option<String>,
        operator: Operator,
        text: &str,
    ) -> Option<(Self, Kind, Option<FilterValue>)> {
        const STATE: Kind = Kind::Exact(
            |word| ExecutionState::from_word(word).is_some(),
            "one of IDLE, RUNNING, PAUSED, SUCCESS, ERROR, CANCELLED",
        );
        if name == "labels" {
            return match member {
                Some(key) => Some((Self::Label(key), Kind::Text, None)),
                // `labels:KEY` asks for the key.
                None if operator == Operator::Has => {
                    let field = Self::Label(text.to_owned());
                    Some((field, Kind::Text, Some(FilterValue::Present)))
                }
                None => None,
            };
        }
        let (field, kind) = match name {
            "execution_id" => (Self::ExecutionId, Kind::Text),
            "uid" => (Self::Uid, UID),
            "state" => (Self::State, STATE),
            "workflow_name" => (Self::WorkflowName, Kind::Text),
            "workflow_namespace" => (Self::WorkflowNamespace, Kind::Text),
            // An execution starts when it is accepted.
            "create_time" | "start_time" => (Self::CreateTime, Kind::Time),
            "update_time" => (Self::UpdateTime, Kind::Time),
            "end_time" => (Self::EndTime, Kind::Time),
            "description" => (Self::Description, Kind::Text),
            "root_execution_id" => (Self::RootExecution, UID),
            "parent_task_execution_id" => (Self::ParentTask, TASK_ID),
            "kind" => (Self::Kind, KIND),
            _ => return None,
        };
        member.is_none().then_some((field, kind, None))
    }
}

impl Field for TaskField {
    const NAMES: &'static str = "task_name, state, type";

    fn find(
        name: &str,
        member: Option<String>,
        _: Operator,
        _: &str,
    ) -> Option<(Self, Kind, Option<FilterValue>)> {
        const STATE: Kind = Kind::Exact(
            |word| TaskState::from_word(word).is_some(),
            "one of IDLE, WAITING, RUNNING, DELAYED, PAUSED, SUCCESS, ERROR, CANCELLED, SKIPPED",
        );
        const TYPE: Kind = Kind::Exact(
            |word| matches!(word, "ACTION" | "WORKFLOW"),
            "ACTION or WORKFLOW",
        );
        let (field, kind) = match name {
            "task_name" => (Self::Name, Kind::Text),
            "state" => (Self::State, STATE),
            "type" => (Self::Type, TYPE),
            _ => return None,
        };
        member.is_none().then_some((field, kind, None))
    }
}

impl Field for DefinitionField {
    const NAMES: &'static str = "name, namespace, workbook, tag, create_time, update_time";

    fn find(
        name: &str,
        member: Option<String>,
        _: Operator,
        _: &str,
    ) -> Option<(Self, Kind, Option<FilterValue>)> {
        let (field, kind) = match name {
            "name" => (Self::Name, Kind::Text),
            "namespace" => (Self::Namespace, Kind::Text),
            "workbook" => (Self::Workbook, Kind::Text),
            "tag" => (Self::Tag, Kind::Text),
            "create_time" => (Self::CreateTime, Kind::Time),
            "update_time" => (Self::UpdateTime, Kind::Time),
            _ => return None,
        };
        member.is_none().then_some((field, kind, None))
    }
}

impl Field for EnvironmentField {
    const NAMES: &'static str = "name, create_time, update_time";

    fn find(
        name: &str,
        member: Option<String>,
        _: Operator,
        _: &str,
    ) -> Option<(Self, Kind, Option<FilterValue>)> {
        let (field, kind) = match name {
            "name" => (Self::Name, Kind::Text),
            "create_time" => (Self::CreateTime, Kind::Time),
            "update_time" => (Self::UpdateTime, Kind::Time),
            _ => return None,
        };
        member.is_none().then_some((field, kind, None))
    }
}
