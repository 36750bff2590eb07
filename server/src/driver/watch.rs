//! News for watchers: that something was committed. What it was, they read from the store, so a
//! slow watcher costs no memory here.

use std::collections::HashMap;
use std::sync::Arc;

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
#[derive(Default)]
pub struct Hub {
    watched: Mutex<HashMap<ExecutionUid, watch::Sender<News>>>,
}

/// News of one execution; ends with it.
pub struct Subscription {
    uid: ExecutionUid,
    hub: Arc<Hub>,
    receiver: watch::Receiver<News>,
}

impl Hub {
    pub(super) fn subscribe(self: &Arc<Self>, uid: ExecutionUid) -> Subscription {
        let mut watched = self.watched.lock();
        let sender = watched
            .entry(uid)
            .or_insert_with(|| watch::channel(News::default()).0);
        Subscription {
            uid,
            hub: self.clone(),
            receiver: sender.subscribe(),
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
        // The sender lives as long as a subscription does, so this cannot fail.
        let _ = self.receiver.changed().await;
        *self.receiver.borrow_and_update()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watched = self.hub.watched.lock();
        // The last of an execution's subscriptions is this one, which still counts.
        if watched
            .get(&self.uid)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            watched.remove(&self.uid);
        }
    }
}
