//! What servers say to one another, and what is done when it is heard.

use engine::{ActionId, Caller, ExecutionUid, LeaseEnd, Verb};
use http::StatusCode;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tonic::body::Body;

use super::Cluster;
use super::outbox::Letter;
use super::peers::Unanswered;
use crate::api::reason_of;
use crate::dispatch::{DeskOrder, Dispatcher, Report, Standing};
use crate::driver::{self, DeleteOrder, Driver, RequestKey, VerbOrder};

/// To the one that hands work out: what there is to hand out, and what not any more.
pub(super) const DESK: &str = "desk";

/// To the owner of executions: what became of actions that workers run.
pub(super) const NEWS: &str = "news";

/// To the owner of an execution: how an action has ended.
pub(super) const REPORT: &str = "report";

/// To the one that hands work out: where actions are.
pub(super) const STANDING: &str = "standing";

/// To the owner of an execution: a change that one server makes for all.
pub(super) const CHANGE: &str = "change";

/// A change of an execution that one server makes for all, such as a batch operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    /// A verb.
    Verb(Verb),
    /// Its deletion.
    Delete {
        /// In any state.
        force: bool,
    },
}

/// Which change is made, by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChangeOrder {
    /// Of which execution.
    pub(crate) uid: ExecutionUid,
    /// What.
    pub(crate) change: Change,
    /// By whom, why.
    pub(crate) caller: Caller,
    /// What makes it the same as an earlier one.
    pub(crate) request: Option<RequestKey>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Changed {
    /// It is durable.
    Done,
    /// The execution does not allow it, or is not there.
    Skipped,
    /// It may be made later.
    Again,
    /// It cannot be made.
    Failed {
        /// Name of the reason.
        reason: String,
        /// For people.
        message: String,
    },
}

impl Changed {
    fn of(result: Result<(), driver::Error>) -> Self {
        use driver::Error as E;
        match result {
            Ok(()) => Self::Done,
            Err(
                E::ExecutionNotFound { .. }
                | E::NotFinished { .. }
                | E::Engine(
                    engine::Error::ExecutionState { .. }
                    | engine::Error::AncestorState { .. }
                    | engine::Error::NothingToRerun { .. }
                    | engine::Error::RollbackUnfinished { .. }
                    | engine::Error::RollbackOfChild { .. },
                ),
            ) => Self::Skipped,
            Err(E::Store(_) | E::Overloaded | E::ShuttingDown | E::Undone | E::NotOwner { .. }) => {
                Self::Again
            }
            Err(other) => Self::Failed {
                message: other.to_string(),
                reason: reason_of(other),
            },
        }
    }
}

async fn change_here(driver: &Driver, order: ChangeOrder) -> Changed {
    let ChangeOrder {
        uid,
        change,
        caller,
        request,
    } = order;
    Changed::of(match change {
        Change::Verb(verb) => {
            let order = VerbOrder::new(uid, verb, caller);
            driver.verb(order, request).await.map(drop)
        }
        Change::Delete { force } => {
            let order = DeleteOrder { uid, force, caller };
            driver.delete(order, request).await
        }
    })
}

/// How an action has ended, as a worker says it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reported {
    pub(super) action: ActionId,
    pub(super) lease: Box<engine::Lease>,
    pub(super) report: Report,
}

/// What became of a report.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ReportAnswer {
    /// It is durable.
    Done,
    /// The lease counts for nothing.
    LeaseLost(LeaseEnd),
    /// There is no such action that workers run.
    Unknown,
    /// Another server owns the execution.
    NotOwner(i16),
    /// It may be taken if it is sent again.
    Failed(String),
}

