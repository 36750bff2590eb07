//! Running one action without a server, to test it.
//!
//! Owns [`ActionTester`]. Left to others: everything that a function sees, which is the same as in
//! a worker (`function`, `context`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::action::{Done, WorkerAction};
use super::context::{ActionContext, ActionInfo, Beats, Cancellation, Cancelled};
use super::error::ActionError;
use super::function;
use crate::error::Error;
use crate::payload::Payload;

/// One call of an action in preparation.
///
/// ```
/// use autan::{WorkerAction, ActionTester};
/// use serde_json::{Value, json};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let action = WorkerAction::new("double", |input: Value, _cx| async move {
///     Ok(input["n"].as_i64().unwrap_or(0) * 2)
/// });
/// let tested = ActionTester::new(&action).input(&json!({"n": 21}))?.run().await;
/// assert_eq!(tested.output::<i64>()?, 42);
/// # Ok::<(), autan::Error>(())
/// # }).unwrap();
/// ```
#[must_use = "nothing runs before `run`"]
pub struct ActionTester {
    action: WorkerAction,
    input: Payload,
    progress: Option<Payload>,
    info: ActionInfo,
    cancellation: Cancellation,
    grace: Duration,
}

impl ActionTester {
    /// A first attempt without input.
    pub fn new(action: &WorkerAction) -> Self {
        Self {
            action: action.clone(),
            input: Payload::from_json_text("{}"),
            progress: None,
            info: ActionInfo {
                token: "token".to_owned(),
                action: action.name().to_owned(),
                queue: "default".to_owned(),
                attempt: 1,
                delivery: 1,
                idempotency_key: "test".to_owned(),
                project: "default".to_owned(),
                execution_uid: "execution".to_owned(),
                workflow_name: "test".to_owned(),
                task_name: "test".to_owned(),
                task_execution_id: "task".to_owned(),
                action_execution_id: "action".to_owned(),
                ..ActionInfo::default()
            },
            cancellation: Cancellation::default(),
            grace: super::CANCEL_GRACE,
        }
    }

    /// The input: anything that serde writes as a JSON object.
    pub fn input(mut self, input: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.input = Payload::encode(input, "the input")?;
        Ok(self)
    }

    /// Number of the attempt.
    pub fn attempt(mut self, attempt: i32) -> Self {
        self.info.attempt = attempt;
        self
    }

    /// Number of the delivery.
    pub fn delivery(mut self, delivery: i32) -> Self {
        self.info.delivery = delivery;
        self
    }

    /// What an earlier attempt has said last of its progress.
    pub fn progress(mut self, progress: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.progress = Some(Payload::encode(progress, "the progress")?);
        Ok(self)
    }

    /// Key that the action gets.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.info.idempotency_key = key.into();
        self
    }

    /// How long it may go on after it was told to stop; 10 seconds if nothing is said.
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Tells it to stop before it has begun.
    pub fn cancelled(self, cause: Cancelled) -> Self {
        self.cancellation.cancel(cause);
        self
    }

    /// Runs it.
    pub async fn run(self) -> Tested {
        self.run_cancelled_by(std::future::pending()).await
    }

    /// Runs it, and tells it to stop when the future ends.
    pub async fn run_cancelled_by(self, cancel: impl Future<Output = Cancelled>) -> Tested {
        let beats = Arc::new(Beats::Record(Mutex::default()));
        let cancellation = self.cancellation.clone();
        let context =
            ActionContext::new(self.info, self.progress, self.cancellation, beats.clone());
        let grace = (!self.action.is_blocking()).then_some(self.grace);
        let cancelling = async {
            cancellation.cancel(cancel.await);
            std::future::pending().await
        };
        let ended = tokio::select! {
            ended = function::run(self.action.handler(), self.input, context, grace) => ended,
            ended = cancelling => ended,
        };
        Tested {
            ended,
            heartbeats: beats.recorded(),
        }
    }
}

/// What an action has done.
#[derive(Debug)]
pub struct Tested {
    ended: Result<Done, ActionError>,
    heartbeats: Vec<Payload>,
}

impl Tested {
    /// Its result as `T`. A failed action is an error with its type and message.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match &self.ended {
            Ok(Done::Result(payload)) => payload.decode("the result"),
            Ok(Done::Deferred) => Err(Error::Incomplete { field: "result" }),
            Err(error) => Err(Error::Action(error.to_string())),
        }
    }

    /// Its failure as it would be sent, if it has failed.
    pub fn failure(&self) -> Option<&ActionError> {
        self.ended.as_ref().err()
    }

    /// Whether somebody is to complete it later.
    pub fn is_deferred(&self) -> bool {
        matches!(self.ended, Ok(Done::Deferred))
    }

    /// All that it has said of its progress.
    pub fn heartbeats(&self) -> &[Payload] {
        &self.heartbeats
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn action() -> WorkerAction {
        WorkerAction::new("a", |input: Value, cx: ActionContext| async move {
            cx.heartbeat(&json!({"step": 1}))?;
            cx.alive();
            if input["wait"] == true {
                return Err(cx.cancelled().await.into());
            }
            let earlier: Option<Value> = cx.progress()?;
            Ok(json!([
                cx.attempt(),
                cx.delivery(),
                cx.idempotency_key(),
                earlier
            ]))
        })
    }

    #[tokio::test]
    async fn an_action_runs_without_a_server() {
        let call = ActionTester::new(&action()).attempt(2).delivery(3);
        let tested = call.progress(&7).unwrap().run().await;
        assert_eq!(tested.output::<Value>().unwrap(), json!([2, 3, "test", 7]));
        let said: Vec<_> = tested.heartbeats().iter().map(Payload::json_text).collect();
        assert_eq!(
            said,
            [Some("{\"step\":1}"); 2],
            "alive repeats what was said last"
        );
        assert!(tested.failure().is_none() && !tested.is_deferred());
    }

    #[tokio::test]
    async fn an_action_can_be_cancelled() {
        let reason = || Cancelled::Requested {
            reason: "enough".to_owned(),
        };
        let call = || {
            let call = ActionTester::new(&action());
            call.input(&json!({"wait": true})).unwrap()
        };
        let before = call().cancelled(reason()).run().await;
        let later = call().run_cancelled_by(async { reason() }).await;
        for tested in [before, later] {
            assert_eq!(tested.failure().unwrap().failure().kind, "Cancelled");
            let error = tested.output::<Value>().unwrap_err();
            assert_eq!(error.to_string(), "Cancelled: cancelled: enough");
        }
    }

    #[tokio::test]
    async fn progress_has_a_limit() {
        let action = WorkerAction::new("a", |(), cx: ActionContext| async move {
            let refused = cx.heartbeat(&"x".repeat(64 * 1024)).unwrap_err();
            Ok(refused.to_string())
        });
        let tested = ActionTester::new(&action).run().await;
        let text: String = tested.output().unwrap();
        assert!(text.starts_with("the progress has 65538 bytes"), "{text}");
        assert!(tested.heartbeats().is_empty());
    }
}
