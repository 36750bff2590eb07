//! The keys that the language has, by place: for what must cover the whole language.

use super::{defaults, policies, publish, rollback, task, workflow};

/// The places of a list of workflows in which keys stand, and the keys of each. Some keys stand in
/// several lists of one place.
pub fn keys() -> Vec<(&'static str, Vec<&'static str>)> {
    let defaults = defaults::KEYS.iter().chain(&policies::KEYS);
    let tasks = task::COMMON_KEYS.iter().chain(&task::DIRECT_KEYS);
    let tasks = tasks.chain(&task::REVERSE_KEYS);
    vec![
        ("workflow", workflow::KEYS.to_vec()),
        ("task-defaults", defaults.copied().collect()),
        ("task", tasks.copied().collect()),
        ("retry", policies::RETRY_KEYS.to_vec()),
        ("rollback", rollback::KEYS.to_vec()),
        ("publish", publish::SCOPES.to_vec()),
    ]
}
