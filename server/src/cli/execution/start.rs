//! `autan execution start`.

use autan::{Client, IdConflict};

use super::super::Exit;
use super::super::error::Error;
use super::super::follow::{Format, finish};
use super::super::input::{InputArgs, Pair, label, object, pair};
use super::super::output::Output;
use super::super::show;
use super::look::{WatchArgs, watch};

/// Arguments of `autan execution start`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the workflow
    workflow: String,
    /// Id of the execution; starting the same id twice is starting it once
    #[arg(long)]
    id: Option<String>,
    /// Fail if the id is in use
    #[arg(long, requires = "id")]
    fail_if_exists: bool,
    #[command(flatten)]
    input: InputArgs,
    /// A start parameter, such as env={"region": "eu"}; JSON if it parses, else text
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = pair)]
    params: Vec<Pair>,
    /// Where calls wait for workers, those of executions with a higher one go first: -100 to 100
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Name of a stored environment; the execution gets a copy of its variables
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// A label for filtering
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Free text
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Number of the revision to run; the latest if none is given
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: i32,
    /// Namespace of the workflow
    #[arg(long, default_value = "", hide_default_value = true)]
    namespace: String,
    #[command(flatten)]
    mode: Mode,
    /// With --wait: how to print the output
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// What else to do, or not to do.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Mode {
    /// Check workflow and input, start nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait until it is finished and print its output
    #[arg(long)]
    wait: bool,
    /// Show what happens until it is finished
    #[arg(long)]
    watch: bool,
}

pub(super) async fn run(client: &Client, args: Args, output: &Output) -> Result<Exit, Error> {
    let mut start = client
        .start(args.workflow)
        .labels(args.labels)
        .description(args.description)
        .revision(args.revision)
        .namespace(args.namespace);
    if let Some(id) = args.id {
        start = start.id(id);
    }
    if args.fail_if_exists {
        start = start.on_conflict(IdConflict::Fail);
    }
    if let Some(input) = args.input.read()? {
        start = start.input(&input)?;
    }
    if !args.params.is_empty() {
        start = start.params(&object(args.params))?;
    }
    if let Some(priority) = args.priority {
        start = start.priority(priority);
    }
    if let Some(name) = args.environment {
        start = start.environment(name);
    }
    if args.mode.dry_run {
        start.validate().await?;
        output.note("workflow and input fit");
        return Ok(Exit::Success);
    }
    let handle = start.send().await?;
    if !handle.is_new() {
        output.note(format!("execution {} existed already", handle.id()));
    }
    if args.mode.watch {
        return watch(&handle, WatchArgs::default(), output).await;
    }
    if args.mode.wait {
        return finish(&handle.wait().await?, args.output, output);
    }
    if let Some(execution) = handle.snapshot() {
        output.one(execution, |e| {
            show::execution(e, output.now(), output.paint())
        })?;
    }
    Ok(Exit::Success)
}
