//! `autan run`: a workflow from a file, run at once and shown live.

use std::path::PathBuf;

use autan::{Client, EventKind, ExecutionState};
use definition::Document;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::follow::{Format, OnInterrupt, finish, follow};
use super::input::{InputArgs, Pair, object, pair, read_text};
use super::live::{Detail, Live};
use super::output::Output;
use super::validate::{How, KindArg, check_first};
use crate::{Config, Server, telemetry};

/// Arguments of `autan run`.
///
/// Without --server the workflow runs in this process and leaves nothing behind.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The document (`-` is standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Which workflow of the document to run, if there are several
    #[arg(short, long, value_name = "NAME")]
    workflow: Option<String>,
    #[command(flatten)]
    input: InputArgs,
    /// A start parameter, such as env={"region": "eu"}; JSON if it parses, else text
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = pair)]
    params: Vec<Pair>,
    /// How to print the output of the workflow
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// Show everything that happens, not only changes of state
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Show nothing but the output
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    how: How,
}

pub(super) async fn run(globals: &Globals, args: Args, output: &Output) -> Result<Exit, Error> {
    let source = read_text(&args.file)?;
    let document = check_first(&args.file, &source, args.how, output)?;
    let workflow = choose(&document, args.workflow.as_deref())?;
    let is_workbook = args.how.kind == KindArg::Workbook;
    let run = Run {
        workflow,
        source,
        is_workbook,
    };

    if let Some(address) = &globals.server {
        let client = globals.connect_to(address).await?;
        return run.on(&client, args, output).await;
    }
    let mut config = Config::in_memory();
    // Between the lines of the display there is room for trouble only.
    "warn".clone_into(&mut config.log.filter);
    telemetry::init(&config.log);
    let server = Server::start(&config).await.map_err(Error::Server)?;
    let client = globals
        .connect_to(&format!("http://{}", server.address()))
        .await?;
    let result = run.on(&client, args, output).await;
    server.stop_token().cancel();
    // What the workflow gave has been printed; how the server ends does not change it.
    if let Err(error) = server.stopped().await {
        output.note(error);
    }
    result
}

/// A workflow that is ready to run.
struct Run {
    workflow: String,
    source: String,
    is_workbook: bool,
}

impl Run {
    async fn on(self, client: &Client, args: Args, output: &Output) -> Result<Exit, Error> {
        if self.is_workbook {
            save_workbook(client, &self.source).await?;
        } else {
            client
                .workflows()
                .create(self.source.as_str())
                .allow_existing()
                .await?;
        }
        let mut start = client.start(&self.workflow);
        if let Some(input) = args.input.read()? {
            start = start.input(&input)?;
        }
        if !args.params.is_empty() {
            start = start.params(&object(args.params))?;
        }
        let handle = start.send().await?;

        let detail = if args.verbose {
            Detail::All
        } else {
            Detail::Changes
        };
        let mut live = Live::new(output.paint_notes(), detail);
        let finished = follow(
            &handle,
            handle.events(),
            OnInterrupt::Cancel,
            output,
            |event| {
                if !args.quiet
                    && let Some(line) = live.line(event)
                {
                    output.note(line);
                }
                if let EventKind::ExecutionStateChanged {
                    state: ExecutionState::Paused,
                    ..
                } = event.kind
                {
                    output.note(format!(
                        "paused; resume with: {}",
                        resume_command(client, handle.id())
                    ));
                }
                Ok(())
            },
        )
        .await?;
        match finished {
            Some(execution) => finish(&execution, args.output, output),
            None => Ok(Exit::Cancelled),
        }
    }
}

/// A server in this process is only found by who is told its address.
fn resume_command(client: &Client, id: &str) -> String {
    format!("autan --server {} execution resume {id}", client.address())
}

/// Workbooks cannot be created over existing ones, so an existing one is updated.
async fn save_workbook(client: &Client, source: &str) -> Result<(), Error> {
    match client.workbooks().create(source).await {
        Err(error) if error.is_already_exists() => {
            client.workbooks().update(source).await?;
        }
        other => drop(other?),
    }
    Ok(())
}

/// The full name of the workflow to run.
fn choose(document: &Document, wanted: Option<&str>) -> Result<String, Error> {
    let names: Vec<String> = match document {
        Document::Workflows(workflows) => workflows.iter().map(|w| w.name.to_string()).collect(),
        Document::Workbook(book) => book
            .workflows
            .iter()
            .map(|w| format!("{}.{}", book.name, w.name))
            .collect(),
        Document::Actions(_) => Vec::new(),
    };
    pick(names, wanted)
}

/// The wanted name, in full or as member of a workbook; or the only one there is.
fn pick(names: Vec<String>, wanted: Option<&str>) -> Result<String, Error> {
    let choose = |problem: String, names| Err(Error::ChooseWorkflow { problem, names });
    let Some(wanted) = wanted else {
        return match <[String; 1]>::try_from(names) {
            Ok([only]) => Ok(only),
            Err(names) if names.is_empty() => choose("the document has no workflow".into(), names),
            Err(names) => choose("choose one with --workflow".into(), names),
        };
    };
    let member = |name: &String| {
        name.rsplit_once('.')
            .is_some_and(|(_, last)| last == wanted)
    };
    let found = names
        .iter()
        .find(|name| *name == wanted)
        .or_else(|| names.iter().find(|n| member(n)));
    match found {
        Some(name) => Ok(name.clone()),
        None => choose(format!("there is no workflow {wanted}"), names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_chosen() {
        for (names, wanted, expected) in [
            (vec!["a"], None, "a"),
            (vec!["a"], Some("a"), "a"),
            (vec!["a", "b"], Some("b"), "b"),
            (vec!["book.a", "book.b"], Some("b"), "book.b"),
            (vec!["book.a", "book.b"], Some("book.a"), "book.a"),
            (
                vec!["a", "b"],
                None,
                "choose one with --workflow; there are: a, b",
            ),
            (
                vec!["a", "b"],
                Some("c"),
                "there is no workflow c; there are: a, b",
            ),
        ] {
            let names = names.into_iter().map(str::to_owned).collect();
            let found = pick(names, wanted).unwrap_or_else(|error| error.to_string());
            assert_eq!(found, expected);
        }
    }
}
