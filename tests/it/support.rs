//! What several tests need: workflows to run, and comparing refusals.

use std::fmt::{Debug, Write as _};
use std::time::Duration;

use e2e::api::Api;
use e2e::refusal::{Refusal, reason_word};
use proto::v1;
use proto::v1::ErrorReason;
use tonic::{Code, Status};

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A workflow whose tasks wait for the test, so that the test decides how far it gets.
pub(crate) fn held(name: &str, tasks: usize) -> String {
    let mut text = format!("version: '2.0'\n{name}:\n  tasks:\n");
    for number in 1..=tasks {
        let next = number + 1;
        let next = if number < tasks {
            format!(", on-success: t{next}")
        } else {
            String::new()
        };
        let _ = writeln!(text, "    t{number}: {{action: std.async_noop{next}}}");
    }
    text
}

/// A workflow that echoes its input `x`.
pub(crate) fn echo(name: &str) -> String {
    format!(
        "version: '2.0'
{name}:
  input: [x: 0]
  output: {{x: <% $.x %>}}
  tasks:
    t: {{action: std.echo output=<% $.x %>}}
"
    )
}

/// Whether a call may be made again with the same id: the server went away before, or under it.
/// What tonic makes of a connection that breaks has one of several codes, and no reason.
pub(crate) fn may_be_repeated(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::Unknown | Code::Cancelled | Code::Internal => Refusal::of(status).reason.is_empty(),
        _ => false,
    }
}

/// Collects what is not as it should be, so that one run shows everything.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    /// A call that must be refused, and how.
    pub(crate) fn refused<T: Debug>(
        &mut self,
        what: &str,
        answer: Result<T, Status>,
        code: Code,
        reason: ErrorReason,
    ) -> Option<Refusal> {
        match answer {
            Ok(answer) => {
                let mut text = format!("{answer:?}");
                text.truncate(200);
                self.0.push(format!("{what}: accepted: {text}"));
                None
            }
            Err(status) => {
                let refusal = Refusal::of(&status);
                if !refusal.is(code, reason) {
                    let wanted = reason_word(reason);
                    self.0
                        .push(format!("{what}: wanted {code:?}/{wanted}, got {refusal}"));
                }
                Some(refusal)
            }
        }
    }

    /// Something that must hold.
    pub(crate) fn holds(&mut self, what: &str, truth: bool) {
        if !truth {
            self.0.push(what.to_owned());
        }
    }

    /// Takes what was found elsewhere.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Fails the test if anything was found.
    #[track_caller]
    pub(crate) fn none(self) {
        assert!(
            self.0.is_empty(),
            "{} findings:\n{}",
            self.0.len(),
            self.0.join("\n")
        );
    }
}

/// The running action of an execution that waits for the test.
pub(crate) async fn running_action(api: &Api, execution: &str) -> Option<v1::ActionExecution> {
    let parent = v1::list_action_executions_request::Parent::ExecutionId(execution.to_owned());
    let actions = api
        .list_actions(parent)
        .await
        .expect("actions can be listed");
    let mut running = actions
        .into_iter()
        .filter(|action| action.state() == v1::ActionState::Running);
    running.next()
}

/// Lets the next task of a held workflow succeed.
pub(crate) async fn step(api: &Api, execution: &str) {
    let action = running_action(api, execution)
        .await
        .expect("an action waits for the test");
    api.complete_action(&action.action_execution_id, &serde_json::json!("done"))
        .await
        .expect("the action can be completed");
}

/// The numbers of events.
pub(crate) fn sequences(events: &[v1::HistoryEvent]) -> Vec<i64> {
    events.iter().map(|event| event.sequence).collect()
}

/// 1, 2, 3 … as far as an execution has come.
pub(crate) fn without_holes(last: i64) -> Vec<i64> {
    (1..=last).collect()
}
