//! Ends of tasks that come twice, and too late.

use proto::v1::history_event::Event;
use serde_json::{Value, json};

use super::{Bench, good, put, seen, until_written};

impl Bench {
    /// The same end again is no error, and counts once.
    pub(super) async fn completed_twice(&mut self) {
        let worker = self.worker().await;
        let execution = self.run("{action: test.complete_twice}").await;
        let seen = self.seen(&execution).await;
        self.compare("completed twice", &seen, &good(&json!("by call")));
        worker.terminate().await;
        worker.ended().await;
        let history = self.api.history(&execution).await.unwrap();
        let ends = history
            .iter()
            .filter(|event| matches!(event.event, Some(Event::ActionStateChanged(_))));
        self.compare("ends", &json!(ends.count()), &json!(1));
    }

    /// One that comes after the time that the task allows is refused, and changes nothing.
    pub(super) async fn completed_late(&mut self) {
        let worker = self.worker().await;
        let file = self.scratch.path().join("late");
        let path = serde_json::to_string(file.to_str().unwrap()).unwrap();
        let task = format!("{{action: test.late, input: {{file: {path}}}, start-to-close: 1}}");
        let execution = self.run(&task).await;
        let seen_ = self.seen(&execution).await;
        let failure = json!({
            "type": "Timeout",
            "message": "Action test.late has taken longer than it may.",
            "cause": null,
        });
        let expected = seen("ERROR", &Value::Null, &failure, 1, &[]);
        self.compare("too late", &seen_, &expected);
        let before = self.api.execution(&execution).await.unwrap();

        let log = self.scratch.path().join("log");
        // Lines of other scenarios stand there as well.
        std::fs::remove_file(&log).unwrap();
        put(&file, "go");
        let line = until_written(&log).await;
        self.compare("refused", &json!(line), &json!("late TASK_LEASE_LOST\n"));
        worker.terminate().await;
        worker.ended().await;
        let after = self.api.execution(&execution).await.unwrap();
        let same = before == after;
        self.compare("changed by a late result", &json!(!same), &json!(false));
    }
}
