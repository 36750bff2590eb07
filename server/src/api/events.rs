//! History events as they are sent: with names instead of numbers, and with payloads if wanted.
//!
//! An event only points at inputs, outputs and results; they are read from the rows that hold them.
//! So of an action that was tried again each attempt shows its own, and of an execution that
//! changed its final state more than once each change shows the latest output.

use std::sync::Arc;

use engine::{Data, HistoryEvent, HistoryKind};
use proto::v1::{self, PayloadFormat};
use store::{ExecutionKey, Payloads, Reader};

use super::convert::history::{self, Pointed};
use super::convert::payload;
use super::fault::Fault;
use super::lookup::TaskNames;

/// Turns the events of one execution into messages.
pub(super) struct Narrator {
    key: ExecutionKey,
    project: Arc<str>,
    /// Arm of the payloads, if they are wanted.
    payloads: Option<PayloadFormat>,
    names: TaskNames,
}

impl Narrator {
    pub(super) fn new(
        key: ExecutionKey,
        project: Arc<str>,
        payloads: Option<PayloadFormat>,
    ) -> Self {
        Self {
            key,
            project,
            payloads,
            names: TaskNames::new(key),
        }
    }

    /// The message of an event.
    pub(super) fn tell(
        &mut self,
        reader: &mut Reader,
        event: &HistoryEvent,
    ) -> Result<v1::HistoryEvent, Fault> {
        if let (Some(number), Some(name)) = (event.task, &event.task_name) {
            self.names.learn(number, name);
        }
        let triggered_by = match &event.kind {
            HistoryKind::TaskCreated { triggered_by, .. } => {
                self.names.names(reader, triggered_by.iter().copied())?
            }
            _ => Vec::new(),
        };
        let payload = match self.payloads {
            Some(format) => {
                let data = self.data(reader, event)?;
                payload::wire_optional(data.as_ref(), format)
            }
            None => None,
        };
        Ok(history::wire(
            self.key.uid,
            event,
            Pointed {
                triggered_by,
                payload,
            },
        ))
    }

    /// The input, output or result that an event points at.
    fn data(&self, reader: &mut Reader, event: &HistoryEvent) -> Result<Option<Data>, Fault> {
        let uid = self.key.uid;
        let task = event.task.unwrap_or_default();
        let mut execution = || reader.find_execution_by_uid(&self.project, uid, Payloads::Include);
        Ok(match &event.kind {
            HistoryKind::ExecutionStarted { .. } => execution()?.map(|record| record.input),
            HistoryKind::ExecutionStateChanged { to, .. } if to.is_final() => {
                execution()?.and_then(|record| record.output)
            }
            HistoryKind::ActionStarted { action, .. } => reader
                .find_action(self.key, task, *action)?
                .map(|record| record.input),
            HistoryKind::ActionStateChanged { action, state } if state.is_final() => reader
                .find_action(self.key, task, *action)?
                .and_then(|record| record.output),
            _ => None,
        })
    }
}