impl ReportAnswer {
    fn of(result: Result<(), driver::Error>) -> Self {
        use driver::Error as E;
        match result {
            Ok(()) => Self::Done,
            Err(E::Engine(engine::Error::LeaseLost { why, .. })) => Self::LeaseLost(why),
            Err(
                E::ExecutionNotFound { .. }
                | E::Engine(
                    engine::Error::TaskNotFound { .. }
                    | engine::Error::ActionNotFound { .. }
                    | engine::Error::ActionNotExternal,
                ),
            ) => Self::Unknown,
            Err(E::NotOwner { shard }) => Self::NotOwner(shard),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    /// The same for the server that has asked.
    pub(super) fn into_result(self, action: ActionId) -> Result<(), driver::Error> {
        use driver::Error as E;
        match self {
            Self::Done => Ok(()),
            Self::LeaseLost(why) => Err(E::Engine(engine::Error::LeaseLost {
                number: action.number,
                why,
            })),
            Self::Unknown => Err(E::Engine(engine::Error::ActionNotFound {
                number: action.number,
            })),
            Self::NotOwner(shard) => Err(E::NotOwner { shard }),
            Self::Failed(text) => {
                tracing::warn!("a report was not taken by the owner: {text}");
                Err(E::Undone)
            }
        }
    }
}

impl Cluster {
    /// Answers another server.
    pub(crate) async fn answer(&self, request: http::Request<Body>) -> http::Response<Body> {
        let answered = match (self.peers().hear(request).await, self.hands()) {
            (Some((what, document)), Some((driver, dispatcher))) => {
                act(self, driver, dispatcher, &what, &document).await
            }
            // Nobody who may speak here.
            _ => Err(StatusCode::FORBIDDEN),
        };
        let (status, document) = match answered {
            Ok(document) => (StatusCode::OK, document),
            Err(status) => (status, Vec::new()),
        };
        let mut response = http::Response::new(Body::new(Full::new(document.into())));
        *response.status_mut() = status;
        response
    }
}

async fn act(
    cluster: &Cluster,
    driver: &Driver,
    dispatcher: &Dispatcher,
    what: &str,
    document: &[u8],
) -> Result<Vec<u8>, StatusCode> {
    match what {
        DESK => {
            if !cluster.map().is_desk() {
                return Err(StatusCode::MISDIRECTED_REQUEST);
            }
            dispatcher.take(read(document)?);
            write(&())
        }
        STANDING => {
            let actions: Vec<ActionId> = read(document)?;
            let found = actions.iter().map(|action| dispatcher.standing(*action));
            write(&found.collect::<Vec<Option<Standing>>>())
        }
        NEWS => {
            let news: Vec<Letter> = read(document)?;
            for (_, action, news) in news {
                // What is not owned any more goes on from the lane.
                driver.worker_news_here(action, news);
            }
            write(&())
        }
        REPORT => {
            let Reported {
                action,
                lease,
                report,
            } = read(document)?;
            let taken = driver.worker_report_here(action, lease, report).await;
            write(&ReportAnswer::of(taken))
        }
        CHANGE => write(&change_here(driver, read(document)?).await),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

fn read<'a, T: Deserialize<'a>>(document: &'a [u8]) -> Result<T, StatusCode> {
    serde_json::from_slice(document).map_err(|error| {
        tracing::error!("another server says what is not understood: {error}");
        StatusCode::BAD_REQUEST
    })
}

fn write(answer: &impl Serialize) -> Result<Vec<u8>, StatusCode> {
    serde_json::to_vec(answer).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

impl Cluster {
    /// Gives orders to the one that hands work out.
    pub(super) async fn order(&self, orders: &[DeskOrder]) -> Result<(), Unanswered> {
        let map = self.map();
        match map.desk() {
            Some(peer) if !map.is_desk() => self.peers().ask(peer, DESK, &orders).await,
            _ => Ok(()),
        }
    }

    /// Where actions are that workers run, as the one that hands work out knows; none if it cannot
    /// be asked.
    pub(crate) async fn standings(&self, actions: &[ActionId]) -> Vec<Option<Standing>> {
        let map = self.map();
        let asked = match map.desk() {
            Some(peer) if !map.is_desk() => self.peers().ask(peer, STANDING, &actions).await,
            _ => Ok(Vec::new()),
        };
        let mut found = asked.unwrap_or_else(|error| {
            tracing::warn!("where actions are is not known: {error}");
            Vec::new()
        });
        found.resize_with(actions.len(), || None);
        found
    }

    /// Makes a change where the execution is owned.
    pub(crate) async fn change(&self, driver: &Driver, order: ChangeOrder) -> Changed {
        let map = self.map();
        let shard = driver.owned().named_by(order.uid);
        let uid = order.uid;
        let located = driver.read(move |reader| reader.locate(uid)).await;
        let shard = located.ok().flatten().map_or(shard, |key| key.shard);
        match map.owner(shard) {
            Some(peer) if peer.seat != map.me() => {
                let answered = self.peers().ask(peer, CHANGE, &order).await;
                answered.unwrap_or_else(|error| {
                    tracing::warn!("{uid} is changed later: {error}");
                    Changed::Again
                })
            }
            _ => change_here(driver, order).await,
        }
    }

    /// Reports the end of an action to the owner of its execution.
    pub(crate) async fn report(
        &self,
        shard: i16,
        action: ActionId,
        lease: Box<engine::Lease>,
        report: Report,
    ) -> Result<(), driver::Error> {
        let map = self.map();
        let not_there = || driver::Error::NotOwner { shard };
        let owner = map.owner(shard).filter(|peer| peer.seat != map.me());
        let owner = owner.ok_or_else(not_there)?;
        let reported = Reported {
            action,
            lease,
            report,
        };
        match self
            .peers()
            .ask::<_, ReportAnswer>(owner, REPORT, &reported)
            .await
        {
            Ok(answer) => answer.into_result(action),
            Err(error) => {
                tracing::warn!("the end of {action} was not reported to its owner: {error}");
                Err(not_there())
            }
        }
    }
}
