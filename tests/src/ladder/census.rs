//! What a load has cost a database: commits, rows and bytes, as the database counts them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use tokio::time::{Instant, sleep};

/// How long PostgreSQL's sessions may keep their counts to themselves.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a database is asked.
#[derive(Clone, Debug)]
pub(super) enum Census {
    /// The file.
    Sqlite(PathBuf),
    /// The URL of the schema.
    Postgres(String),
}

/// What there was at one time, or what came since another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    /// Commits that changed executions.
    pub(super) commits: f64,
    /// Rows that were inserted, updated and deleted; SQLite does not count them.
    pub(super) rows: Option<f64>,
    /// Bytes of the tables with their indexes.
    pub(super) bytes: f64,
}

impl Counts {
    /// What has come since.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            commits: self.commits - before.commits,
            rows: self.rows.zip(before.rows).map(|(now, then)| now - then),
            bytes: self.bytes - before.bytes,
        }
    }
}

/// Each commit that changes executions adds one row.
const COMMITS: &str = "SELECT count(*) AS number FROM changes";

impl Census {
    /// Counts once the database has counted everything.
    pub(super) async fn take(&self) -> Result<Counts> {
        match self {
            Self::Sqlite(path) => {
                let ask = |sql| sqlite(path, sql);
                Ok(Counts {
                    commits: ask(COMMITS)?,
                    rows: None,
                    bytes: ask(
                        "SELECT (p.page_count - f.freelist_count) * s.page_size AS number \
                         FROM pragma_page_count AS p, pragma_freelist_count AS f, \
                         pragma_page_size AS s",
                    )?,
                })
            }
            Self::Postgres(url) => take_postgres(url).await,
        }
    }
}

async fn take_postgres(url: &str) -> Result<Counts> {
    let ask = |sql| tokio::task::block_in_place(|| postgres_fixture::number(url, sql));
    let commits = ask(COMMITS)?;
    let until = Instant::now() + PATIENCE;
    // A session tells of what it has done some seconds later.
    while ask("SELECT n_tup_ins FROM pg_stat_user_tables \
               WHERE schemaname = current_schema() AND relname = 'changes'")?
        < commits
    {
        ensure!(Instant::now() < until, "PostgreSQL does not count");
        sleep(Duration::from_millis(200)).await;
    }
    Ok(Counts {
        commits,
        // Servers say again and again that they are there, which is no part of the load.
        rows: Some(ask(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables \
             WHERE schemaname = current_schema() AND relname NOT IN ('servers', 'shards')",
        )?),
        bytes: ask(
            "SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_stat_user_tables \
             WHERE schemaname = current_schema()",
        )?,
    })
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark fit a float"
)]
fn sqlite(path: &std::path::Path, sql: &str) -> Result<f64> {
    let path = path.to_str().context("the path is text")?;
    let mut connection = SqliteConnection::establish(path)?;
    let number: Number = diesel::sql_query(sql).get_result(&mut connection)?;
    Ok(number.number as f64)
}
