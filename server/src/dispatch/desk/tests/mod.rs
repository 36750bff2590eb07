//! The rules of handing out work, in a time of its own.

mod leases;
mod sharing;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{ActionId, Data, Delivery, Dispatch, ExecutionUid, LeaseEnd, Runner, TaskId};
use uuid::Uuid;

use super::*;
use crate::dispatch::Config;

const SECOND: i64 = 1_000_000;

/// A desk, its time, and what it wants to be done.
struct Bench {
    desk: Desk,
    now_us: i64,
    effects: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        Self {
            desk: Desk::new(&Config::default(), Key::new(b"test"), 1 << 20),
            now_us: 1_000 * SECOND,
            effects: Vec::new(),
        }
    }

    fn action(number: u32) -> ActionId {
        Self::action_of(1, number)
    }

    fn action_of(execution: u128, number: u32) -> ActionId {
        let execution = ExecutionUid(Uuid::from_u128(execution));
        let task = TaskId {
            execution,
            number: 1,
        };
        ActionId { task, number }
    }

    fn dispatch(&self, action: ActionId, name: &str) -> Dispatch {
        Dispatch {
            action,
            name: name.into(),
            input: Data::parse(r#"{"n": 1}"#).unwrap(),
            created_us: self.now_us,
            attempt: 1,
            timeout_s: None,
            times: engine::CallTimes::default(),
            priority: 0,
            target: None,
            version: None,
            affinity: None,
            runner: Runner::Worker,
            root: action.task.execution,
            index: 0,
            lease: None,
            progress: None,
            delivery: Delivery::First,
            is_repeatable: true,
            project: "default".into(),
            workflow_name: "w".into(),
            task_name: "t".into(),
        }
    }

    fn offer(&mut self, number: u32) {
        let dispatch = self.dispatch(Self::action(number), "act");
        self.desk.offer(dispatch, self.now_us);
    }

    fn opening(worker: u8, queue: &str, actions: &[&str], credits: u32) -> Opening {
        Self::opening_with(worker, queue, actions, credits, Provided::default())
    }

    fn opening_with(
        worker: u8,
        queue: &str,
        actions: &[&str],
        credits: u32,
        provided: Provided,
    ) -> Opening {
        let provided = Arc::new(provided);
        let actions = actions.iter().map(|name| Offered {
            name: Arc::from(*name),
            version: Arc::default(),
            provided: provided.clone(),
        });
        Opening {
            worker: WorkerKey {
                project: "default".into(),
                id: format!("worker-{worker}").into(),
            },
            identity: Identity::default(),
            subscriptions: vec![Subscription {
                queue: queue.into(),
                actions: actions.collect(),
                credits,
            }],
            tasks_max: u32::MAX,
            bytes_max: 0,
            is_stream: true,
        }
    }

    fn open(&mut self, worker: u8, credits: u32) -> SessionId {
        let opening = Self::opening(worker, "default", &["act"], credits);
        self.desk.open(&opening, self.now_us)
    }

    /// Lets time pass, doing what is due on the way.
    fn pass(&mut self, micros: i64) {
        let end = self.now_us + micros;
        while let Some(due) = self.desk.next_due_us().filter(|due| *due <= end) {
            self.now_us = self.now_us.max(due);
            self.desk.tick(self.now_us);
        }
        self.now_us = end;
    }

    /// Numbers of the actions that a session was sent, which it accepts; with their tokens.
    fn take(&mut self, session: SessionId) -> Vec<(u32, String)> {
        let offers = self.sent(session);
        for (_, token) in &offers {
            self.desk.accept(session, token, self.now_us);
        }
        offers
    }

    /// Numbers of the actions that a session was sent, which it leaves alone.
    fn sent(&mut self, session: SessionId) -> Vec<(u32, String)> {
        let outbox = self.desk.collect(session);
        let tasks = outbox.tasks.into_iter();
        tasks
            .map(|offer| (offer.dispatch.action.number, offer.token))
            .collect()
    }

    fn numbers(offers: &[(u32, String)]) -> Vec<u32> {
        offers.iter().map(|(number, _)| *number).collect()
    }

    /// What the desk wants to be done, but for waking sessions and keeping what workers provide.
    fn wants(&mut self) -> Vec<String> {
        self.effects.extend(self.desk.effects());
        let wants = std::mem::take(&mut self.effects)
            .into_iter()
            .filter_map(|effect| {
                Some(match effect {
                    Effect::Wake(_) | Effect::Announce(_) => return None,
                    Effect::Hold {
                        action, confirm, ..
                    } => {
                        format!(
                            "hold {}{}",
                            action.number,
                            if confirm { " first" } else { "" }
                        )
                    }
                    Effect::Lost { action, loss, .. } => format!("lost {} {loss:?}", action.number),
                    Effect::End {
                        action,
                        outcome,
                        report,
                    } => {
                        let Outcome::Error(error) = outcome else {
                            unreachable!()
                        };
                        let by = if report.is_some() { "worker" } else { "nobody" };
                        format!("end {} of {by}: {}", action.number, error.value().to_text())
                    }
                })
            });
        wants.collect()
    }

    fn end(&mut self, token: &str) -> Result<(), LeaseEnd> {
        match self.desk.ending(token, self.now_us) {
            Ending::Write(action, _) => {
                self.desk.finished(action, Finished::Done, self.now_us);
                Ok(())
            }
            Ending::Ask(..) => Err(LeaseEnd::Unknown),
            Ending::Lost(why) => Err(why),
        }
    }

    #[track_caller]
    fn is_empty(&self) {
        assert!(self.desk.tasks.is_empty(), "tasks are left");
        assert_eq!(self.desk.pending.routes().count(), 0, "tasks wait");
        for (key, queue) in &self.desk.queues {
            assert_eq!((queue.leased, queue.gate.leased), (0, 0), "{key:?}");
        }
        for (key, worker) in &self.desk.workers {
            assert_eq!(worker.leased, 0, "{key:?}");
        }
        let left = self.desk.timers.iter();
        let left: Vec<_> = left
            .filter(|(_, timer)| matches!(timer, Timer::Task(_)))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
