//! `autan workflow`: definitions on the server.

use std::path::PathBuf;

use autan::{Client, DocumentKind, Workflows};

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::input::read_text;
use super::output::Output;
use super::show;
use super::validate::{How, KindArg};

/// Commands about workflow definitions.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Create the workflows of documents
    Create(Create),
    /// Add revisions to the workflows of documents
    Update(Update),
    /// List workflows
    List {
        /// Such as: `name = "order*" AND tag = "eu"`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// Only this namespace
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Show a workflow
    Get(Get),
    /// List the revisions of a workflow, newest first
    Revisions {
        /// Name of the workflow
        name: String,
        /// Namespace of the workflow
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Delete workflows with all their revisions
    Delete(Delete),
    /// Check documents on the server
    Validate {
        /// Documents to check (`-` is standard input)
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        how: How,
    },
}

/// Arguments of `create`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    save: Save,
    /// Add a revision where a workflow exists
    #[arg(long)]
    allow_existing: bool,
}

/// Arguments of `update`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Update {
    #[command(flatten)]
    save: Save,
    /// Fail if the workflow no longer has this etag
    #[arg(long, default_value = "", hide_default_value = true)]
    etag: String,
}

/// Arguments of `get`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Get {
    /// Name of the workflow
    name: String,
    /// Number of the revision; the latest if none is given
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    revision: i32,
    /// Print the document only
    #[arg(long)]
    source: bool,
    /// Namespace of the workflow
    #[arg(long)]
    namespace: Option<String>,
}

/// Arguments of `delete`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Delete {
    /// Names of the workflows
    #[arg(required = true)]
    names: Vec<String>,
    /// Even while executions of them are running
    #[arg(long)]
    force: bool,
    /// Be content if they do not exist
    #[arg(long)]
    allow_missing: bool,
    /// Namespace of the workflows
    #[arg(long)]
    namespace: Option<String>,
}

/// Documents that are to be stored.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Save {
    /// Documents (`-` is standard input)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Namespace of the workflows
    #[arg(long)]
    namespace: Option<String>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Check everything, store nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    match command {
        Command::Create(create) => {
            let workflows = in_namespace(&client, create.save.namespace.as_deref());
            for path in &create.save.files {
                let call = workflows.create(read_text(path)?);
                let call = if create.allow_existing {
                    call.allow_existing()
                } else {
                    call
                };
                save(call, &create.save, output).await?;
            }
        }
        Command::Update(update) => {
            let workflows = in_namespace(&client, update.save.namespace.as_deref());
            for path in &update.save.files {
                let call = workflows
                    .update(read_text(path)?)
                    .etag(update.etag.as_str());
                save(call, &update.save, output).await?;
            }
        }
        Command::List { filter, namespace } => {
            let list = in_namespace(&client, namespace.as_deref())
                .list(filter)
                .collect()
                .await?;
            output.many(&list, |list| show::workflows(list, output.now()))?;
        }
        Command::Get(get) => {
            let workflows = in_namespace(&client, get.namespace.as_deref());
            let workflow = workflows.get_revision(get.name, get.revision).await?;
            if get.source {
                output.line(workflow.source.unwrap_or_default().trim_end())?;
            } else {
                output.one(&workflow, |w| {
                    show::workflow(w, output.now(), output.paint())
                })?;
            }
        }
        Command::Revisions { name, namespace } => {
            let workflows = in_namespace(&client, namespace.as_deref());
            let list = workflows.revisions(name).collect().await?;
            output.many(&list, |list| show::workflows(list, output.now()))?;
        }
        Command::Delete(delete) => {
            let workflows = in_namespace(&client, delete.namespace.as_deref());
            for name in delete.names {
                let call = workflows.delete(&name);
                let call = if delete.force { call.force() } else { call };
                let call = if delete.allow_missing {
                    call.allow_missing()
                } else {
                    call
                };
                call.await?;
                output.note(format!("deleted {name}"));
            }
        }
        Command::Validate { files, how } => return validate(&client, &files, how, output).await,
    }
    Ok(Exit::Success)
}

fn in_namespace(client: &Client, namespace: Option<&str>) -> Workflows {
    match namespace {
        Some(namespace) => client.workflows().in_namespace(namespace),
        None => client.workflows(),
    }
}

async fn save(call: autan::SaveWorkflows, what: &Save, output: &Output) -> Result<(), Error> {
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
    output.many(&saved.workflows, |list| show::workflows(list, output.now()))
}

async fn validate(
    client: &Client,
    files: &[PathBuf],
    how: How,
    output: &Output,
) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for path in files {
        let mut call = client
            .workflows()
            .validate(read_text(path)?)
            .kind(match how.kind {
                KindArg::Workflows => DocumentKind::Workflows,
                KindArg::Workbook => DocumentKind::Workbook,
                KindArg::Actions => DocumentKind::Actions,
            });
        if how.strict {
            call = call.strict();
        }
        let validation = call.await?;
        if !validation.valid {
            exit = Exit::Failure;
        }
        output.one(&validation, |validation| show::validation(validation, path))?;
    }
    Ok(exit)
}
