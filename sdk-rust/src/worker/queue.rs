//! What a worker takes from which queue.

use std::collections::BTreeMap;

use proto::v1::QueueSubscription;

use super::action::WorkerAction;

/// Name of the queue that has none.
const DEFAULT: &str = "default";

/// The name by which the server calls a queue.
pub(super) fn named(queue: String) -> String {
    if queue.is_empty() {
        return DEFAULT.to_owned();
    }
    queue
}

/// Each queue with its actions, by name; actions that name none are called from `own`.
pub(super) fn subscriptions(
    own: &str,
    actions: &[WorkerAction],
) -> BTreeMap<String, QueueSubscription> {
    let mut queues = BTreeMap::<String, QueueSubscription>::new();
    for action in actions {
        let named_ones = action.queues().iter().cloned().map(named);
        let mut names: Vec<String> = named_ones.collect();
        if names.is_empty() {
            names.push(own.to_owned());
        }
        names.sort_unstable();
        names.dedup();
        for name in names {
            let queue = queues.entry(name.clone()).or_insert_with(|| {
                let queue = name;
                QueueSubscription {
                    queue,
                    ..QueueSubscription::default()
                }
            });
            queue.actions.push(action.to_proto());
        }
    }
    queues
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::{ActionContext, ActionError};

    async fn nothing((): (), _: ActionContext) -> Result<(), ActionError> {
        Ok(())
    }

    #[test]
    fn actions_are_called_from_their_queues() {
        let actions = [
            WorkerAction::new("a", nothing),
            WorkerAction::new("b", nothing).queue("gpu"),
            WorkerAction::new("c", nothing)
                .queue("")
                .queue("gpu")
                .queue("gpu"),
        ];
        let found = subscriptions("mine", &actions);
        let found = found.into_iter().map(|(name, queue)| {
            assert_eq!(name, queue.queue);
            let actions = queue.actions.into_iter().map(|action| action.name);
            (name, actions.collect::<Vec<_>>().join(" "))
        });
        let expected = [("default", "c"), ("gpu", "b c"), ("mine", "a")];
        let expected = expected.map(|(name, actions)| (name.to_owned(), actions.to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
