//! Commits of other servers, for those who watch here.
//!
//! The logs of the other servers are read on from where they were. While nobody watches, only
//! their ends are looked at, so that whoever begins to watch misses nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::ExecutionUid;
use store::{Payloads, Reader};
use tokio_util::sync::CancellationToken;

use super::Cluster;
use crate::driver::{self, Driver, News};

/// How often the logs are looked at: how much later a watcher learns of it than at the owner.
const INTERVAL: Duration = Duration::from_millis(25);

/// Commits that are read of one log at once.
const COMMITS_AT_ONCE: u32 = 1_000;

/// Reads until the server stops.
pub(super) async fn follow(cluster: Cluster, driver: Driver, stop: CancellationToken) {
    let mut known: BTreeMap<i16, i64> = BTreeMap::new();
    let mut is_begun = false;
    while stop
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        let map = cluster.map();
        if !map.is_shared() && is_begun && !driver.has_watchers() {
            continue;
        }
        let (own, watched) = (map.me().slot, driver.has_watchers() && is_begun);
        let at = known.clone();
        let read = driver.read(move |reader| read_on(reader, own, &at, watched));
        match read.await {
            Ok((position, changed)) => {
                is_begun = true;
                // What could not be told is read again.
                if position == known || !watched || tell(&driver, changed).await {
                    known = position;
                }
            }
            Err(error) => tracing::debug!("logs of other servers are not read: {error}"),
        }
    }
}

/// Reads on; without watchers only how far the logs are.
fn read_on(
    reader: &mut Reader,
    own: i16,
    known: &BTreeMap<i16, i64>,
    watched: bool,
) -> Result<(BTreeMap<i16, i64>, Vec<ExecutionUid>), store::Error> {
    if !watched {
        let spans = reader.spans_of_changes()?.into_iter();
        return Ok((
            spans.map(|(log, (_, last))| (log, last)).collect(),
            Vec::new(),
        ));
    }
    let mut position = known.clone();
    let mut changed = Vec::new();
    for log in reader.logs_of_changes()? {
        if log == own {
            continue;
        }
        let after = known.get(&log).copied().unwrap_or(0);
        for row in reader.list_changes(log, after, COMMITS_AT_ONCE)? {
            position.insert(log, row.position);
            changed.extend(row.changed.into_iter().map(|row| row.uid));
            changed.extend(row.deleted.into_iter().map(|row| row.uid));
        }
    }
    Ok((position, changed))
}

/// Tells those who watch these executions how far they are; says whether that was possible.
async fn tell(driver: &Driver, changed: Vec<ExecutionUid>) -> bool {
    let watched = driver.watched_of(changed);
    let read = driver.read(move |reader| {
        let mut news = Vec::new();
        for uid in watched {
            news.push((uid, news_of(reader, uid)?));
        }
        Ok(news)
    });
    let read: Result<Vec<(ExecutionUid, News)>, driver::Error> = read.await;
    match read {
        Ok(news) => {
            driver.tell_watchers(news);
            true
        }
        Err(error) => {
            tracing::debug!("watchers are told later: {error}");
            false
        }
    }
}

fn news_of(reader: &mut Reader, uid: ExecutionUid) -> Result<News, store::Error> {
    let found = match reader.locate(uid)? {
        Some(key) => reader.find_execution_at(key, Payloads::Omit)?,
        None => None,
    };
    Ok(match found {
        None => News {
            deleted: true,
            finished: true,
            drained: true,
            last_sequence: i64::MAX,
        },
        Some(record) => News {
            last_sequence: record.last_sequence,
            finished: record.state.is_final(),
            drained: record.is_drained(),
            deleted: false,
        },
    })
}
