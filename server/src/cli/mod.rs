//! The command line: a client of a server, a checker of documents, and the server.
//!
//! Owns arguments, what is printed and how it ends. Left to others: talking to the server (the SDK
//! `autan`), checking documents (`definition`), serving (`crate::Server`).
//!
//! People get tables and times such as "3m ago"; scripts pass `--json` and get one JSON object, or
//! one a line where there may be many. What was asked for goes to standard output, everything else
//! to standard error. Exit codes: 0 well, 1 error, 2 wrong usage, 3 the execution was cancelled.

mod action;
mod action_execution;
mod batch;
mod cluster;
mod connect;
mod database;
mod environment;
mod error;
mod evaluate;
mod execution;
mod follow;
mod human;
mod input;
mod live;
mod output;
mod queue;
mod run;
mod serve;
mod server;
mod show;
mod table;
mod validate;
mod workbook;
mod worker;
mod workflow;

use std::process::ExitCode;

use clap::Parser as _;

use connect::Globals;
use error::Error;
use output::Output;

/// Durable workflows: define, run, watch and control them
#[derive(Debug, clap::Parser)]
#[command(name = "autan", version)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run a server
    Serve(Box<serve::Args>),
    /// Check documents without a server
    Validate(validate::Args),
    /// Run a workflow from a file and show what happens
    Run(Box<run::Args>),
    /// Manage workflow definitions
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// Manage workbooks
    #[command(subcommand)]
    Workbook(workbook::Command),
    /// Start, watch and control executions
    #[command(subcommand)]
    Execution(execution::Command),
    /// Change many executions at once
    #[command(subcommand)]
    Batch(batch::Command),
    /// Manage ad-hoc actions, look at built-in ones, run single ones
    #[command(subcommand)]
    Action(action::Command),
    /// Complete actions that run outside
    #[command(subcommand)]
    ActionExecution(action_execution::Command),
    /// Look after workers, or make one of any program
    #[command(subcommand)]
    Worker(worker::Command),
    /// Look after queues, in which calls wait for workers
    #[command(subcommand)]
    Queue(queue::Command),
    /// Manage environments: named sets of variables
    #[command(subcommand)]
    Environment(environment::Command),
    /// Evaluate an expression over given data
    Evaluate(evaluate::Args),
    /// Copy the embedded database to a file, while its server runs
    Backup(database::Backup),
    /// Put a copy of an embedded database in its place
    Restore(database::Restore),
    /// Move an embedded database to PostgreSQL, with all that runs
    Promote(database::Promote),
    /// Bring the schema of a database up to date
    Migrate(database::Migrate),
    /// Show the servers that share the database, and what each of them has
    Cluster,
    /// Ask the server about itself
    #[command(subcommand)]
    Server(server::Command),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Success = 0,
    Failure = 1,
    Usage = 2,
    Cancelled = 3,
}

/// Does what the arguments of the process say.
pub fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    let output = Output::standard(globals.json);
    let exit = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)
        .and_then(|runtime| runtime.block_on(run(&globals, command, &output)));
    let exit = exit.unwrap_or_else(|error| output.report(&error));
    ExitCode::from(exit as u8)
}

