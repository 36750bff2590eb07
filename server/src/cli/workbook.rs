//! `autan workbook`: workbooks on the server.

use std::path::{Path, PathBuf};

use autan::{Client, Workbooks};

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::input::read_text;
use super::output::Output;
use super::show;

/// Commands about workbooks.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Create a workbook and its members
    Create(Save),
    /// Replace a workbook; members that it no longer has stay
    Update {
        #[command(flatten)]
        save: Save,
        /// Fail if the workbook no longer has this etag
        #[arg(long)]
        etag: Option<String>,
    },
    /// List workbooks
    List {
        /// Only this namespace
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Show a workbook
    Get {
        /// Name of the workbook
        name: String,
        /// Print the document only
        #[arg(long)]
        source: bool,
        /// Namespace of the workbook
        #[arg(long)]
        namespace: Option<String>,
    },
    /// Delete a workbook; its members stay
    Delete {
        /// Name of the workbook
        name: String,
        /// Be content if it does not exist
        #[arg(long)]
        allow_missing: bool,
        /// Namespace of the workbook
        #[arg(long)]
        namespace: Option<String>,
    },
}

/// A workbook that is to be stored.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Save {
    /// The document (`-` is standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Namespace of the workbook
    #[arg(long)]
    namespace: Option<String>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// Check everything, store nothing
    #[arg(long)]
    dry_run: bool,
}

impl Save {
    fn read(&self) -> Result<String, Error> {
        let path: &Path = &self.file;
        read_text(path)
    }
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    match command {
        Command::Create(what) => {
            let workbooks = in_namespace(&client, what.namespace.as_deref());
            save(workbooks.create(what.read()?), &what, output).await?;
        }
        Command::Update { save: what, etag } => {
            let workbooks = in_namespace(&client, what.namespace.as_deref());
            let mut call = workbooks.update(what.read()?);
            if let Some(etag) = etag {
                call = call.etag(etag);
            }
            save(call, &what, output).await?;
        }
        Command::List { namespace } => {
            let list = in_namespace(&client, namespace.as_deref())
                .list()
                .collect()
                .await?;
            output.many(&list, |list| show::workbooks(list, output.now()))?;
        }
        Command::Get {
            name,
            source,
            namespace,
        } => {
            let workbook = in_namespace(&client, namespace.as_deref())
                .get(name)
                .await?;
            if source {
                output.line(workbook.source.unwrap_or_default().trim_end())?;
            } else {
                output.one(&workbook, |w| {
                    show::workbook(w, output.now(), output.paint())
                })?;
            }
        }
        Command::Delete {
            name,
            allow_missing,
            namespace,
        } => {
            let mut call = in_namespace(&client, namespace.as_deref()).delete(&name);
            if allow_missing {
                call = call.allow_missing();
            }
            call.await?;
            output.note(format!("deleted {name}"));
        }
    }
    Ok(Exit::Success)
}

fn in_namespace(client: &Client, namespace: Option<&str>) -> Workbooks {
    match namespace {
        Some(namespace) => client.workbooks().in_namespace(namespace),
        None => client.workbooks(),
    }
}

async fn save(call: autan::SaveWorkbook, what: &Save, output: &Output) -> Result<(), Error> {
    let mut call = call;
    if what.strict {
        call = call.strict();
    }
    if what.dry_run {
        call = call.validate_only();
    }
    let saved = call.await?;
    for warning in &saved.warnings {
        output.note(show::diagnostic(warning));
    }
    output.one(&saved.workbook, |w| {
        show::workbook(w, output.now(), output.paint())
    })
}
