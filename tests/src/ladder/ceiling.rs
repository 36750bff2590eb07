//! What the machine could do at most: a loop that writes rows of the same size, as many to a
//! commit, and flushes as often, without anything else.

use std::time::{Duration, Instant};

use anyhow::Result;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::census::Census;

/// How long the loop runs.
const MEASURED: Duration = Duration::from_secs(3);

diesel::table! {
    raw (number) {
        number -> BigInt,
        body -> Binary,
    }
}

/// What a load writes at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Commit {
    /// Rows, at least one.
    pub(super) rows: f64,
    /// Bytes of each row, with its part of the indexes.
    pub(super) bytes: f64,
}

impl Commit {
    /// How many of these a second the same kind of database takes, from as many writers at once.
    pub(super) async fn per_second(self, census: &Census, writers: usize) -> Result<f64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rows of a commit, and bytes of a row"
        )]
        let (rows, bytes) = (self.rows as usize, self.bytes as usize);
        let body = vec![0x5a_u8; bytes.saturating_sub(8)];
        match census {
            Census::Sqlite(_) => tokio::task::spawn_blocking(move || sqlite(rows, &body)).await?,
            Census::Postgres(url) => postgres(url, writers, rows, &body).await,
        }
    }
}

fn per_second(commits: u32, began: Instant) -> f64 {
    f64::from(commits) / began.elapsed().as_secs_f64()
}

fn sqlite(rows: usize, body: &[u8]) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("raw.db");
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
    connection.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE raw (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )?;
    let (began, mut commits, mut number) = (Instant::now(), 0, 0_i64);
    while began.elapsed() < MEASURED {
        connection.immediate_transaction(|connection| {
            for _ in 0..rows {
                number += 1;
                diesel::insert_into(raw::table)
                    .values((raw::number.eq(number), raw::body.eq(body)))
                    .execute(connection)?;
            }
            QueryResult::Ok(())
        })?;
        commits += 1;
    }
    Ok(per_second(commits, began))
}

/// One statement is one commit, and one round trip; a list for each column.
async fn postgres(url: &str, writers: usize, rows: usize, body: &[u8]) -> Result<f64> {
    tokio::task::block_in_place(|| {
        postgres_fixture::execute(
            url,
            "DROP TABLE IF EXISTS raw; \
             CREATE TABLE raw (number bigint PRIMARY KEY, body bytea NOT NULL)",
        )
    })?;
    let mut loops = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let (url, bodies) = (url.to_owned(), vec![body.to_vec(); rows]);
        loops.spawn(async move {
            let client = postgres_fixture::connect(&url).await?;
            let insert = client
                .prepare("INSERT INTO raw SELECT * FROM unnest($1::bigint[], $2::bytea[])")
                .await?;
            let (began, mut commits) = (Instant::now(), 0);
            let mut next = i64::try_from(writer)? << 48;
            while began.elapsed() < MEASURED {
                let numbers: Vec<i64> = (next..).take(rows).collect();
                next += i64::try_from(rows)?;
                client.execute(&insert, &[&numbers, &bodies]).await?;
                commits += 1;
            }
            anyhow::Ok(per_second(commits, began))
        });
    }
    let mut sum = 0.0;
    while let Some(done) = loops.join_next().await {
        sum += done??;
    }
    tokio::task::block_in_place(|| postgres_fixture::execute(url, "DROP TABLE raw"))?;
    Ok(sum)
}
