//! Commands that repeat an execution or change what is said of it.

use autan::{Client, Execution};

use super::super::Exit;
use super::super::error::Error;
use super::super::input::{Pair, label, object, pair};
use super::super::output::Output;
use super::super::show;
use super::control::Target;

/// How the new execution differs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    target: Target,
    /// Id of the new execution
    #[arg(
        long = "id",
        value_name = "ID",
        default_value = "",
        hide_default_value = true
    )]
    new_id: String,
    /// Run the latest revision of the workflow
    #[arg(long)]
    latest: bool,
    /// An input; JSON if it parses, else text. One replaces all inputs of the first execution
    #[arg(short, long = "input", value_name = "KEY=VALUE", value_parser = pair)]
    input: Vec<Pair>,
    /// Name of a stored environment
    #[arg(long, value_name = "NAME", conflicts_with = "env")]
    environment: Option<String>,
    /// A variable of the environment; JSON if it parses, else text. One replaces all variables
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<Pair>,
    /// A label; one replaces all labels
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Free text
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
}

/// What to change.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    target: Target,
    /// A label; those given are all that it has from now on
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label, group = "change")]
    labels: Vec<(String, String)>,
    /// Take all labels away
    #[arg(long, conflicts_with = "labels", group = "change")]
    no_labels: bool,
    /// Free text
    #[arg(long, group = "change")]
    description: Option<String>,
    /// Change a variable of the environment of a paused execution; JSON if it parses, else text
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = pair, group = "change")]
    env: Vec<Pair>,
    /// Fail if its labels or description no longer have this etag
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
}

pub(super) async fn restart(
    client: &Client,
    args: RestartArgs,
    output: &Output,
) -> Result<Exit, Error> {
    let source = client.execution(args.target.id);
    let mut call = source.restart().reason(args.target.reason).id(args.new_id);
    if args.latest {
        call = call.latest_revision();
    }
    if !args.input.is_empty() {
        call = call.input(&object(args.input))?;
    }
    if let Some(name) = args.environment {
        call = call.environment(name);
    }
    if !args.env.is_empty() {
        call = call.env(&object(args.env))?;
    }
    if !args.labels.is_empty() {
        call = call.labels(args.labels);
    }
    let started = call.description(args.description).await?;
    let execution = match started.snapshot() {
        Some(execution) => execution.clone(),
        None => started.get().await?,
    };
    output.one(&execution, |e| {
        show::execution(e, output.now(), output.paint())
    })?;
    Ok(Exit::Success)
}

pub(super) async fn update(client: &Client, args: UpdateArgs) -> Result<Execution, Error> {
    let execution = client.execution(args.target.id);
    let mut call = execution
        .update()
        .reason(args.target.reason)
        .etag(args.etag);
    if args.no_labels || !args.labels.is_empty() {
        call = call.labels(args.labels);
    }
    if let Some(description) = args.description {
        call = call.description(description);
    }
    if !args.env.is_empty() {
        call = call.env(&object(args.env))?;
    }
    Ok(call.await?)
}
