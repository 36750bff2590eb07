//! What workers provide, also those that are gone: a call of an action that was ever provided waits
//! for a worker as long as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::Dispatch;
use serde::{Deserialize, Serialize};
use store::WorkerActionRow;

use super::whole_micros;

/// An action as a worker provides it; kept as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Provided {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) input: Vec<Parameter>,
    /// Times in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_to_close_us: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule_to_start_us: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heartbeat_us: Option<i64>,
}

/// A parameter of an action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) required: bool,
    /// As JSON.
    #[serde(rename = "default", skip_serializing_if = "Option::is_none")]
    pub(crate) default_json: Option<String>,
}

/// Everything that was ever provided.
#[derive(Default)]
pub(super) struct Registry {
    /// By project and name.
    projects: BTreeMap<Arc<str>, BTreeMap<Arc<str>, ByQueue>>,
}

/// An action in all queues in which it was provided.
pub(crate) type ByQueue = BTreeMap<Arc<str>, Known>;

/// An action as it was provided last in a queue.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) provided: Arc<Provided>,
    pub(crate) created_us: i64,
    pub(crate) updated_us: i64,
}

impl Registry {
    pub(super) fn load(rows: Vec<WorkerActionRow>) -> Self {
        let mut registry = Self::default();
        for row in rows {
            let Ok(provided) = serde_json::from_str(&row.details) else {
                tracing::warn!(action.name = %row.name, "what is kept of it is unreadable");
                continue;
            };
            let known = Known {
                provided: Arc::new(provided),
                created_us: row.created_us,
                updated_us: row.updated_us,
            };
            let actions = registry.projects.entry(row.project).or_default();
            let queues = actions.entry(row.name).or_default();
            queues.insert(row.queue, known);
        }
        registry
    }

    /// Takes note of what a worker provides. What must be kept, if it is news.
    pub(super) fn note(
        &mut self,
        place: (&Arc<str>, &Arc<str>, &Arc<str>),
        provided: &Arc<Provided>,
        now_us: i64,
    ) -> Option<WorkerActionRow> {
        let (project, name, queue) = place;
        let actions = self.projects.entry(project.clone()).or_default();
        let queues = actions.entry(name.clone()).or_default();
        let known = queues.get(queue);
        if known.is_some_and(|known| known.provided == *provided) {
            return None;
        }
        let created_us = known.map_or(now_us, |known| known.created_us);
        let known = Known {
            provided: provided.clone(),
            created_us,
            updated_us: now_us,
        };
        queues.insert(queue.clone(), known);
        Some(WorkerActionRow {
            project: project.clone(),
            name: name.clone(),
            queue: queue.clone(),
            details: serde_json::to_string(&**provided)
                .expect("our own types always have a JSON form")
                .into(),
            created_us,
            updated_us: now_us,
        })
    }

    /// An action in all queues in which it was provided.
    pub(super) fn of_name(&self, project: &str, name: &str) -> Option<&ByQueue> {
        self.projects.get(project)?.get(name)
    }

    /// Whether an action was ever provided.
    pub(super) fn knows(&self, project: &str, name: &str) -> bool {
        self.of_name(project, name).is_some()
    }

    /// An action as it was provided last in a queue.
    pub(super) fn find(&self, project: &str, name: &str, queue: &str) -> Option<&Known> {
        self.of_name(project, name)?.get(queue)
    }

    /// How long a call may wait: in one queue, or the longest of all.
    pub(super) fn patience(&self, project: &str, name: &str, queue: Option<&str>) -> Option<i64> {
        let queues = self.of_name(project, name)?;
        if let Some(queue) = queue {
            return queues.get(queue)?.provided.schedule_to_start_us;
        }
        let mut longest = None;
        for known in queues.values() {
            longest = longest.max(Some(known.provided.schedule_to_start_us?));
        }
        longest
    }

    /// How long an attempt may take, and how long it may be silent: as its task says, else as the
    /// worker says of the action.
    pub(super) fn limits(&self, dispatch: &Dispatch, queue: &str) -> (Option<i64>, Option<i64>) {
        let known = self.find(&dispatch.project, &dispatch.name, queue);
        let provided = known.map(|known| &known.provided);
        let times = dispatch.times;
        let start_to_close = times.start_to_close_s.map(whole_micros);
        let silence = times.heartbeat_s.map(whole_micros);
        (
            start_to_close.or_else(|| provided?.start_to_close_us),
            silence.or_else(|| provided?.heartbeat_us),
        )
    }

    /// All actions of a project, by name, each by queue.
    pub(super) fn of_project(&self, project: &str) -> impl Iterator<Item = (&Arc<str>, &ByQueue)> {
        self.projects.get(project).into_iter().flatten()
    }

    /// All actions of all projects.
    pub(super) fn names(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        let all = self.projects.iter();
        all.flat_map(|(project, actions)| actions.keys().map(move |name| (project, name)))
    }
}
