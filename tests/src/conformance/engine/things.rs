//! Finding the things that references mean, and the states that they are in.

use anyhow::{Context as _, Result};
use proto::v1;
use proto::v1::list_action_executions_request::Parent;

use super::case::Reference;
use super::follow::{action_word, execution_word, task_word};
use crate::api::Api;

/// A thing that was found.
#[derive(Debug)]
pub(super) enum Thing {
    Execution(Box<v1::Execution>),
    Task(Box<v1::TaskExecution>),
    Action(Box<v1::ActionExecution>),
}

impl Thing {
    /// Its id.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Execution(execution) => &execution.uid,
            Self::Task(task) => &task.task_execution_id,
            Self::Action(action) => &action.action_execution_id,
        }
    }

    /// Its state in Mistral's words.
    pub(super) fn state(&self) -> &'static str {
        match self {
            Self::Execution(execution) => execution_word(execution.state()),
            Self::Task(task) => task_word(task.state()),
            Self::Action(action) => action_word(action.state()),
        }
    }

    /// Whether it is in a state, or was processed if that is the word.
    pub(super) fn is(&self, wanted: &str) -> bool {
        match self {
            Self::Task(task) if wanted == "PROCESSED" => task.processed,
            _ => self.state() == wanted,
        }
    }

    /// Whether it stays as it is unless somebody reruns it.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.state(), "SUCCESS" | "ERROR" | "CANCELLED" | "SKIPPED")
    }
}

/// The things of one case.
#[derive(Debug)]
pub(super) struct Things {
    api: Api,
    roots: Vec<String>,
}

impl Things {
    pub(super) fn new(api: Api) -> Self {
        Self {
            api,
            roots: Vec::new(),
        }
    }

    /// Adds the execution that was just started.
    pub(super) fn add_root(&mut self, uid: String) {
        self.roots.push(uid);
    }

    /// Finds a thing; `None` if it is not there, or not yet.
    pub(super) async fn find(&self, reference: &Reference) -> Result<Option<Thing>> {
        match reference {
            Reference::Root { .. } | Reference::Child { .. } => {
                let Some(uid) = self.find_execution(reference).await? else {
                    return Ok(None);
                };
                let execution = self
                    .api
                    .execution(&uid)
                    .await
                    .context("reading an execution")?;
                Ok(Some(Thing::Execution(Box::new(execution))))
            }
            Reference::Task { wf, task, nth } => {
                let task = self.find_task(wf, task, *nth).await?;
                Ok(task.map(|task| Thing::Task(Box::new(task))))
            }
            Reference::Action {
                wf,
                task,
                nth,
                item,
                action_nth,
            } => {
                let Some(task) = self.find_task(wf, task, *nth).await? else {
                    return Ok(None);
                };
                // The number counts all actions of the task, of whatever item.
                let actions = self.actions(task.task_execution_id).await?.into_iter();
                let action = actions
                    .skip(*action_nth)
                    .find(|action| action.item_index == *item);
                Ok(action.map(|action| Thing::Action(Box::new(action))))
            }
        }
    }

    /// Finds the uid of an execution.
    async fn find_execution(&self, reference: &Reference) -> Result<Option<String>> {
        match reference {
            Reference::Root { root } => Ok(self.roots.get(*root).cloned()),
            Reference::Child { wf, task, nth, sub } => {
                let Some(task) = Box::pin(self.find_task(wf, task, *nth)).await? else {
                    return Ok(None);
                };
                let actions = self.actions(task.task_execution_id).await?.into_iter();
                let mut children = actions
                    .map(|action| action.child_execution_id)
                    .filter(|uid| !uid.is_empty());
                Ok(children.nth(*sub))
            }
            Reference::Task { .. } | Reference::Action { .. } => {
                anyhow::bail!("the reference names no execution: {reference:?}")
            }
        }
    }

    async fn find_task(
        &self,
        wf: &Reference,
        name: &str,
        nth: usize,
    ) -> Result<Option<v1::TaskExecution>> {
        let Some(uid) = self.find_execution(wf).await? else {
            return Ok(None);
        };
        let tasks = self.api.list_tasks(&uid).await.context("listing tasks")?;
        Ok(tasks
            .into_iter()
            .filter(|task| task.task_name == name)
            .nth(nth))
    }

    /// All attempts of a task, or of one of its items, in their order: none as long as there are
    /// no such execution and task.
    pub(super) async fn attempts(
        &self,
        wf: &Reference,
        name: &str,
        item: i32,
    ) -> Result<Vec<v1::ActionExecution>> {
        let mut attempts = Vec::new();
        let Some(uid) = self.find_execution(wf).await? else {
            return Ok(attempts);
        };
        let tasks = self.api.list_tasks(&uid).await.context("listing tasks")?;
        for task in tasks.into_iter().filter(|task| task.task_name == name) {
            let actions = self.actions(task.task_execution_id).await?.into_iter();
            attempts.extend(actions.filter(|action| action.item_index == item));
        }
        Ok(attempts)
    }

    async fn actions(&self, task: String) -> Result<Vec<v1::ActionExecution>> {
        let parent = Parent::TaskExecutionId(task);
        self.api
            .list_actions(parent)
            .await
            .context("listing actions")
    }
}
