//! Commands that change executions.

use autan::{
    Client, DeleteExecution, Execution, ExecutionState, RerunExecution, SkipTask, TaskExecution,
};

use super::super::Exit;
use super::super::error::Error;
use super::super::input::{Pair, object, pair, value};
use super::super::output::Output;
use super::super::show;
use super::change::{self, RestartArgs, UpdateArgs};

/// Commands that change something.
#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Pause an execution: what runs goes on, nothing new starts
    Pause {
        #[command(flatten)]
        target: Target,
        /// Let timeouts of tasks go on meanwhile
        #[arg(long)]
        timeouts_run: bool,
        /// Wait until nothing runs any more
        #[arg(long)]
        drain: bool,
    },
    /// Resume a paused execution
    Resume {
        #[command(flatten)]
        target: Target,
        /// Change a variable of the environment; JSON if it parses, else text
        #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
        env: Vec<Pair>,
    },
    /// Cancel an execution with its actions and sub-workflows
    Cancel(Target),
    /// End an execution and all below it at once, without handlers and without output
    Terminate(Target),
    /// Start another execution like this one
    Restart(Box<RestartArgs>),
    /// Change labels or description, or the environment of a paused execution
    Update(Box<UpdateArgs>),
    /// Let a task go on now that waits for its next attempt, or for another time
    Retry {
        /// Id of the task execution
        task: String,
        /// Why, for the record
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// End an execution now in a state of your choice
    Stop {
        #[command(flatten)]
        target: Target,
        /// The final state
        #[arg(long, value_enum)]
        state: OutcomeArg,
    },
    /// Run again, in place, what has failed or was cancelled
    Rerun {
        #[command(flatten)]
        target: Target,
        /// Id of the only task execution to run again
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        task: String,
        /// Run all items of with-items tasks, not only those that failed or never began
        #[arg(long)]
        reset: bool,
        /// Change a variable of the environment; JSON if it parses, else text
        #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
        env: Vec<Pair>,
        /// Replace a field of the input of the task, in its first attempt; JSON if it parses
        #[arg(short, long = "input", value_name = "KEY=VALUE", value_parser = pair)]
        #[arg(requires = "task")]
        input: Vec<Pair>,
    },
    /// Undo what the tasks of an execution have done, in reverse order
    Rollback {
        #[command(flatten)]
        target: Target,
        /// Id of the task execution to go back to: it stays done, and the execution is paused there
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        to_task: String,
    },
    /// Skip a failed task: what would have followed its success, follows
    Skip {
        /// Id of the task execution
        task: String,
        /// What counts as its result; JSON if it parses, else text
        #[arg(long, value_name = "VALUE")]
        result: Option<String>,
        /// Why, for the record
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Delete a finished execution with everything that belongs to it
    Delete {
        #[command(flatten)]
        target: Target,
        /// In any state
        #[arg(long)]
        force: bool,
        /// Be content if it does not exist
        #[arg(long)]
        allow_missing: bool,
    },
}

/// Which execution, and why.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Target {
    /// Id or uid of the execution
    pub(super) id: String,
    /// Why, for the record
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) reason: String,
}

/// Final states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutcomeArg {
    /// As if it had succeeded; its output is evaluated
    Success,
    /// As if it had failed
    Error,
    /// Cancelled
    Cancelled,
}

impl From<OutcomeArg> for ExecutionState {
    fn from(outcome: OutcomeArg) -> Self {
        match outcome {
            OutcomeArg::Success => Self::Success,
            OutcomeArg::Error => Self::Error,
            OutcomeArg::Cancelled => Self::Cancelled,
        }
    }
}

pub(super) async fn run(client: &Client, command: Command, output: &Output) -> Result<Exit, Error> {
    let execution = match command {
        Command::Pause {
            target,
            timeouts_run,
            drain,
        } => pause(client, target, timeouts_run, drain).await?,
        Command::Terminate(target) => {
            let call = client.execution(target.id).terminate();
            call.reason(target.reason).await?
        }
        Command::Restart(args) => return change::restart(client, *args, output).await,
        Command::Update(args) => change::update(client, *args).await?,
        Command::Retry { task, reason } => {
            let task = client.tasks().retry(task).reason(reason).await?;
            return shown(&task, output);
        }
        Command::Resume { target, env } => resume(client, target, env).await?,
        Command::Cancel(target) => {
            let call = client.execution(target.id).cancel();
            call.reason(target.reason).await?
        }
        Command::Stop { target, state } => {
            let call = client.execution(target.id).stop(state.into());
            call.reason(target.reason).await?
        }
        Command::Rerun {
            target,
            task,
            reset,
            env,
            input,
        } => {
            let call = client.execution(target.id).rerun();
            let call = call.task(task).reason(target.reason);
            rerun(call, reset, env, input).await?
        }
        Command::Rollback { target, to_task } => {
            let call = client.execution(target.id).rollback();
            call.to_task(to_task).reason(target.reason).await?
        }
        Command::Skip {
            task,
            result,
            reason,
        } => {
            let call = client.tasks().skip(task).reason(reason);
            return skip(call, result, output).await;
        }
        Command::Delete {
            target,
            force,
            allow_missing,
        } => {
            let call = client.execution(&target.id).delete().reason(target.reason);
            delete(call, force, allow_missing).await?;
            output.note(format!("deleted {}", target.id));
            return Ok(Exit::Success);
        }
    };
    output.one(&execution, |e| {
        show::execution(e, output.now(), output.paint())
    })?;
    Ok(Exit::Success)
}

async fn pause(
    client: &Client,
    target: Target,
    timeouts_run: bool,
    drain: bool,
) -> Result<Execution, autan::Error> {
    let execution = client.execution(target.id);
    let mut call = execution.pause().reason(target.reason);
    if timeouts_run {
        call = call.timeouts_run();
    }
    let paused = call.await?;
    if drain {
        return execution.wait_drained().await;
    }
    Ok(paused)
}

async fn resume(
    client: &Client,
    target: Target,
    env: Vec<Pair>,
) -> Result<Execution, autan::Error> {
    let mut call = client.execution(target.id).resume().reason(target.reason);
    if !env.is_empty() {
        call = call.env(&object(env))?;
    }
    call.await
}

async fn delete(
    mut call: DeleteExecution,
    force: bool,
    allow_missing: bool,
) -> Result<(), autan::Error> {
    if force {
        call = call.force();
    }
    if allow_missing {
        call = call.allow_missing();
    }
    call.await
}

async fn rerun(
    mut call: RerunExecution,
    reset: bool,
    env: Vec<Pair>,
    input: Vec<Pair>,
) -> Result<Execution, autan::Error> {
    if !input.is_empty() {
        call = call.input(&object(input))?;
    }
    if reset {
        call = call.reset();
    }
    if !env.is_empty() {
        call = call.env(&object(env))?;
    }
    call.await
}

async fn skip(mut call: SkipTask, result: Option<String>, output: &Output) -> Result<Exit, Error> {
    if let Some(result) = result {
        call = call.result(&value(&result))?;
    }
    shown(&call.await?, output)
}

/// Shows a task.
fn shown(task: &TaskExecution, output: &Output) -> Result<Exit, Error> {
    output.many(std::slice::from_ref(task), |list| {
        show::tasks(list, output.now())
    })?;
    Ok(Exit::Success)
}
