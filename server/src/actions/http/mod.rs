//! `std.http`: one HTTP request, with what it is redirected to, as an action. `std.mistral_http` is
//! the same with the ids of the action as headers.
//!
//! `request` reads the input, `exchange` sends and follows, `answer` writes the result. Where
//! requests may go is left to `egress`, how many run at a time to `runner`.

mod answer;
mod clients;
mod cookies;
mod error;
mod exchange;
mod request;

use engine::{Data, Dispatch, Outcome};
use expr::Value;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::Error;
use super::config::Http as Config;
use super::egress::Policy;
use answer::Answer;
use clients::Clients;
use error::{Failure, Problem};
use request::Request;

/// Largest body that is decoded where it arrives; larger ones would hold up other tasks.
const DECODE_HERE_BYTES_MAX: usize = 64 << 10;

/// Sends the requests of `std.http`.
pub(super) struct Http {
    policy: Policy,
    clients: Clients,
    default_timeout_s: u64,
    response_bytes_max: usize,
}

impl Http {
    /// Sets up, before the first request, what all of them share.
    pub(super) fn new(config: &Config, policy: &Policy) -> Result<Self, Error> {
        Ok(Self {
            policy: policy.clone(),
            clients: Clients::new(policy, config.ca_file.as_deref())?,
            default_timeout_s: config.timeout_s,
            response_bytes_max: config.response_bytes_max,
        })
    }

    /// Runs the action. The headers win over those of the input.
    pub(super) async fn run(&self, input: &Value, headers: HeaderMap) -> Outcome {
        match self.try_run(input, headers).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::Error(Data::string(&failure.to_string())),
        }
    }

    async fn try_run(&self, input: &Value, headers: HeaderMap) -> Result<Outcome, Failure> {
        let mut request = Request::from_input(input, self.default_timeout_s)?;
        request.headers.extend(headers);
        let timeout = request.timeout;
        let answer = tokio::time::timeout(timeout, self.exchange(request))
            .await
            .map_err(|_| Problem::TimedOut {
                seconds: timeout.as_secs_f64(),
            })??;
        Ok(outcome(answer).await)
    }
}

/// The headers by which the other side of `std.mistral_http` knows what to complete.
pub(super) fn ids_of(dispatch: &Dispatch) -> HeaderMap {
    let action = dispatch.action;
    let headers = [
        ("mistral-workflow-name", dispatch.workflow_name.to_string()),
        (
            "mistral-workflow-execution-id",
            action.task.execution.to_string(),
        ),
        ("mistral-task-id", action.task.to_string()),
        ("mistral-action-execution-id", action.to_string()),
        (
            "mistral-callback-url",
            format!("/v2/action_executions/{action}"),
        ),
    ];
    let headers = headers.into_iter().map(|(name, text)| {
        let value = HeaderValue::try_from(text.as_bytes());
        // Names of workflows may hold nearly anything; what no header can is not worth a failure.
        let value = value.unwrap_or_else(|_| HeaderValue::from_static(""));
        (HeaderName::from_static(name), value)
    });
    headers.collect()
}

/// Decodes the answer and tells success from error.
async fn outcome(answer: Answer) -> Outcome {
    let is_success = answer.is_success();
    let data = if answer.body_len() <= DECODE_HERE_BYTES_MAX {
        answer.into_data()
    } else {
        let decoded = tokio::task::spawn_blocking(|| answer.into_data()).await;
        decoded.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    };
    if is_success {
        Outcome::Success(data)
    } else {
        Outcome::Error(data)
    }
}
