//! Retention: what has finished long enough ago is deleted, with everything below it.

use std::time::Duration;

use proto::v1;

use super::{ASYNC, Api};
use crate::config::{Retention, Span};
use crate::retention;

const FAMILY: &str = "
version: '2.0'
above:
  tasks:
    a: {workflow: below}
below:
  tasks:
    a: {action: std.noop}
";

fn kept(seconds: u64) -> Span {
    Span(Duration::from_secs(seconds))
}

async fn total(api: &mut Api) -> i64 {
    let all = v1::CountExecutionsRequest::default();
    let counted = api.executions.count_executions(all).await.unwrap();
    counted.into_inner().total
}

#[tokio::test]
async fn what_finished_long_ago_is_deleted_with_all_below_it() {
    let mut api = Api::with(&[ASYNC, FAMILY]).await;
    for number in 0..3 {
        let id = format!("e{number}");
        api.run("above", &id, "{}").await;
        api.finished(&id).await;
    }
    api.run("held", "unfinished", "{}").await;
    let mut retention = Retention {
        finished: Some(kept(3_600)),
        ..Retention::default()
    };
    let driver = api.server.driver.clone();
    assert_eq!(retention::clean(&driver, &retention).await.unwrap(), 0);
    assert_eq!(total(&mut api).await, 7);
    // What a project says of itself counts, be it more or less.
    retention.finished = Some(kept(0));
    retention.projects.insert("default".into(), kept(3_600));
    assert_eq!(retention::clean(&driver, &retention).await.unwrap(), 0);
    retention.projects.insert("default".into(), kept(0));
    retention.finished = None;
    assert_eq!(retention::clean(&driver, &retention).await.unwrap(), 3);
    assert_eq!(total(&mut api).await, 1);
    api.stop().await;
}
