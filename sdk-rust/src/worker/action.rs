//! A function as an action: its name, its limits, and how JSON becomes its arguments.
//!
//! Owns [`WorkerAction`] and what a function may return. Left to others: when it runs (`session`)
//! and how its panics are caught (`function`).

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::ActionContext;
use super::error::{ActionError, INVALID_INPUT, INVALID_OUTPUT};
use crate::payload::Payload;

pub(crate) use self::sealed::Done;

/// A function with its types erased.
pub(crate) type Handler = Arc<
    dyn Fn(Payload, ActionContext) -> BoxFuture<'static, Result<Done, ActionError>> + Send + Sync,
>;

/// Returned by an action that somebody completes later: by
/// [`Client::complete_task`](crate::Client::complete_task) with its token, or by the id of its
/// action execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferred;

/// Returned by an action that is completed now or later, as the case may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The result.
    Done(T),
    /// Somebody completes it later.
    Deferred,
}

/// What an action may return: anything that serde writes as JSON, [`Deferred`] or [`Outcome`].
pub trait ActionOutput: sealed::Output {}

impl<T: sealed::Output> ActionOutput for T {}

mod sealed {
    use super::{ActionError, Deferred, INVALID_OUTPUT, Outcome, Payload, Serialize};

    /// How a function has ended well.
    #[derive(Clone, Debug, PartialEq)]
    pub enum Done {
        Result(Payload),
        Deferred,
    }

    pub trait Output {
        fn done(self) -> Result<Done, ActionError>;
    }

    impl<T: Serialize> Output for T {
        fn done(self) -> Result<Done, ActionError> {
            match serde_json::to_string(&self) {
                Ok(text) => Ok(Done::Result(Payload::from_json_text(text))),
                Err(error) => {
                    let message = format!("the result cannot be written as JSON: {error}");
                    Err(ActionError::of_type(INVALID_OUTPUT, message).without_retry())
                }
            }
        }
    }

    impl Output for Deferred {
        fn done(self) -> Result<Done, ActionError> {
            Ok(Done::Deferred)
        }
    }

    impl<T: Serialize> Output for Outcome<T> {
        fn done(self) -> Result<Done, ActionError> {
            match self {
                Self::Done(result) => result.done(),
                Self::Deferred => Ok(Done::Deferred),
            }
        }
    }
}

/// A function under a name that workflows call. Clones share the function.
#[derive(Clone)]
#[must_use = "an action does nothing before a worker provides it"]
pub struct WorkerAction {
    name: String,
    queues: Vec<String>,
    version: String,
    description: String,
    input: Vec<proto::v1::InputParameter>,
    start_to_close: Option<Duration>,
    schedule_to_start: Option<Duration>,
    heartbeat: Option<Duration>,
    blocking: bool,
    handler: Handler,
}

impl WorkerAction {
    /// An asynchronous function. Its first argument is anything that serde reads from a JSON
    /// object; input that does not fit fails the task without another attempt, with type
    /// `InvalidInput`.
    ///
    /// Functions that block, or compute for long, belong into [`Self::blocking`].
    pub fn new<I, O, F, Fut>(name: impl Into<String>, function: F) -> Self
    where
        F: Fn(I, ActionContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, ActionError>> + Send + 'static,
        I: DeserializeOwned + Send + 'static,
        O: ActionOutput,
    {
        let function = Arc::new(function);
        Self::erased(name.into(), move |input, context| {
            let function = function.clone();
            Box::pin(async move { function(decode(&input)?, context).await?.done() })
        })
    }

    /// A function that blocks: it runs on a thread of its own. It is never dropped halfway, so look
    /// at [`ActionContext::cancel_cause`] now and then where it takes long.
    pub fn blocking<I, O, F>(name: impl Into<String>, function: F) -> Self
    where
        F: Fn(I, ActionContext) -> Result<O, ActionError> + Send + Sync + 'static,
        I: DeserializeOwned + Send + 'static,
        O: ActionOutput,
    {
        let function = Arc::new(function);
        let action = Self::erased(name.into(), move |input, context| {
            let function = function.clone();
            Box::pin(async move {
                let work = move || function(decode(&input)?, context)?.done();
                match tokio::task::spawn_blocking(work).await {
                    Ok(done) => done,
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => Err(ActionError::from_panic(&*panic)),
                        Err(error) => Err(error.into()),
                    },
                }
            })
        });
        Self {
            blocking: true,
            ..action
        }
    }

