//! Tasks of a session: accepted, begun, ended.
//!
//! Owns starting functions, and how their notes come back. Left to others: what is remembered of a
//! task (`leases`), and what a function sees (`super::super::function`).

use std::sync::{Arc, Mutex};

use proto::v1::{ConnectResponse, WorkerTask};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{Instrument as _, debug, info_span};

use super::Note;
use super::held::Held;
use super::run::{Phase, Session};
use crate::payload::Payload;
use crate::resources::to_duration;
use crate::worker::context::{ActionContext, ActionInfo, Beats, Cancellation};
use crate::worker::error::ActionError;
use crate::worker::function;

impl Session {
    /// Everything in a message but the welcome.
    pub(super) fn take(&mut self, message: ConnectResponse) {
        let now = Instant::now();
        for ack in &message.results {
            self.leases.ack(now, ack);
        }
        for lease in &message.leases {
            self.leases.lease(lease);
        }
        let mut begun = Vec::new();
        for task in message.tasks {
            begun.extend(self.accept(now, task));
        }
        for (task, context) in begun {
            self.begin(task, context);
        }
        self.plan.reporter.running(self.leases.running());
        if let Some(going) = message.going_away
            && self.next.is_none()
        {
            let delay = to_duration(going.reconnect_delay).unwrap_or_default();
            debug!("the server goes away; another stream is opened in {delay:?}");
            self.open_at = Some(now + delay);
        }
    }

    /// Takes a task over, if there is room for it.
    pub(super) fn accept(
        &mut self,
        now: Instant,
        task: WorkerTask,
    ) -> Option<(WorkerTask, ActionContext)> {
        if self.leases.holds(&task.token) || !matches!(self.phase, Phase::Serving) {
            // While draining, what is not accepted goes back by itself.
            return None;
        }
        if self.leases.running_of(&task.queue) >= self.plan.limit(&task.queue) {
            self.leases.refuse(task.token);
            return None;
        }
        let cancellation = Cancellation::default();
        let beats = Arc::new(Beats::Session {
            latest: Mutex::default(),
            notes: self.notes.clone(),
        });
        let held = Held::new(
            now,
            &task,
            &self.timing,
            cancellation.clone(),
            beats.clone(),
        );
        self.leases.begin(task.token.clone(), held);
        let earlier = task.progress.clone().map(Payload::from);
        let context = ActionContext::new(ActionInfo::of(&task), earlier, cancellation, beats);
        Some((task, context))
    }

    pub(super) fn begin(&mut self, task: WorkerTask, context: ActionContext) {
        let token = task.token;
        let Some(action) = self.plan.actions.get(&task.action) else {
            let message = format!("this worker has no action {}", task.action);
            let error = ActionError::of_type("UnknownAction", message);
            self.note(Note::Ended(token, Err(error)));
            return;
        };
        let info = context.info();
        let span = info_span!(
            "action",
            action.name = info.action,
            action.id = info.action_execution_id,
            execution.id = info.execution_uid,
            task.id = info.task_execution_id,
            task.name = info.task_name,
            attempt = info.attempt,
        );
        let handler = action.handler().clone();
        let input = task
            .input
            .map_or_else(|| Payload::from_json_text("{}"), Payload::from);
        let grace = (!action.is_blocking()).then_some(self.plan.cancel_grace);
        let mut end = EndGuard {
            token: Some(token.clone()),
            notes: self.notes.clone(),
        };
        let (gate, opened) = oneshot::channel();
        self.gates.push(gate);
        let function = async move {
            // A gate is opened by dropping it.
            let _ = opened.await;
            let ended = function::run(&handler, input, context, grace).await;
            end.end(ended);
        };
        let function = self.functions.spawn(function.instrument(span));
        self.leases.set_abort(&token, function.abort_handle());
    }

    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Beat(token) => self.leases.beat(Instant::now(), &token),
            Note::Ended(token, ended) => {
                if let Some(queue) = self.leases.ended(Instant::now(), &token, ended) {
                    self.grant(queue);
                }
            }
            Note::Dropped(token) => {
                if let Some(queue) = self.leases.release(token) {
                    self.grant(queue);
                }
            }
        }
        self.plan.reporter.running(self.leases.running());
    }

    /// One more task of a queue may be sent: over the newest stream, which was told of fewer.
    pub(super) fn grant(&mut self, queue: String) {
        if let Some(link) = self.next.as_mut().or(self.current.as_mut()) {
            *link.credits.entry(queue).or_default() += 1;
        }
    }
}

/// Tells the end of a function, also if its runtime drops it.
struct EndGuard {
    token: Option<String>,
    notes: mpsc::UnboundedSender<Note>,
}

impl EndGuard {
    fn end(&mut self, ended: function::Ended) {
        if let Some(token) = self.token.take() {
            // A session that is gone has no use for it.
            let _ = self.notes.send(Note::Ended(token, ended));
        }
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            let _ = self.notes.send(Note::Dropped(token));
        }
    }
}
