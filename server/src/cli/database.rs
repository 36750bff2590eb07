//! `autan backup`, `restore`, `promote` and `migrate`: a database without its server.
//!
//! Owns their arguments and what they print. Left to others: the work (`crate::upkeep`).

use std::path::PathBuf;

use super::Exit;
use super::error::Error;
use super::human::Paint;
use super::output::Output;
use super::table::{Cell, Table, fields};
use crate::Config;
use crate::upkeep::{self, Copied, Migrated, Moved};

/// Which database.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Database {
    /// Database, such as `sqlite:PATH` or `postgres://user:password@host/autan`
    #[arg(
        long,
        env = "AUTAN_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Folder of the embedded database, if --database is not given
    #[arg(long, env = "AUTAN_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

impl Database {
    fn config(self) -> Config {
        let mut config = Config::default();
        config.store.url = self.database;
        if let Some(data_dir) = self.data_dir {
            config.data_dir = data_dir;
        }
        config
    }
}

/// Arguments of `autan backup`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Backup {
    #[command(flatten)]
    database: Database,
    /// File to write, which must not exist
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Arguments of `autan restore`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Restore {
    /// File that `autan backup` has written
    file: PathBuf,
    /// Where the database is to be, such as `autan-data/autan.db`; nothing may be there
    #[arg(long, value_name = "PATH")]
    to: String,
}

/// Arguments of `autan promote`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Promote {
    /// The embedded database, such as `autan-data/autan.db`
    #[arg(long, value_name = "PATH")]
    from: String,
    /// The database to move it to, such as `postgres://user:password@host/autan`
    #[arg(
        long,
        env = "AUTAN_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    to: String,
}

/// Arguments of `autan migrate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: Database,
}

/// A configuration with this database; a path alone is one of SQLite.
fn config_of(database: String) -> Config {
    let mut config = Config::default();
    config.store.url = Some(match database.split_once(':') {
        Some(("sqlite" | "postgres" | "postgresql", _)) => database,
        _ => format!("sqlite:{database}"),
    });
    config
}

pub(super) async fn backup(args: Backup, output: &Output) -> Result<Exit, Error> {
    let copied = upkeep::back_up(&args.database.config(), args.to).await?;
    output.one(&copied, |copied| describe(copied, output.paint()))?;
    Ok(Exit::Success)
}

pub(super) async fn restore(args: Restore, output: &Output) -> Result<Exit, Error> {
    let copied = upkeep::restore(args.file, &config_of(args.to)).await?;
    output.one(&copied, |copied| describe(copied, output.paint()))?;
    Ok(Exit::Success)
}

pub(super) async fn promote(args: Promote, output: &Output) -> Result<Exit, Error> {
    let to = config_of(args.to);
    let moved = upkeep::promote(&config_of(args.from), &to).await?;
    output.many(&moved, compared)?;
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    output.note(format!(
        "{rows} rows are the same on both sides; the file opens no more"
    ));
    Ok(Exit::Success)
}

pub(super) async fn migrate(args: Migrate, output: &Output) -> Result<Exit, Error> {
    let migrated = upkeep::migrate(&args.database.config()).await?;
    output.one(&migrated, path_of)?;
    Ok(Exit::Success)
}

fn describe(copied: &Copied, paint: Paint) -> String {
    fields(
        paint,
        [
            ("File", copied.file.display().to_string()),
            ("Bytes", copied.bytes.to_string()),
            ("Schema", copied.schema.clone()),
            ("Executions", copied.executions.to_string()),
        ],
    )
}

fn compared(moved: &[Moved]) -> Table {
    let mut table = Table::new(["TABLE", "ROWS", "SHA-256, SUMMED UP"]);
    for one in moved {
        table.row([
            Cell::from(one.table.as_str()),
            Cell::number(&one.rows),
            Cell::from(one.checksum.as_str()),
        ]);
    }
    table
}

fn path_of(migrated: &Migrated) -> String {
    match &migrated.from {
        Some(from) if *from == migrated.to => format!("{from}, as it was"),
        Some(from) => format!("{from} → {}", migrated.to),
        None => format!("new → {}", migrated.to),
    }
}
