//! Which tasks a worker may take, and which worker a task prefers, where there is a choice.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::session::WorkerKey;

/// How close a worker is to what tasks have in common: the same one is the closest each time, as
/// long as it is there, and nothing has to be remembered for that.
pub(super) fn closeness(affinity: &str, worker: &WorkerKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    (affinity, &worker.id).hash(&mut hasher);
    hasher.finish()
}

/// All pairs of where tasks for a queue wait and what versions they require: `None` is any.
pub(super) fn places<'a>(
    queue: &'a Arc<str>,
    versions: &'a [Option<Arc<str>>; 2],
) -> impl Iterator<Item = (Option<Arc<str>>, Option<Arc<str>>)> + 'a {
    // An action without a version has no tasks of its own version.
    let versions = if versions[0].is_none() {
        &versions[1..]
    } else {
        &versions[..]
    };
    let queues = [Some(queue.clone()), None].into_iter();
    queues.flat_map(|queue| {
        versions
            .iter()
            .map(move |version| (queue.clone(), version.clone()))
    })
}
