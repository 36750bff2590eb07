//! `autan action`: ad-hoc actions on the server, the built-in ones, and single runs.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use autan::{Action, ActionKind, Actions, Client, IdConflict};

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, one_line, relative};
use super::input::{InputArgs, Pair, label, object, pair, read_text};
use super::output::Output;
use super::show;
use super::table::{Cell, Table, fields};

/// Longer descriptions are cut in tables.
const DESCRIPTION_CHARS_MAX: usize = 60;

/// Commands about actions.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List built-in and ad-hoc actions
    List {
        /// Such as: `name = "std.*" OR tag = "eu"`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// Only actions of this kind
        #[arg(long, value_enum)]
        kind: Option<KindArg>,
        /// Ad-hoc actions of this namespace only
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Show an action
    Get(Get),
    /// Create the ad-hoc actions of documents
    Create {
        #[command(flatten)]
        save: Save,
        /// Add a revision where an action exists
        #[arg(long)]
        allow_existing: bool,
    },
    /// Add revisions to the ad-hoc actions of documents
    Update {
        #[command(flatten)]
        save: Save,
        /// Fail if the action no longer has this etag
        #[arg(long, default_value = "", hide_default_value = true)]
        etag: String,
    },
    /// List the revisions of an ad-hoc action, newest first
    Revisions {
        /// Name of the action
        name: String,
        /// Namespace of the action
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Delete ad-hoc actions with all their revisions
    Delete {
        /// Names of the actions
        #[arg(required = true)]
        names: Vec<String>,
        /// Be content if they do not exist
        #[arg(long)]
        allow_missing: bool,
        /// Namespace of the actions
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Check documents of ad-hoc actions on the server
    Validate {
        /// Documents to check (`-` is standard input)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Take warnings for errors
        #[arg(long)]
        strict: bool,
    },
    /// Run one action without a workflow
    Run(Box<RunArgs>),
}

/// Arguments of `get`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Get {
    /// Name of the action
    name: String,
    /// Number of the revision; the latest if none is given
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: i32,
    /// Print the document only
    #[arg(long)]
    source: bool,
    /// Namespace of the action
    #[arg(long)]
    namespace: Option<String>,
}

/// Documents that are to be stored.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Save {
    /// Documents (`-` is standard input)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Namespace of the actions
    #[arg(long)]
    namespace: Option<String>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Check everything, store nothing
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `run`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Name of the action
    name: String,
    #[command(flatten)]
    input: InputArgs,
    /// Name of a stored environment for the expressions of an ad-hoc action
    #[arg(long, value_name = "NAME", conflicts_with = "env")]
    environment: Option<String>,
    /// A variable for the expressions of an ad-hoc action; JSON if it parses, else text
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    env: Vec<Pair>,
    /// Namespace of the action
    #[arg(long, default_value = "", hide_default_value = true)]
    namespace: String,
    /// Id of the execution; running the same id twice is running it once
    #[arg(long)]
    id: Option<String>,
    /// Fail if the id is in use
    #[arg(long, requires = "id")]
    fail_if_exists: bool,
    /// A label for filtering
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// Free text
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// How long to wait for the result, up to ten seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(..=10))]
    wait: u64,
    /// How long the action may take; the limit of the server if none is given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,
    /// Queue of the worker that is to run it
    #[arg(long, value_name = "QUEUE")]
    target: Option<String>,
    /// Keep nothing of it once the result is there
    #[arg(long)]
    discard: bool,
    /// Check action and input, run nothing
    #[arg(long)]
    dry_run: bool,
}

/// Where actions come from, as words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum KindArg {
    /// Built into the server
    System,
    /// Defined by documents
    Adhoc,
    /// Provided by workers
    Worker,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    match command {
        Command::List {
            filter,
            kind,
            namespace,
        } => {
            let actions = in_namespace(&client, namespace.as_deref());
            let list = match kind {
                None => actions.list(filter),
                Some(KindArg::System) => actions.list_of(ActionKind::System, filter),
                Some(KindArg::Adhoc) => actions.list_of(ActionKind::Adhoc, filter),
                Some(KindArg::Worker) => actions.list_of(ActionKind::Worker, filter),
            };
            let list = list.collect().await?;
            output.many(&list, |list| table(list, output.now()))?;
        }
        Command::Get(args) => get(&client, args, output).await?,
        Command::Create {
            save: what,
            allow_existing,
        } => {
            let actions = in_namespace(&client, what.namespace.as_deref());
            for path in &what.files {
                let call = actions.create(read_text(path)?);
                let call = if allow_existing {
                    call.allow_existing()
                } else {
                    call
                };
                save(call, &what, output).await?;
            }
        }
        Command::Update { save: what, etag } => {
            let actions = in_namespace(&client, what.namespace.as_deref());
            for path in &what.files {
                let call = actions.update(read_text(path)?).etag(etag.as_str());
                save(call, &what, output).await?;
            }
        }
        Command::Revisions { name, namespace } => {
            let actions = in_namespace(&client, namespace.as_deref());
            let list = actions.revisions(name).collect().await?;
            output.many(&list, |list| table(list, output.now()))?;
        }
        Command::Delete {
            names,
            allow_missing,
            namespace,
        } => {
            let actions = in_namespace(&client, namespace.as_deref());
            for name in names {
                let call = actions.delete(&name);
                let call = if allow_missing {
                    call.allow_missing()
                } else {
                    call
                };
                call.await?;
                output.note(format!("deleted {name}"));
            }
        }
        Command::Validate { files, strict } => {
            return validate(&client, &files, strict, output).await;
        }
        Command::Run(args) => return run_one(&client, *args, output).await,
    }
    Ok(Exit::Success)
}

