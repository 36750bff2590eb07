//! What functions log: in a span that says of which task.

use std::io;
use std::sync::{Arc, Mutex};

use proto::v1;
use serde_json::Value;

use super::fake::{Fake, Job, task};
use crate::worker::{ActionContext, WorkerAction};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_function_logs_with_the_ids_of_its_task() {
    let log = Log::default();
    let writer = log.clone();
    // For all threads, since a worker has one of its own; other tests may log here, too.
    tracing_subscriber::fmt()
        .json()
        .with_writer(move || writer.clone())
        .init();
    let mut fake = Fake::start().await;
    let action = WorkerAction::new("shout", |_: Value, _: ActionContext| async move {
        tracing::info!("in the function");
        Ok(())
    });
    let _job = Job::start(fake.worker().register(action));
    let mut session = fake.welcomed().await;
    session.deal([v1::WorkerTask {
        execution_uid: "e1".to_owned(),
        task_execution_id: "e1.2".to_owned(),
        action_execution_id: "e1.2.3".to_owned(),
        task_name: "call".to_owned(),
        ..task("t", "shout", "{}")
    }]);
    session.result("t").await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("in the function"));
    let line: Value = serde_json::from_str(line.unwrap()).unwrap();
    let span = &line["span"];
    let wanted = [
        ("execution.id", "e1"),
        ("task.id", "e1.2"),
        ("action.id", "e1.2.3"),
        ("task.name", "call"),
        ("action.name", "shout"),
    ];
    for (field, value) in wanted {
        assert_eq!(span[field], value, "{field} of {line}");
    }
    assert_eq!(span["attempt"], 1);
}
