//! Events as lines of a live display.
//!
//! Owns what is worth a line and how it reads. Left to others: getting the events (`follow`).

use std::collections::BTreeSet;
use std::time::SystemTime;

use autan::{Event, EventKind, TimerKind};

use super::human::{Paint, Tone, between, duration, one_line, state_tone};

/// Width of the time column.
const TIME_WIDTH: usize = 8;
/// Names up to this length keep the columns aligned.
const NAME_WIDTH: usize = 24;
/// Longer state words, such as `ROLLING_BACK`, are rare enough to push the rest.
const STATE_WIDTH: usize = 9;
/// Longer texts of the server are cut.
const INFO_CHARS_MAX: usize = 120;

/// What is worth a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Changes of tasks and of the execution, and what explains them.
    Changes,
    /// Everything.
    All,
}

/// A live display. Times are counted from the first event that it sees.
#[derive(Debug)]
pub(super) struct Live {
    paint: Paint,
    detail: Detail,
    start: Option<SystemTime>,
    /// Task executions that undo others.
    undoing: BTreeSet<String>,
}

/// A line without its time.
struct Line {
    name: String,
    state: String,
    info: String,
}

impl Live {
    pub(super) fn new(paint: Paint, detail: Detail) -> Self {
        Self {
            paint,
            detail,
            start: None,
            undoing: BTreeSet::new(),
        }
    }

    /// What undoes a task has the name of that task, so it is told apart by its id.
    fn note_undoing(&mut self, event: &Event) {
        if let EventKind::TaskCreated {
            undo_of: Some(_), ..
        } = &event.kind
        {
            self.undoing.extend(event.task_execution_id.clone());
        }
    }

    /// The line for an event, if it is worth one.
    pub(super) fn line(&mut self, event: &Event) -> Option<String> {
        self.start = self.start.or(event.time);
        self.note_undoing(event);
        if self.detail == Detail::Changes && is_minor(&event.kind) {
            return None;
        }
        let elapsed = between(self.start, event.time)
            .map(duration)
            .unwrap_or_default();
        let Line { name, state, info } = line(event);
        let task = event.task_execution_id.as_deref().unwrap_or_default();
        let name = if self.undoing.contains(task) {
            format!("undo {name}")
        } else {
            name
        };
        let time = self
            .paint
            .text(Tone::Faint, format!("{elapsed:>TIME_WIDTH$}"));
        let rest = Line { name, state, info }.text(self.paint);
        Some(format!("{time}  {rest}").trim_end().to_owned())
    }
}

impl Line {
    fn text(&self, paint: Paint) -> String {
        let Self { name, state, info } = self;
        let state = paint.text(state_tone(state), format!("{state:<STATE_WIDTH$}"));
        let info = one_line(info, INFO_CHARS_MAX);
        format!("{name:<NAME_WIDTH$}  {state}  {info}")
    }
}

/// The line for one event of many executions, without a time.
pub(super) fn line_of(event: &Event, paint: Paint) -> String {
    line(event).text(paint)
}

/// Whether an event only says in detail what others say, too.
fn is_minor(kind: &EventKind) -> bool {
    match kind {
        EventKind::ActionStarted { attempt, .. } => *attempt <= 1,
        EventKind::ActionStateChanged { .. }
        | EventKind::VariablesPublished { .. }
        | EventKind::TimerFired { .. }
        | EventKind::Unknown => true,
        _ => false,
    }
}

fn line(event: &Event) -> Line {
    let name = event
        .task_name
        .clone()
        .unwrap_or_else(|| "(workflow)".to_owned());
    let state = match &event.kind {
        EventKind::ExecutionStateChanged { state, .. } => state.to_string(),
        EventKind::TaskCreated { state, .. } | EventKind::TaskStateChanged { state, .. } => {
            state.to_string()
        }
        _ => String::new(),
    };
    Line {
        name,
        state,
        info: describe(event),
    }
}

/// The policy behind a timer, as documents call it.
fn policy(kind: TimerKind) -> String {
    kind.to_string().to_lowercase().replace('_', "-")
}

/// Who has caused an event, if somebody has.
fn caller(event: &Event) -> String {
    let who = event.principal.as_ref().or(event.identity.as_ref());
    who.map(|who| format!(" by {who}")).unwrap_or_default()
}

/// What an event says beside the task and its state.
pub(super) fn describe(event: &Event) -> String {
    match &event.kind {
        EventKind::ExecutionStarted {
            workflow_name,
            workflow_revision,
            ..
        } => {
            let by = caller(event);
            format!("started {workflow_name} (revision {workflow_revision}){by}")
        }
        EventKind::ExecutionStateChanged { state_info, .. }
        | EventKind::TaskStateChanged { state_info, .. } => state_info.clone(),
        EventKind::TaskCreated {
            undo_of: Some(undone),
            ..
        } => format!("undoes {undone}"),
        EventKind::TaskCreated { triggered_by, .. } if triggered_by.is_empty() => String::new(),
        EventKind::TaskCreated { triggered_by, .. } => {
            format!("after {}", triggered_by.join(", "))
        }
        EventKind::ActionStarted {
            action_name,
            attempt,
            item_index,
            ..
        } => {
            format!("{action_name}, attempt {attempt}, item {item_index}")
        }
        EventKind::ActionStateChanged {
            state,
            action_execution_id,
            ..
        } => {
            format!("action {action_execution_id} {state}")
        }
        EventKind::VariablesPublished { branch, global } => published(branch, global),
        EventKind::TimerStarted { kind, due_time } => {
            let wait = between(event.time, *due_time)
                .map(duration)
                .unwrap_or_default();
            format!("{} in {wait}", policy(*kind))
        }
        EventKind::TimerFired { kind } => format!("{} is due", policy(*kind)),
        EventKind::ChildStarted {
            workflow_name,
            child_execution_id,
            ..
        } => {
            format!("started {workflow_name} as {child_execution_id}")
        }
        EventKind::VerbApplied { verb, reason, .. } => {
            let by = caller(event);
            let why = if reason.is_empty() {
                String::new()
            } else {
                format!(": {reason}")
            };
            format!("{verb}{by}{why}")
        }
        EventKind::EnvironmentChanged { names } => {
            format!("environment changed: {}", names.join(", "))
        }
        EventKind::ExecutionDrained => "nothing runs any more".to_owned(),
        EventKind::TaskInputChanged { names } => format!("input changed: {}", names.join(", ")),
        EventKind::ResultIgnored { reason, .. } => format!("result ignored: {reason}"),
        // Kinds of a newer server, too.
        other => other.name().to_owned(),
    }
}

