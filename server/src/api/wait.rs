//! `WaitExecution`: answers when the execution is finished, or drained, or with what there is when
//! time is up.

use std::time::Duration;

use engine::ExecutionRecord;
use proto::v1::{self, WaitUntil};
use store::{ExecutionKey, Payloads};
use tokio::time::timeout;

use super::context::Context;
use super::convert::field;
use super::fault::Fault;
use super::lookup;
use crate::driver::Subscription;

/// Longest wait: below the 15 s after which common proxies cut a call.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(10);

/// Waits for the end of an execution.
pub(super) async fn wait(
    context: &Context,
    request: v1::WaitExecutionRequest,
) -> Result<v1::WaitExecutionResponse, Fault> {
    let project = field::project(&request.project)?;
    let id = field::name("execution_id", &request.execution_id)?;
    let wanted = field::duration("timeout", request.timeout)?.unwrap_or(WAIT_MAX);
    let full = field::full_view(request.view, true)?;
    let format = field::payload_format(request.payload_format)?;

    let until = match field::known("until", request.until)? {
        WaitUntil::Unspecified | WaitUntil::Finished => Until::Finished,
        WaitUntil::Drained => Until::Drained,
    };
    // A uid can be subscribed to before it is looked for, an id that was chosen only after that.
    let early = id
        .parse()
        .ok()
        .map(|uid| (uid, context.driver.subscribe(uid)));
    let asked = (project.clone(), id.clone());
    let found =
        context.read(move |reader| lookup::find(reader, &asked.0, &asked.1, Payloads::Omit));
    let found = found.await?;
    let key = ExecutionKey::from(&found);
    match early {
        Some((uid, news)) if uid == key.uid => {
            if !until.is_reached(&found) {
                reach(context, news, until, wanted).await;
            }
        }
        _ => wait_until(context, key, until, wanted).await?,
    }
    let kept = context.retention.clone();
    let read = context.read(move |reader| {
        let payloads = lookup::payloads_of(full);
        let record = reader.find_execution_by_uid(&project, key.uid, payloads)?;
        let record = record.ok_or_else(|| Fault::execution_not_found(&id))?;
        let execution = lookup::wire_execution(reader, &kept, &record, full.then_some(format))?;
        Ok((execution, record.state.is_final(), record.is_drained()))
    });
    let (execution, finished, drained) = read.await?;
    Ok(v1::WaitExecutionResponse {
        execution: Some(execution),
        finished,
        drained,
    })
}

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// A final state.
    Finished,
    /// PAUSED with nothing running, or a final state.
    Drained,
}

impl Until {
    fn is_reached(self, record: &ExecutionRecord) -> bool {
        record.state.is_final() || (self == Self::Drained && record.is_drained())
    }
}

/// Waits until an execution is finished or time is up, for at most [`WAIT_MAX`]; also less long
/// when the server stops.
pub(super) async fn until_finished(
    context: &Context,
    key: ExecutionKey,
    wanted: Duration,
) -> Result<(), Fault> {
    wait_until(context, key, Until::Finished, wanted).await
}

async fn wait_until(
    context: &Context,
    key: ExecutionKey,
    until: Until,
    wanted: Duration,
) -> Result<(), Fault> {
    // Subscribed before it is looked at, so an end in between is not missed.
    let news = context.driver.subscribe(key.uid);
    let read = context.read(move |reader| Ok(reader.find_execution_at(key, Payloads::Omit)?));
    if read.await?.is_some_and(|record| !until.is_reached(&record)) {
        reach(context, news, until, wanted).await;
    }
    Ok(())
}

/// Waits for the news of it until time is up.
async fn reach(context: &Context, mut news: Subscription, until: Until, wanted: Duration) {
    let reached = async {
        loop {
            let news = news.next().await;
            if news.finished || (until == Until::Drained && news.drained) {
                return;
            }
        }
    };
    let ended = context.going_away.run_until_cancelled(reached);
    // Whichever it is: the answer is the execution as it is then.
    let _ = timeout(wanted.min(WAIT_MAX), ended).await;
}
