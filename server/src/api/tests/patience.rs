//! What a watch does in minutes, in the time of the clock of the tests.
//!
//! The streams are taken where the service makes them: a connection would have timers of its own.

use proto::v1::watch_execution_response::Message;
use proto::v1::{self, WatchEndReason};
use tokio::time::{Duration, Instant, pause, sleep};
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::{ASYNC, Api};
use crate::Config;
use crate::api::Context;
use crate::api::watch::{WatchStream, watch};

/// A watch of an execution that goes on for ever, with time that passes as it is waited for.
async fn open(heartbeat_seconds: i64) -> (Api, WatchStream) {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let stop = CancellationToken::new();
    let server = &api.server;
    let (driver, dispatcher) = (server.driver.clone(), server.dispatcher.clone());
    let context = Context::new(
        driver,
        dispatcher,
        crate::cluster::Cluster::alone(),
        &Config::in_memory(),
        stop,
    );
    let interval = prost_types::Duration {
        seconds: heartbeat_seconds,
        nanos: 0,
    };
    let request = v1::WatchExecutionRequest {
        execution_id: "e".into(),
        heartbeat_interval: Some(interval),
        ..Default::default()
    };
    let stream = watch(&context, request).await.expect("it is there");
    pause();
    (api, stream)
}

/// The messages up to the end: how many of each kind, and why it ended.
async fn drain(mut stream: WatchStream) -> (usize, usize, WatchEndReason) {
    let (mut batches, mut heartbeats) = (0, 0);
    while let Some(message) = stream.next().await {
        match message
            .expect("the stream goes on")
            .message
            .expect("messages are known")
        {
            Message::Events(_) => batches += 1,
            Message::Heartbeat(_) => heartbeats += 1,
            Message::End(end) => {
                assert!(end.resume_after_sequence > 0);
                assert!(stream.next().await.is_none(), "the end is the last message");
                return (batches, heartbeats, end.reason());
            }
            Message::Snapshot(_) => panic!("none was asked for"),
        }
    }
    panic!("the end is not said");
}

#[tokio::test]
async fn a_watch_beats_until_it_is_old() {
    let (api, stream) = open(60).await;
    let began = Instant::now();
    let (batches, heartbeats, reason) = drain(stream).await;
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).expect("it took minutes");
    assert_eq!((batches, reason), (1, WatchEndReason::MaxAge));
    assert!((26..=33).contains(&minutes), "{minutes}");
    assert!(
        minutes.abs_diff(heartbeats) <= 1,
        "{heartbeats} in {minutes} minutes"
    );
    drop(api);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let (api, stream) = open(5).await;
    sleep(Duration::from_mins(3)).await;
    // What had its place is there, and why nothing followed.
    assert_eq!(drain(stream).await, (1, 1, WatchEndReason::SlowConsumer));
    drop(api);
}