async fn run(globals: &Globals, command: Command, output: &Output) -> Result<Exit, Error> {
    match command {
        Command::Serve(args) => serve::serve(*args, output).await,
        Command::Validate(args) => validate::validate(&args, output),
        // Large, since it may hold a whole server.
        Command::Run(args) => Box::pin(run::run(globals, *args, output)).await,
        Command::Workflow(command) => workflow::run(globals, command, output).await,
        Command::Workbook(command) => workbook::run(globals, command, output).await,
        Command::Execution(command) => execution::run(globals, command, output).await,
        Command::Batch(command) => batch::run(globals, command, output).await,
        Command::Action(command) => action::run(globals, command, output).await,
        Command::ActionExecution(command) => action_execution::run(globals, command, output).await,
        Command::Worker(command) => worker::run(globals, command, output).await,
        Command::Queue(command) => queue::run(globals, command, output).await,
        Command::Environment(command) => environment::run(globals, command, output).await,
        Command::Evaluate(args) => evaluate::run(globals, args, output).await,
        Command::Backup(args) => database::backup(args, output).await,
        Command::Restore(args) => database::restore(args, output).await,
        Command::Promote(args) => database::promote(args, output).await,
        Command::Migrate(args) => database::migrate(args, output).await,
        Command::Cluster => cluster::run(globals, output).await,
        Command::Server(command) => server::run(globals, command, output).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Cli;

    /// Lines, and whether they make sense.
    const LINES: &[(&str, bool)] = &[
        (
            "autan validate a.yaml b.yaml --kind workbook --strict --json",
            true,
        ),
        (
            "autan run f.yaml -i n=1 --input t=x --workflow w --output yaml",
            true,
        ),
        ("autan run f.yaml --verbose --quiet", false),
        ("autan run f.yaml -i n", false),
        (
            "autan --server http://x execution start w --id e --wait",
            true,
        ),
        ("autan execution start w --priority -5", true),
        ("autan execution start w --priority high", false),
        ("autan execution start w --fail-if-exists", false),
        ("autan execution resume e --env a=1 --server http://x", true),
        ("autan execution stop e", false),
        ("autan execution pause e --drain --timeouts-run", true),
        ("autan execution terminate e --reason why", true),
        (
            "autan execution restart e --latest -i n=1 --label a=b",
            true,
        ),
        ("autan execution restart e --env a=1 --environment b", false),
        ("autan execution update e --no-labels --description d", true),
        ("autan execution update e", false),
        ("autan execution rerun e --task t --input url=x", true),
        ("autan execution retry t", true),
        ("autan execution stop e --state success --reason why", true),
        ("autan action-execution complete a {} --project p", true),
        ("autan action-execution complete a {} --file f", false),
        ("autan action run std.echo -i output=1 --wait 2", true),
        ("autan action run std.echo --env a=1 --environment e", false),
        ("autan action list --kind adhoc --filter x", true),
        ("autan action list --kind other", false),
        ("autan environment create e --var a=1 --file f", true),
        ("autan environment update e --var a=1 --remove b", true),
        ("autan environment update e --var a=1 --file f", false),
        ("autan environment update e", false),
        ("autan batch pause e1 e2 --rate 10 --dry-run", true),
        ("autan batch rerun --filter x --reset --env a=1", true),
        ("autan batch cancel", false),
        ("autan batch cancel e1 --filter x", false),
        ("autan batch abort b", true),
        ("autan evaluate 1+1 --language yaql --context {}", true),
        ("autan worker list", true),
        ("autan worker drain w --reason why", true),
        ("autan worker stdio --action a:x,y=1 -- cat", true),
        (
            "autan worker stdio --action a --max-tasks 2 --processes 3 -- sh -c x",
            true,
        ),
        ("autan worker stdio --action a", false),
        ("autan worker stdio -- cat", false),
        ("autan worker stdio --action a --processes 0 -- cat", false),
        ("autan queue pause q", true),
        (
            "autan queue limit q --concurrency 4 --rate 0.5 --burst 2",
            true,
        ),
        ("autan queue limit q --action a --none", true),
        ("autan queue limit q --none --rate 1", false),
        ("autan queue limit q", false),
        ("autan backup --database sqlite:a.db --to b.db", true),
        ("autan backup --data-dir d", false),
        ("autan restore b.db --to a.db", true),
        ("autan restore --to a.db", false),
        ("autan promote --from a.db --to postgres://h/d", true),
        ("autan promote --to postgres://h/d", false),
        ("autan migrate --database postgres://h/d", true),
        ("autan serve --dev --listen 127.0.0.1:0 --port-file p", true),
        ("autan serve --listen here", false),
        ("autan", false),
    ];

    #[test]
    fn arguments_make_sense() {
        Cli::command().debug_assert();
        for (line, valid) in LINES {
            let found = Cli::try_parse_from(line.split(' '));
            assert_eq!(found.is_ok(), *valid, "{line}: {:?}", found.err());
        }
    }
}
