//! Following the executions of a case, so that waiting needs no clock.
//!
//! Owns one watch for each execution, children included, and a pulse that beats with every message.
//! Left to others: reading the state of things after a beat.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use proto::v1;
use proto::v1::history_event::Event;
use proto::v1::watch_execution_response::Message;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::api::Api;

/// The watches of one case. They end with this value.
#[derive(Debug)]
pub(super) struct Follower {
    api: Api,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pulse: watch::Sender<u64>,
    /// What was seen: a task or an execution, and a state that it had.
    seen: Mutex<HashSet<(String, &'static str)>>,
    watches: Mutex<Vec<AbortHandle>>,
}

impl Follower {
    /// A follower that follows nothing yet; its streams have a connection of their own.
    pub(super) fn new(api: &Api) -> Self {
        let shared = Shared {
            pulse: watch::Sender::new(0),
            seen: Mutex::default(),
            watches: Mutex::default(),
        };
        Self {
            api: api.apart(),
            shared: Arc::new(shared),
        }
    }

    /// Beats with every message of every watch.
    pub(super) fn pulse(&self) -> watch::Receiver<u64> {
        self.shared.pulse.subscribe()
    }

    /// Whether a task or an execution was in a state.
    pub(super) fn was(&self, id: &str, state: &'static str) -> bool {
        lock(&self.shared.seen).contains(&(id.to_owned(), state))
    }

    /// Follows an execution and its children, from the first event.
    pub(super) fn follow(&self, uid: &str) {
        follow(&self.api, &self.shared, uid);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        for watch in lock(&self.shared.watches).drain(..) {
            watch.abort();
        }
    }
}

fn follow(api: &Api, shared: &Arc<Shared>, uid: &str) {
    let (api, task_shared, uid) = (api.clone(), shared.clone(), uid.to_owned());
    let watch = tokio::spawn(async move {
        // A watch that fails ends the wait by its timeout, with a message that says where.
        let _ = read(&api, &task_shared, &uid).await;
    });
    lock(&shared.watches).push(watch.abort_handle());
}

async fn read(api: &Api, shared: &Arc<Shared>, uid: &str) -> Result<(), tonic::Status> {
    let request = v1::WatchExecutionRequest {
        project: api.project(),
        execution_id: uid.to_owned(),
        ..Default::default()
    };
    let mut stream = api
        .executions()
        .watch_execution(request)
        .await?
        .into_inner();
    while let Some(answer) = stream.message().await? {
        if let Some(Message::Events(batch)) = answer.message {
            for event in batch.events {
                note(api, shared, uid, event);
            }
        }
        shared.pulse.send_modify(|beats| *beats += 1);
    }
    Ok(())
}

/// Remembers states, and follows children from their birth.
fn note(api: &Api, shared: &Arc<Shared>, uid: &str, event: v1::HistoryEvent) {
    let task = event.task_execution_id;
    let seen = |id: &str, state| {
        lock(&shared.seen).insert((id.to_owned(), state));
    };
    match event.event {
        Some(Event::ExecutionStateChanged(change)) => seen(uid, execution_word(change.state())),
        Some(Event::TaskCreated(created)) => seen(&task, task_word(created.state())),
        Some(Event::TaskStateChanged(change)) => seen(&task, task_word(change.state())),
        Some(Event::ChildStarted(child)) => follow(api, shared, &child.child_execution_id),
        _ => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state of an execution in Mistral's words.
pub(super) fn execution_word(state: v1::ExecutionState) -> &'static str {
    word(state.as_str_name(), "EXECUTION_STATE_")
}

/// The state of a task in Mistral's words.
pub(super) fn task_word(state: v1::TaskState) -> &'static str {
    word(state.as_str_name(), "TASK_STATE_")
}

/// The state of an action in Mistral's words.
pub(super) fn action_word(state: v1::ActionState) -> &'static str {
    word(state.as_str_name(), "ACTION_STATE_")
}

fn word(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}