fn in_namespace(client: &Client, namespace: Option<&str>) -> Actions {
    match namespace {
        Some(namespace) => client.actions().in_namespace(namespace),
        None => client.actions(),
    }
}

async fn get(client: &Client, args: Get, output: &Output) -> Result<(), Error> {
    let actions = in_namespace(client, args.namespace.as_deref());
    let action = actions.get_revision(args.name, args.revision).await?;
    if args.source {
        return output.line(action.source.unwrap_or_default().trim_end());
    }
    output.one(&action, |action| {
        description(action, output.now(), output.paint())
    })
}

async fn save(call: autan::SaveActions, what: &Save, output: &Output) -> Result<(), Error> {
    let call = if what.strict { call.strict() } else { call };
    let call = if what.dry_run {
        call.validate_only()
    } else {
        call
    };
    let saved = call.await?;
    for warning in &saved.warnings {
        output.note(show::diagnostic(warning));
    }
    output.many(&saved.actions, |list| table(list, output.now()))
}

async fn validate(
    client: &Client,
    files: &[PathBuf],
    strict: bool,
    output: &Output,
) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for path in files {
        let call = client.actions().validate(read_text(path)?);
        let validation = if strict { call.strict() } else { call }.await?;
        if !validation.valid {
            exit = Exit::Failure;
        }
        output.one(&validation, |validation| show::validation(validation, path))?;
    }
    Ok(exit)
}

/// Starts the action and waits; prints the result if there is one by then.
async fn run_one(client: &Client, args: RunArgs, output: &Output) -> Result<Exit, Error> {
    let mut run = client
        .run_action(args.name)
        .namespace(args.namespace)
        .labels(args.labels)
        .description(args.description)
        .wait(Duration::from_secs(args.wait));
    if let Some(input) = args.input.read()? {
        run = run.input(&input)?;
    }
    if let Some(name) = args.environment {
        run = run.environment(name);
    }
    if !args.env.is_empty() {
        run = run.env(&object(args.env))?;
    }
    if let Some(id) = args.id {
        run = run.id(id);
    }
    if args.fail_if_exists {
        run = run.on_conflict(IdConflict::Fail);
    }
    if let Some(seconds) = args.timeout {
        run = run.timeout(Duration::from_secs(seconds));
    }
    if let Some(queue) = args.target {
        run = run.target(queue);
    }
    if args.discard {
        run = run.discard();
    }
    if args.dry_run {
        run.validate().await?;
        output.note("action and input fit");
        return Ok(Exit::Success);
    }
    let run = run.send().await?;
    if !run.is_new() {
        output.note(format!("execution {} existed already", run.id()));
    }
    if !run.is_finished() {
        output.note(format!("execution {} is still under way", run.id()));
    }
    let Some(action) = run.action() else {
        return Ok(Exit::Failure);
    };
    output.one(action, |action| show::action(action, output.paint()))?;
    Ok(match action.state {
        autan::ActionState::Error => Exit::Failure,
        autan::ActionState::Cancelled => Exit::Cancelled,
        _ => Exit::Success,
    })
}

fn table(actions: &[Action], now: SystemTime) -> Table {
    let mut table = Table::new([
        "NAME",
        "KIND",
        "REVISION",
        "INPUT",
        "UPDATED",
        "DESCRIPTION",
    ]);
    for action in actions {
        let revision = (action.revision > 0).then(|| action.revision.to_string());
        table.row([
            show::qualified(&action.namespace, &action.name).into(),
            action.kind.to_string().into(),
            Cell::number(&revision.unwrap_or_default()),
            show::inputs(&action.input).into(),
            relative(action.update_time, now).into(),
            one_line(&action.description, DESCRIPTION_CHARS_MAX).into(),
        ]);
    }
    table
}

fn description(action: &Action, now: SystemTime, paint: Paint) -> String {
    let is_stored = action.revision > 0;
    let revision = || format!("{} ({})", action.revision, action.revision_hash);
    fields(
        paint,
        [
            ("Action", show::qualified(&action.namespace, &action.name)),
            ("Kind", action.kind.to_string()),
            ("Revision", is_stored.then(revision).unwrap_or_default()),
            ("Description", action.description.clone()),
            ("Tags", action.tags.join(", ")),
            ("Base", action.base.clone().unwrap_or_default()),
            ("Workbook", action.workbook.clone().unwrap_or_default()),
            ("Input", show::inputs(&action.input)),
            ("Created", show::at(action.create_time, now)),
            ("Updated", show::at(action.update_time, now)),
            ("Etag", action.etag.clone()),
        ],
    )
}
