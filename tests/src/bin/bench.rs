//! `make bench`: figures of a server, one JSON object a line: name, value, unit, conditions, and the
//! limit where one must hold.
//!
//! Starts the binary that `AUTAN_BINARY` names, with an SQLite file or a PostgreSQL beside it and a
//! flush for each commit, and loads it with clients of this process over loopback. What is measured
//! is in the library, by subject.

use anyhow::{Context as _, Result};

/// Executions that `bench million` fills a database with, unless it is told how many.
const MILLION: usize = 1_000_000;

#[tokio::main]
async fn main() -> Result<()> {
    // `bench common`, `bench databases`, `bench workers`, `bench retention` and `bench large` give
    // only a part, and `bench million [COUNT]` what takes too long for the whole.
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next();
    if part.as_deref() == Some("million") {
        let count = arguments.next().map_or(Ok(MILLION), |count| count.parse());
        let count = count.context("COUNT is a number")?;
        return e2e::ladder::of_a_million(count, &mut |figure| say(&figure.to_string())).await;
    }
    let wanted = |name: &str| part.as_deref().is_none_or(|part| part == name);
    if wanted("common") {
        common()?;
    }
    if wanted("databases") {
        e2e::ladder::figures(&mut |figure| say(&figure.to_string())).await?;
    }
    if wanted("workers") {
        e2e::ladder::of_workers(&mut |figure| say(&figure.to_string())).await?;
    }
    if wanted("retention") {
        e2e::ladder::of_retention(&mut |figure| say(&figure.to_string())).await?;
    }
    if wanted("large") {
        for figure in e2e::large::figures().await? {
            say(&figure.to_string());
        }
    }
    Ok(())
}

/// What needs no server.
fn common() -> Result<()> {
    for figure in e2e::definitions::figures()? {
        say(&figure.to_string());
    }
    for figure in e2e::expressions::figures()? {
        say(&figure.to_string());
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the program is for"
)]
fn say(line: &str) {
    println!("{line}");
}
