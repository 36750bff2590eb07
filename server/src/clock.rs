//! The only reader of wall time and entropy.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::ExecutionUid;
use uuid::Uuid;

/// The last time that was given out, so that time never goes back when the system clock does.
static LAST_US: AtomicI64 = AtomicI64::new(0);

/// Microseconds since the epoch; never less than what an earlier call gave.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the clock is read"
)]
pub fn now_us() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    LAST_US.fetch_max(now, Ordering::Relaxed).max(now)
}

/// A new uid for an execution that is started from outside.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where entropy is drawn"
)]
pub fn new_uid() -> ExecutionUid {
    ExecutionUid(Uuid::now_v7())
}

/// Random bytes, such as for keys.
pub fn entropy() -> [u8; 16] {
    Uuid::new_v4().into_bytes()
}
