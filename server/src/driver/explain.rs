//! What executions wait for: asked by callers, answered after the commit, so that nobody sees what
//! is not stored yet.

use engine::ExecutionUid;
use store::ExecutionKey;

use super::answer::Answer;
use super::lane::Lane;
use super::order::{Explained, Question};
use super::{Error, Reply};

impl Lane {
    /// Takes a question into the batch.
    pub(super) fn ask_why(&mut self, question: Question, reply: Reply<Explained>) {
        // What was not in memory goes from it again after the commit, if it is finished.
        match self.load(question.uid) {
            Ok(()) => self
                .batch
                .answers
                .push(Answer::Explained { question, reply }),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    /// The answer to a question, as the execution is now.
    pub(super) fn explained(&self, question: Question) -> Result<Explained, Error> {
        let Question { uid, task, max } = question;
        let slot = self.executions.get(&uid).ok_or_else(|| not_found(uid))?;
        let execution = &slot.execution;
        let causes = engine::explain(execution, task, max);
        let named = causes.into_iter().map(|cause| {
            let record = cause.task.and_then(|number| execution.task_record(number));
            (cause, record.map(|task| task.name.clone()))
        });
        let record = execution.record();
        Ok(Explained {
            key: ExecutionKey::from(record),
            state: record.state,
            state_info: record.state_info.clone(),
            causes: named.collect(),
        })
    }
}

fn not_found(uid: ExecutionUid) -> Error {
    Error::ExecutionNotFound {
        id: uid.to_string().into(),
    }
}