    fn erased(
        name: String,
        handler: impl Fn(Payload, ActionContext) -> BoxFuture<'static, Result<Done, ActionError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            queues: Vec::new(),
            version: String::new(),
            description: String::new(),
            input: Vec::new(),
            start_to_close: None,
            schedule_to_start: None,
            heartbeat: None,
            blocking: false,
            handler: Arc::new(handler),
        }
    }

    /// A queue from which it is called, instead of the worker's own; may be said several times. See
    /// [`Worker::queue`](super::Worker::queue).
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queues.push(queue.into());
        self
    }

    /// Which version of the action it is. Tasks that require one (`action-version`) come only to
    /// workers that provide the same; those that require none come to all.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// What it does, for people.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Tells people and tools of a parameter that callers must give.
    pub fn input(self, name: impl Into<String>) -> Self {
        self.parameter(name.into(), true, None)
    }

    /// Tells people and tools of a parameter with its default, which the function itself applies.
    pub fn input_or(self, name: impl Into<String>, default: impl Into<serde_json::Value>) -> Self {
        let default = Payload::from(default.into()).into_proto();
        self.parameter(name.into(), false, Some(default))
    }

    fn parameter(
        mut self,
        name: String,
        required: bool,
        default_value: Option<proto::v1::Payload>,
    ) -> Self {
        self.input.push(proto::v1::InputParameter {
            name,
            required,
            default_value,
        });
        self
    }

    /// How long one attempt may take; for ever if nothing is said. One that takes longer fails.
    pub fn start_to_close(mut self, timeout: Duration) -> Self {
        self.start_to_close = Some(timeout);
        self
    }

    /// How long a call may wait for a worker; for ever if nothing is said. One that waits longer
    /// fails.
    pub fn schedule_to_start(mut self, timeout: Duration) -> Self {
        self.schedule_to_start = Some(timeout);
        self
    }

    /// How long an attempt may be silent, see [`ActionContext::heartbeat`]; as long as its worker
    /// is alive if nothing is said. One that is silent for longer is handed out again.
    pub fn heartbeat(mut self, timeout: Duration) -> Self {
        self.heartbeat = Some(timeout);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The queues that were named for it.
    pub(crate) fn queues(&self) -> &[String] {
        &self.queues
    }

    pub(crate) fn is_blocking(&self) -> bool {
        self.blocking
    }

    pub(crate) fn handler(&self) -> &Handler {
        &self.handler
    }

    pub(crate) fn to_proto(&self) -> proto::v1::WorkerAction {
        let duration = |timeout: Option<Duration>| {
            timeout.and_then(|timeout| prost_types::Duration::try_from(timeout).ok())
        };
        proto::v1::WorkerAction {
            name: self.name.clone(),
            version: self.version.clone(),
            description: self.description.clone(),
            input: self.input.clone(),
            start_to_close_timeout: duration(self.start_to_close),
            schedule_to_start_timeout: duration(self.schedule_to_start),
            heartbeat_timeout: duration(self.heartbeat),
        }
    }
}

impl fmt::Debug for WorkerAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The arguments of a function. A function without any takes `()`.
fn decode<I: DeserializeOwned + 'static>(input: &Payload) -> Result<I, ActionError> {
    let mismatch = |message: String| {
        let message = format!("the input does not fit: {message}");
        ActionError::of_type(INVALID_INPUT, message).without_retry()
    };
    let Some(text) = input.json_text() else {
        return Err(mismatch("it is not JSON".to_owned()));
    };
    let nothing = TypeId::of::<I>() == TypeId::of::<()>() && text.trim() == "{}";
    let text = if nothing { "null" } else { text };
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        if path == "." {
            return mismatch(error.into_inner().to_string());
        }
        mismatch(format!("{path}: {}", error.into_inner()))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Reserve {
        sku: String,
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        count: u32,
    }

    fn refused<I: DeserializeOwned + fmt::Debug + 'static>(input: &str) -> String {
        let error = decode::<I>(&Payload::from_json_text(input)).unwrap_err();
        assert!(error.is_non_retryable());
        error.to_string()
    }

    #[test]
    fn input_that_does_not_fit_names_the_field() {
        for (input, message) in [
            (r#"{"items": []}"#, "missing field `sku`"),
            (
                r#"{"sku": 1, "items": []}"#,
                "sku: invalid type: integer `1`",
            ),
            (
                r#"{"sku": "a", "items": [{"count": 1}, {"count": -1}]}"#,
                "items[1].count: invalid value",
            ),
        ] {
            let found = refused::<Reserve>(input);
            let start = format!("InvalidInput: the input does not fit: {message}");
            assert!(found.starts_with(&start), "{found}");
        }
        assert!(refused::<()>(r#"{"a": 1}"#).starts_with("InvalidInput"));
        decode::<()>(&Payload::from_json_text("{}")).unwrap();
        let opaque = decode::<Reserve>(&Payload::binary("image/png", vec![1])).unwrap_err();
        assert!(opaque.to_string().ends_with("it is not JSON"), "{opaque}");
    }

    #[test]
    fn results_are_json_or_come_later() {
        use super::sealed::Output as _;
        let json = |text: &str| Done::Result(Payload::from_json_text(text));
        assert_eq!(vec![1, 2].done().unwrap(), json("[1,2]"));
        assert_eq!(().done().unwrap(), json("null"));
        assert_eq!(Outcome::Done("a").done().unwrap(), json("\"a\""));
        assert_eq!(Outcome::<()>::Deferred.done().unwrap(), Done::Deferred);
        assert_eq!(Deferred.done().unwrap(), Done::Deferred);
        let error = BTreeMap::from([((1, 2), 3)]).done().unwrap_err();
        assert!(error.is_non_retryable());
        assert_eq!(error.failure().kind, INVALID_OUTPUT);
    }
}
