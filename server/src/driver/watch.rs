//! News for watchers: that something was committed. What it was, they read from the store, so a
//! slow watcher costs no memory here.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use engine::ExecutionUid;
use parking_lot::Mutex;
use tokio::sync::watch;

/// What a watcher learns of one execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The last committed sequence; 0 if nothing was committed since the subscription.
    pub last_sequence: i64,
    /// Whether the execution is in a final state.
    pub finished: bool,
    /// Whether it is paused and nothing runs any more, in it or below.
    pub drained: bool,
    /// Whether the execution was deleted.
    pub deleted: bool,
}

/// Who watches what.
pub struct Hub {
    watched: Mutex<HashMap<ExecutionUid, watch::Sender<News>>>,
    /// Position of the last commit here that changed an execution.
    position: AtomicI64,
    /// Counts commits that changed executions, for who watches many.
    commits: watch::Sender<u64>,
}

/// News of one execution; ends with it.
pub struct Subscription {
    uid: ExecutionUid,
    hub: Arc<Hub>,
    /// `None` only while it is dropped.
    receiver: Option<watch::Receiver<News>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            watched: Mutex::default(),
            position: AtomicI64::new(0),
            commits: watch::channel(0).0,
        }
    }
}

impl Hub {
    /// That something was committed, from now on. Several commits in between come as one.
    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Tells that something was committed here.
    pub(super) fn committed(&self, position: i64) {
        if self.position.swap(position, Ordering::Relaxed) != position {
            self.stir();
        }
    }

    /// Tells that something was committed, here or on another server.
    pub(super) fn stir(&self) {
        self.commits.send_modify(|count| *count += 1);
    }

    /// Whether anybody watches anything.
    pub(super) fn has_watchers(&self) -> bool {
        self.commits.receiver_count() > 0 || !self.watched.lock().is_empty()
    }

    /// Those of these that somebody watches.
    pub(super) fn watched_of(&self, uids: impl Iterator<Item = ExecutionUid>) -> Vec<ExecutionUid> {
        let watched = self.watched.lock();
        uids.filter(|uid| watched.contains_key(uid)).collect()
    }

    pub(super) fn subscribe(self: &Arc<Self>, uid: ExecutionUid) -> Subscription {
        let mut watched = self.watched.lock();
        let sender = watched
            .entry(uid)
            .or_insert_with(|| watch::channel(News::default()).0);
        Subscription {
            uid,
            hub: self.clone(),
            receiver: Some(sender.subscribe()),
        }
    }

    /// Tells the watchers of an execution, if there are any.
    pub(super) fn tell(&self, news: impl Iterator<Item = (ExecutionUid, News)>) {
        let watched = self.watched.lock();
        if watched.is_empty() {
            return;
        }
        for (uid, news) in news {
            if let Some(sender) = watched.get(&uid) {
                sender.send_replace(news);
            }
        }
    }
}

impl Subscription {
    /// Waits for the next news. Several commits in between come as one.
    pub async fn next(&mut self) -> News {
        let receiver = self.receiver.as_mut();
        let receiver = receiver.expect("a subscription has its receiver until it is dropped");
        // The sender lives as long as a subscription does, so this cannot fail.
        let _ = receiver.changed().await;
        *receiver.borrow_and_update()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watched = self.hub.watched.lock();
        // Under the lock, so that of two that are dropped at once the second sees that the first
        // has gone.
        self.receiver = None;
        if watched
            .get(&self.uid)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            watched.remove(&self.uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::clock;

    #[test]
    fn subscriptions_that_end_together_leave_nothing_behind() {
        let hub = Arc::new(Hub::default());
        let uid = clock::new_uid();
        for _ in 0..500 {
            let barrier = Barrier::new(2);
            let pair = [hub.subscribe(uid), hub.subscribe(uid)];
            std::thread::scope(|scope| {
                for one in pair {
                    scope.spawn(|| {
                        let one = one;
                        barrier.wait();
                        drop(one);
                    });
                }
            });
            assert!(hub.watched.lock().is_empty());
        }
    }

    #[tokio::test]
    async fn the_last_subscription_keeps_the_news_coming() {
        let hub = Arc::new(Hub::default());
        let uid = clock::new_uid();
        let (first, mut second) = (hub.subscribe(uid), hub.subscribe(uid));
        drop(first);
        let news = News {
            last_sequence: 3,
            ..News::default()
        };
        hub.tell([(uid, news)].into_iter());
        assert_eq!(second.next().await, news);
        drop(second);
        assert!(hub.watched.lock().is_empty());
    }
}
