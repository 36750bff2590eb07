//! Ends of tasks that come twice, and too late.

use proto::v1;
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

    /// What undoes a task has times of its own: when they are over, the rollback has failed.
    pub(super) async fn undone_too_slowly(&mut self) {
        let worker = self.worker().await;
        let file = self.scratch.path().join("undo");
        let path = serde_json::to_string(file.to_str().unwrap()).unwrap();
        let undo = format!("{{action: test.block, input: {{file: {path}}}, start-to-close: 1}}");
        let task = format!("{{action: test.echo, input: {{value: 1}}, rollback: {undo}}}");
        let execution = self.run(&task).await;
        let done = self.seen(&execution).await;
        self.compare("before its rollback", &done, &good(&json!(1)));
        let request = v1::RollbackExecutionRequest {
            project: self.api.project(),
            execution_id: execution.clone(),
            ..Default::default()
        };
        let asked = self.api.executions().rollback_execution(request).await;
        asked.unwrap();
        let undone = self.seen(&execution).await;
        let failure = json!({
            "type": "Timeout",
            "message": "Action test.block has taken longer than it may.",
            "cause": null,
        });
        let expected = seen("ERROR", &Value::Null, &failure, 2, &[]);
        self.compare("undone too slowly", &undone, &expected);
        put(&file, "go");
        worker.terminate().await;
        worker.ended().await;
    }
}
