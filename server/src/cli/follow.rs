//! Following an execution to its end and saying how it ended.

use std::pin::pin;

use autan::{Event, Execution, ExecutionHandle, ExecutionState, Payload};
use futures_util::TryStreamExt as _;

use super::Exit;
use super::error::Error;
use super::output::Output;
use super::show;

/// How the output of a workflow is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Indented JSON
    #[default]
    Json,
    /// YAML
    Yaml,
}

/// What an interrupt from the keyboard means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnInterrupt {
    /// The program ends, the execution goes on.
    Leave,
    /// The execution is cancelled; a second interrupt ends the program.
    Cancel,
}

/// Shows each event until the execution is finished; `None` if an interrupt came first.
pub(super) async fn follow(
    handle: &ExecutionHandle,
    events: autan::Events,
    on_interrupt: OnInterrupt,
    output: &Output,
    mut show: impl FnMut(&Event) -> Result<(), Error>,
) -> Result<Option<Execution>, Error> {
    let mut events = events;
    let mut may_cancel = on_interrupt == OnInterrupt::Cancel;
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            event = events.try_next() => match event? {
                Some(event) => show(&event)?,
                None => break,
            },
            _ = &mut interrupt => {
                if !may_cancel {
                    return Ok(None);
                }
                may_cancel = false;
                interrupt.set(tokio::signal::ctrl_c());
                output.note("cancelling; interrupt again to leave at once");
                cancel(handle).await?;
            }
        }
    }
    match events.finished() {
        Some(execution) => Ok(Some(execution.clone())),
        None => Ok(Some(handle.get().await?)),
    }
}

/// Cancels; an execution that ended in the meantime is no error.
async fn cancel(handle: &ExecutionHandle) -> Result<(), Error> {
    match handle.cancel().reason("interrupted").await {
        Err(error) if error.reason() != Some(&autan::Reason::ExecutionState) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints what a finished execution gave, and says how the program ends with it.
pub(super) fn finish(
    execution: &Execution,
    format: Format,
    output: &Output,
) -> Result<Exit, Error> {
    if output.is_json() {
        output.json_line(execution)?;
    } else {
        if let Some(payload) = &execution.output {
            output.line(render(payload, format)?.trim_end())?;
        }
        if execution.state != ExecutionState::Success {
            output.note(ending(execution, output));
        }
    }
    Ok(exit(execution.state))
}

fn ending(execution: &Execution, output: &Output) -> String {
    let head = format!(
        "execution {} ended in {}",
        execution.execution_id, execution.state
    );
    let why = match (&execution.state_info, &execution.error) {
        (info, _) if !info.is_empty() => format!(": {}", info.trim_end()),
        (_, Some(failure)) => format!(": {}", failure.message),
        (_, None) => String::new(),
    };
    format!("{}{why}", output.paint_notes().bad(head))
}

pub(super) fn exit(state: ExecutionState) -> Exit {
    match state {
        ExecutionState::Success => Exit::Success,
        ExecutionState::Cancelled => Exit::Cancelled,
        _ => Exit::Failure,
    }
}

fn render(payload: &Payload, format: Format) -> Result<String, Error> {
    match (format, payload.to_value()) {
        (Format::Yaml, Ok(value)) => {
            serde_yaml::to_string(&value).map_err(|error| Error::Format(error.to_string()))
        }
        (Format::Json | Format::Yaml, _) => Ok(show::payload(Some(payload))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_rendered_for_reading() {
        for (text, format, expected) in [
            ("{\"b\":1,\"a\":[true]}", Format::Yaml, "b: 1\na:\n- true\n"),
            ("{\"b\":1}", Format::Json, "{\n  \"b\": 1\n}"),
            ("null", Format::Json, "null"),
            (
                "18446744073709551615",
                Format::Yaml,
                "18446744073709551615\n",
            ),
        ] {
            let payload = Payload::from_json_text(text);
            assert_eq!(render(&payload, format).unwrap(), expected);
        }
    }

    #[test]
    fn the_end_decides_the_exit_code() {
        for (state, code) in [
            (ExecutionState::Success, 0),
            (ExecutionState::Error, 1),
            (ExecutionState::Cancelled, 3),
            (ExecutionState::Paused, 1),
        ] {
            assert_eq!(exit(state) as u8, code);
        }
    }
}
