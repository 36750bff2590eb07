//! Command line of the conformance runner; the work is in `e2e::conformance`.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use e2e::conformance::{Options, run};

/// Replays recorded behaviour of Mistral against a server and compares.
#[derive(Debug, Parser)]
struct Args {
    /// Folder of the recorded cases; by default `AUTAN_CONFORMANCE`, or else ../shared/conformance
    /// beside the repository
    folder: Option<PathBuf>,
    /// List of the cases that may fail
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// Where the report goes
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the list of expected failures anew
    #[arg(long)]
    update: bool,
    /// Run only the cases whose id contains this
    #[arg(long, value_name = "TEXT", conflicts_with = "update")]
    only: Option<String>,
    /// Cases that run at once
    #[arg(long, default_value_t = 16, value_name = "N")]
    jobs: usize,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = args
        .folder
        .or_else(|| env::var_os("AUTAN_CONFORMANCE").map(PathBuf::from));
    let options = Options {
        folder: named.unwrap_or_else(|| here.join("../../shared/conformance")),
        expected: args
            .expected
            .unwrap_or_else(|| here.join("conformance/expected-failures.txt")),
        report: args
            .report
            .unwrap_or_else(|| here.join(".reports/conformance.txt")),
        update: args.update,
        only: args.only,
        jobs: args.jobs,
    };
    let good = run(&options, &mut io::stdout()).await?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
