//! Retention: executions that finished long enough ago are deleted with everything below them.
//!
//! Owns when and which; so do documents that nobody refers to any more (`unused`). Left to others:
//! deleting (`driver`), the configuration (`config`). Works in small portions, so that no other
//! call waits for long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::{Caller, ExecutionUid};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::cluster::{Change, ChangeOrder, Changed, Cluster};
use crate::config::Retention;
use crate::driver::{self, Driver};

pub(crate) mod unused;

use unused::Unused;

/// How often it is looked for executions that are too old.
const INTERVAL: Duration = Duration::from_mins(1);

/// Executions that are read at a time.
const PORTION: u32 = 500;

/// Executions that are deleted at a time: one commit may hold them all. More keep others waiting
/// for longer; with fewer, retention falls behind a server that is busy.
const DELETED_AT_ONCE: usize = 50;

/// Deletes what is too old, again and again, until it is told to stop.
pub(crate) async fn keep_clean(
    (driver, cluster): (Driver, Cluster),
    retention: Retention,
    stop: CancellationToken,
) {
    if retention.is_for_ever() {
        return;
    }
    let mut unused = Unused::default();
    loop {
        let cleaned = tokio::select! {
            // One server does it for all.
            cleaned = clean_all((&driver, &cluster), &retention, &mut unused),
                if cluster.map().is_desk() => cleaned,
            () = std::future::ready(()), if !cluster.map().is_desk() => Ok(0),
            () = stop.cancelled() => return,
        };
        match cleaned {
            Ok(0) => {}
            Ok(count) => tracing::info!("{count} executions deleted by retention"),
            Err(error) => tracing::warn!("retention is held up: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Deletes what is too old now, and now and then the documents that were left over.
async fn clean_all(
    (driver, cluster): (&Driver, &Cluster),
    retention: &Retention,
    unused: &mut Unused,
) -> Result<u64, driver::Error> {
    let count = clean(driver, cluster, retention).await?;
    if unused.is_due() {
        let deleted = unused.look(driver).await?;
        if deleted > 0 {
            tracing::info!("{deleted} documents deleted that nobody refers to");
        }
    }
    Ok(count)
}

/// Deletes what is too old now; says how many executions, not counting those below them.
pub(crate) async fn clean(
    driver: &Driver,
    cluster: &Cluster,
    retention: &Retention,
) -> Result<u64, driver::Error> {
    let mut count = 0;
    for (project, kept) in projects(driver, retention).await? {
        let kept_us = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
        let before_us = clock::now_us().saturating_sub(kept_us);
        count += clean_project(driver, cluster, project, before_us).await?;
    }
    Ok(count)
}

/// The projects in which executions are not kept for ever, and for how long they are.
async fn projects(
    driver: &Driver,
    retention: &Retention,
) -> Result<BTreeMap<Arc<str>, Duration>, driver::Error> {
    let mut projects = BTreeMap::new();
    if let Some(kept) = retention.finished {
        let all = driver.read(store::Reader::list_projects).await?;
        projects.extend(all.into_iter().map(|project| (project, kept.0)));
    }
    let own = retention.projects.iter();
    projects.extend(own.map(|(project, kept)| (project.as_str().into(), kept.0)));
    Ok(projects)
}

async fn clean_project(
    driver: &Driver,
    cluster: &Cluster,
    project: Arc<str>,
    before_us: i64,
) -> Result<u64, driver::Error> {
    let mut count = 0;
    loop {
        let of = project.clone();
        let read = driver.read(move |reader| reader.list_expired(&of, before_us, PORTION));
        let expired = read.await?;
        for some in expired.chunks(DELETED_AT_ONCE) {
            let deletions = some
                .iter()
                .map(|key| cluster.change(driver, order_for(key.uid)));
            for deleted in futures_util::future::join_all(deletions).await {
                match deleted {
                    Changed::Done => count += 1,
                    // It was rerun, or deleted, in between.
                    Changed::Skipped => {}
                    // The next round finds it again.
                    Changed::Again => return Ok(count),
                    Changed::Failed { message, .. } => {
                        tracing::warn!("an execution is not deleted by retention: {message}");
                        return Ok(count);
                    }
                }
            }
        }
        if expired.len() < PORTION as usize {
            return Ok(count);
        }
    }
}

fn order_for(uid: ExecutionUid) -> ChangeOrder {
    ChangeOrder {
        uid,
        change: Change::Delete { force: false },
        request: None,
        caller: Caller {
            reason: Some("retention".into()),
            ..Caller::default()
        },
    }
}