fn published(branch: &[String], global: &[String]) -> String {
    match (branch.is_empty(), global.is_empty()) {
        (_, true) => format!("published {}", branch.join(", ")),
        (true, false) => format!("published globally {}", global.join(", ")),
        (false, false) => {
            format!(
                "published {}, globally {}",
                branch.join(", "),
                global.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autan::raw::v1;
    use autan::raw::v1::history_event::Event as Wire;

    use super::*;

    fn event(millis: u64, task: &str, wire: Wire) -> Event {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        Event::from(v1::HistoryEvent {
            sequence: 1,
            event_time: Some(time.into()),
            task_name: task.to_owned(),
            event: Some(wire),
            ..v1::HistoryEvent::default()
        })
    }

    fn task_state(state: v1::TaskState, state_info: &str) -> Wire {
        Wire::TaskStateChanged(v1::TaskStateChanged {
            state: state.into(),
            state_info: state_info.to_owned(),
            ..v1::TaskStateChanged::default()
        })
    }

    /// The lines of some events as a display of changes, and of everything, shows them.
    fn check(events: &[Event], changes: &str, all: &str) {
        for (detail, expected) in [(Detail::Changes, changes), (Detail::All, all)] {
            let mut live = Live::new(Paint::new(false), detail);
            let lines: Vec<_> = events.iter().filter_map(|event| live.line(event)).collect();
            assert_eq!(lines.join("\n"), expected);
        }
    }

    #[test]
    fn lines_tell_what_changes() {
        let started = v1::ExecutionStarted {
            workflow_name: "order".to_owned(),
            workflow_revision: 2,
            ..v1::ExecutionStarted::default()
        };
        let attempt = |attempt| {
            Wire::ActionStarted(v1::ActionStarted {
                action_name: "std.http".to_owned(),
                attempt,
                ..v1::ActionStarted::default()
            })
        };
        let timer = Wire::TimerStarted(v1::TimerStarted {
            kind: v1::TimerKind::Retry.into(),
            due_time: Some((SystemTime::UNIX_EPOCH + Duration::from_millis(6_010)).into()),
        });
        let events = [
            event(1_000, "", Wire::ExecutionStarted(started)),
            event(1_001, "charge", task_state(v1::TaskState::Running, "")),
            event(1_001, "charge", attempt(1)),
            event(1_010, "charge", timer),
            event(6_010, "charge", attempt(2)),
            event(
                6_250,
                "charge",
                task_state(v1::TaskState::Error, "no\nmoney"),
            ),
        ];
        check(
            &events,
            "     0ms  (workflow)                           started order (revision 2)\n     \
             1ms  charge                    RUNNING\n    \
             10ms  charge                               retry in 5.00s\n   \
             5.01s  charge                               std.http, attempt 2, item 0\n   \
             5.25s  charge                    ERROR      no…",
            "     0ms  (workflow)                           started order (revision 2)\n     \
             1ms  charge                    RUNNING\n     \
             1ms  charge                               std.http, attempt 1, item 0\n    \
             10ms  charge                               retry in 5.00s\n   \
             5.01s  charge                               std.http, attempt 2, item 0\n   \
             5.25s  charge                    ERROR      no…",
        );
    }

    #[test]
    fn every_kind_has_words() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for (wire, expected) in [
            (
                Wire::VerbApplied(v1::VerbApplied {
                    verb: "pause".to_owned(),
                    reason: "night".to_owned(),
                    request_id: String::new(),
                }),
                "pause: night",
            ),
            (
                Wire::VariablesPublished(v1::VariablesPublished {
                    branch: names(&["a", "b"]),
                    global: names(&["c"]),
                }),
                "published a, b, globally c",
            ),
            (
                Wire::EnvironmentChanged(v1::EnvironmentChanged {
                    names: names(&["region"]),
                }),
                "environment changed: region",
            ),
            (
                Wire::ChildStarted(v1::ChildStarted {
                    child_execution_id: "u1".to_owned(),
                    workflow_name: "sub".to_owned(),
                    item_index: 0,
                }),
                "started sub as u1",
            ),
            (
                Wire::TaskCreated(v1::TaskCreated {
                    state: 2,
                    triggered_by: names(&["a"]),
                    undo_of: String::new(),
                }),
                "after a",
            ),
            (
                Wire::TaskCreated(v1::TaskCreated {
                    state: 2,
                    triggered_by: Vec::new(),
                    undo_of: "t1".to_owned(),
                }),
                "undoes t1",
            ),
        ] {
            assert_eq!(describe(&event(0, "t", wire)), expected);
        }
    }
}
