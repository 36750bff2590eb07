//! `autan environment`: named sets of variables on the server.

use std::path::PathBuf;
use std::time::SystemTime;

use autan::{Client, Environment};
use serde_json::Map;

use super::Exit;
use super::connect::Globals;
use super::error::Error;
use super::human::{Paint, one_line, relative};
use super::input::{Pair, pair, read_object};
use super::output::Output;
use super::show;
use super::table::{Table, fields};

/// Longer descriptions are cut in tables.
const DESCRIPTION_CHARS_MAX: usize = 60;

/// Commands about environments.
#[derive(Clone, Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Create an environment
    Create(Create),
    /// Change an environment; executions keep their copies
    Update(Update),
    /// Show an environment
    Get {
        /// Name of the environment
        name: String,
    },
    /// List environments
    List {
        /// Such as: `name = "prod*"`
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
    },
    /// Delete environments; executions keep their copies
    Delete {
        /// Names of the environments
        #[arg(required = true)]
        names: Vec<String>,
        /// Be content if they do not exist
        #[arg(long)]
        allow_missing: bool,
    },
}

/// Arguments of `create`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Create {
    /// Name of the environment
    name: String,
    /// One variable; the value is JSON if it parses, else text
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = pair)]
    variables: Vec<Pair>,
    /// A JSON or YAML file with variables (`-` is standard input); --var wins
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Free text
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Replace an environment of that name
    #[arg(long)]
    allow_existing: bool,
    /// Check everything, store nothing
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `update`.
#[derive(Clone, Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub(super) struct Update {
    /// Name of the environment
    name: String,
    /// Give one variable a value and leave the others; JSON if it parses, else text
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = pair, group = "change")]
    set: Vec<Pair>,
    /// Remove one variable and leave the others
    #[arg(long, value_name = "KEY", group = "change")]
    remove: Vec<String>,
    /// A JSON or YAML file with variables that take the place of all (`-` is standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "remove"], group = "change")]
    file: Option<PathBuf>,
    /// Free text
    #[arg(long, group = "change")]
    description: Option<String>,
    /// Fail if the environment no longer has this etag
    #[arg(long)]
    etag: Option<String>,
}

pub(super) async fn run(
    globals: &Globals,
    command: Command,
    output: &Output,
) -> Result<Exit, Error> {
    let client = globals.connect().await?;
    let print = |environment: &Environment| {
        output.one(environment, |one| {
            description(one, output.now(), output.paint())
        })
    };
    match command {
        Command::Create(args) => print(&create(&client, args).await?)?,
        Command::Update(args) => print(&update(&client, args).await?)?,
        Command::Get { name } => print(&client.environments().get(name).await?)?,
        Command::List { filter } => {
            let list = client.environments().list(filter).collect().await?;
            output.many(&list, |list| table(list, output.now()))?;
        }
        Command::Delete {
            names,
            allow_missing,
        } => {
            for name in names {
                let call = client.environments().delete(&name);
                let call = if allow_missing {
                    call.allow_missing()
                } else {
                    call
                };
                call.await?;
                output.note(format!("deleted {name}"));
            }
        }
    }
    Ok(Exit::Success)
}

async fn create(client: &Client, args: Create) -> Result<Environment, Error> {
    let mut variables = match &args.file {
        Some(path) => read_object(path)?,
        None => Map::new(),
    };
    variables.extend(
        args.variables
            .into_iter()
            .map(|pair| (pair.key, pair.value)),
    );
    let mut call = client
        .environments()
        .create(args.name, &variables)?
        .description(args.description);
    if args.allow_existing {
        call = call.allow_existing();
    }
    if args.dry_run {
        call = call.validate_only();
    }
    Ok(call.await?)
}

async fn update(client: &Client, args: Update) -> Result<Environment, Error> {
    let mut call = client.environments().update(args.name);
    if let Some(path) = &args.file {
        call = call.variables(&read_object(path)?)?;
    }
    for Pair { key, value } in args.set {
        call = call.set(key, &value)?;
    }
    for name in args.remove {
        call = call.remove(name);
    }
    if let Some(description) = args.description {
        call = call.description(description);
    }
    if let Some(etag) = args.etag {
        call = call.etag(etag);
    }
    Ok(call.await?)
}

fn table(environments: &[Environment], now: SystemTime) -> Table {
    let mut table = Table::new(["NAME", "UPDATED", "DESCRIPTION"]);
    for environment in environments {
        table.row([
            environment.name.as_str().into(),
            relative(environment.update_time, now).into(),
            one_line(&environment.description, DESCRIPTION_CHARS_MAX).into(),
        ]);
    }
    table
}

fn description(environment: &Environment, now: SystemTime, paint: Paint) -> String {
    fields(
        paint,
        [
            ("Environment", environment.name.clone()),
            ("Description", environment.description.clone()),
            ("Variables", show::payload(environment.variables.as_ref())),
            ("Created", show::at(environment.create_time, now)),
            ("Updated", show::at(environment.update_time, now)),
            ("Etag", environment.etag.clone()),
        ],
    )
}
