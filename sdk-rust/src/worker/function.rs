//! One run of a user's function, to an end that can be told to the server.
//!
//! Owns catching panics and dropping functions that do not stop when they are told. Left to others:
//! starting it on the runtime of the user (`session`), and sending the end.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::action::{Done, Handler};
use super::context::{ActionContext, Cancelled};
use super::error::{ActionError, CANCELLED};
use crate::payload::Payload;

/// How a function has ended.
pub(crate) type Ended = Result<Done, ActionError>;

/// Runs the function. Never panics.
pub(crate) async fn run(
    handler: &Handler,
    input: Payload,
    context: ActionContext,
    grace: Option<Duration>,
) -> Ended {
    let cancellation = context.cancellation().clone();
    // The handler itself is user code, too, up to its first await.
    let function = async { handler(input, context).await };
    let function = AssertUnwindSafe(function).catch_unwind();
    let patience = async {
        let cause = cancellation.cancelled().await;
        match grace {
            Some(grace) => tokio::time::sleep(grace).await,
            None => std::future::pending().await,
        }
        cause
    };
    let ended = tokio::select! {
        biased;
        ended = function => ended.unwrap_or_else(|panic| Err(ActionError::from_panic(&*panic))),
        cause = patience => {
            let message = format!("it did not stop in time; {cause}");
            Err(ActionError::of_type(CANCELLED, message))
        }
    };
    match cancellation.cause() {
        // The result is not wanted, so that even a good one would be refused.
        Some(cause @ Cancelled::Requested { .. }) => Err(cancelled(ended, cause)),
        Some(Cancelled::LeaseLost { .. } | Cancelled::Deadline | Cancelled::Drained) | None => {
            ended
        }
    }
}

/// The failure that frees the lease of a cancelled task.
fn cancelled(ended: Ended, cause: &Cancelled) -> ActionError {
    match ended {
        Err(error) => error.with_type(CANCELLED),
        Ok(_) => ActionError::of_type(CANCELLED, cause.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::action::WorkerAction;
    use super::super::context::{ActionInfo, Beats, Cancellation};
    use super::*;

    async fn check(action: WorkerAction, cause: Option<Cancelled>, expected: Result<&str, &str>) {
        let cancellation = Cancellation::default();
        if let Some(cause) = cause {
            cancellation.cancel(cause);
        }
        let beats = Arc::new(Beats::Record(std::sync::Mutex::default()));
        let context = ActionContext::new(ActionInfo::default(), None, cancellation, beats);
        let input = Payload::from(json!({}));
        let grace = Some(Duration::from_millis(1));
        let ended = run(action.handler(), input, context, grace).await;
        let found = match &ended {
            Ok(Done::Result(payload)) => Ok(payload.json_text().unwrap_or_default().to_owned()),
            Ok(Done::Deferred) => Ok("deferred".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected);
    }

    fn requested() -> Cancelled {
        let reason = "enough".to_owned();
        Cancelled::Requested { reason }
    }

    fn fail(message: &str) -> Result<(), ActionError> {
        panic!("{message}")
    }

    #[tokio::test]
    async fn every_end_can_be_told() {
        let one = || WorkerAction::new("a", |(), _| async { Ok(1) });
        check(one(), None, Ok("1")).await;
        check(
            one(),
            Some(requested()),
            Err("Cancelled: cancelled: enough"),
        )
        .await;
        let blocking = WorkerAction::blocking("a", |(), _| Ok("b"));
        check(blocking, None, Ok("\"b\"")).await;
        let deferred = WorkerAction::new("a", |_: Value, _| async {
            Ok(super::super::action::Deferred)
        });
        check(deferred, None, Ok("deferred")).await;
    }

    #[tokio::test]
    async fn panics_are_failures() {
        let late = WorkerAction::new("a", |(), _| async { fail("at 1") });
        check(late, None, Err("panic: at 1")).await;
        let early = WorkerAction::new("a", |(), _| {
            let result = fail("at once");
            async { result }
        });
        check(early, None, Err("panic: at once")).await;
        let blocking = WorkerAction::blocking("a", |(), _| fail("on a thread"));
        check(blocking, None, Err("panic: on a thread")).await;
    }

    #[tokio::test]
    async fn functions_are_told_to_stop_and_then_dropped() {
        let polite = || {
            WorkerAction::new("a", |(), cx| async move {
                Err::<(), _>(cx.cancelled().await.into())
            })
        };
        check(
            polite(),
            Some(requested()),
            Err("Cancelled: cancelled: enough"),
        )
        .await;
        let deadline = Some(Cancelled::Deadline);
        check(
            polite(),
            deadline.clone(),
            Err("Cancelled: the attempt takes too long"),
        )
        .await;
        let deaf = WorkerAction::new("a", |(), _| async {
            std::future::pending::<()>().await;
            Ok(())
        });
        let late = "Cancelled: it did not stop in time; the attempt takes too long";
        check(deaf, deadline, Err(late)).await;
    }
}
