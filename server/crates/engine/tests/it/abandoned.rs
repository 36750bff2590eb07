//! An execution on which the rules have failed is ended, whatever its records look like.

use definition::Kind;
use engine::{ExecutionState, FailureKind};

use crate::harness::Harness;

#[test]
fn an_abandoned_execution_is_in_error_and_its_parent_goes_on() {
    let document = "version: '2.0'\nparent:\n  tasks:\n    t: {workflow: child, on-error: u}\n    \
                    u: {action: std.noop}\nchild:\n  tasks:\n    a: {action: std.async_noop}\n    \
                    b: {action: std.async_noop}\n";
    for lost_task in [None, Some(1), Some(2)] {
        let mut harness = Harness::new(Kind::Workflows, document);
        let parent = harness.start("parent", "{}", "{}");
        let child = harness
            .executions
            .keys()
            .copied()
            .find(|uid| *uid != parent);
        let child = child.unwrap();
        harness.abandon(child, lost_task, "A fault.");
        let record = harness.get(child).record();
        let found = (
            record.state,
            record.failure.clone(),
            record.state_info.as_deref(),
        );
        let expected = (
            ExecutionState::Error,
            Some(FailureKind::Internal.into()),
            Some("A fault."),
        );
        assert_eq!(found, expected);
        assert_eq!(
            &**record.output.as_ref().unwrap().text(),
            r#"{"result":"A fault."}"#
        );
        assert_eq!(harness.get(parent).record().state, ExecutionState::Success);
    }
}
