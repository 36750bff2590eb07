//! The gRPC API: assembles the services and the layers round them, and serves until told to stop.
//!
//! A handler converts, calls the driver or the store, and converts back. Types of tonic stop here:
//! refusals are `fault`, and become statuses in `status` only.
//!
//! | file                                            | owns                                  |
//! |-------------------------------------------------|---------------------------------------|
//! | `workflows`, `workbooks`, `actions`, `environments`, `executions`, `tasks`, `system` | one |
//! |                                                 | service each                          |
//! | `run_action`, `expressions`, `definitions`, `built_in` | parts of these services        |
//! | `explain`, `graph`, `history`                   | looking into executions               |
//! | `watch`, `watch_many`, `batch`, `events`, `wait` | streams and waiting                  |
//! | `submission`, `deletion`, `idempotency`, `caller` | documents, repeated requests, senders |
//! | `convert`, `filter`, `page`, `lookup`           | what handlers are made of             |
//! | `fault`, `status`                               | refusals                              |
//! | `health`                                        | whether the server is ready           |

mod actions;
mod answer;
mod batch;
mod batches;
mod built_in;
mod caller;
mod context;
mod convert;
mod definitions;
mod deletion;
mod environments;
mod events;
mod executions;
mod explain;
mod expressions;
mod fault;
mod filter;
mod graph;
mod health;
mod history;
mod idempotency;
mod lookup;
mod outlet;
mod page;
mod run_action;
pub(crate) mod status;
mod submission;
mod system;
mod tasks;
mod wait;
mod watch;
mod watch_many;
mod workbooks;
mod workers;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use proto::v1::action_service_server::ActionServiceServer;
use proto::v1::environment_service_server::EnvironmentServiceServer;
use proto::v1::execution_service_server::ExecutionServiceServer;
use proto::v1::system_service_server::SystemServiceServer;
use proto::v1::task_service_server::TaskServiceServer;
use proto::v1::workbook_service_server::WorkbookServiceServer;
use proto::v1::worker_admin_service_server::WorkerAdminServiceServer;
use proto::v1::worker_service_server::WorkerServiceServer;
use proto::v1::workflow_service_server::WorkflowServiceServer;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_reflection::server::Builder;

use crate::{driver, middleware};

pub use context::Context;

use actions::Actions;
use environments::Environments;
use executions::Executions;
use health::Health;
use system::System;
use tasks::Tasks;
use workbooks::Workbooks;
use workers::{WorkerAdmin, Workers};
use workflows::Workflows;

/// Longest request; what gRPC servers take unless told otherwise.
pub(crate) const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Calls and streams that one connection may have open.
const STREAMS_PER_CONNECTION_MAX: u32 = 4096;

/// How often a silent connection is asked whether it is alive, and how long for an answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long streams get to say their last message when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(20);

/// How long calls under way get to finish after that, before their connections are left.
const FINISH_MAX: Duration = Duration::from_secs(5);

/// The name of the reason for which a request was refused.
pub(crate) fn reason_of(error: driver::Error) -> String {
    status::reason_of(&fault::Fault::Driver(error))
}

/// The API can no longer be served.
#[derive(Debug, thiserror::Error)]
#[error("the API has failed: {0}")]
pub struct Error(#[from] tonic::transport::Error);

/// Serves the API until the context's `stop`, and then until everything is answered or time is up.
pub async fn serve(listener: TcpListener, context: Context) -> Result<(), Error> {
    let (health, routes) = routes(&context).await;
    let drained = CancellationToken::new();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = Server::builder()
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        // No age of connections: streams end by themselves, with a message that says so.
        .layer(middleware::stack(context.cluster.clone()))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, drained.clone().cancelled_owned());
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        result = &mut serving => return Ok(result?),
        () = drain(&context, &health) => drained.cancel(),
    }
    // Connections are told that no new calls are taken; those under way finish.
    let Ok(result) = timeout(FINISH_MAX, serving).await else {
        tracing::warn!("calls were still open when the server stopped");
        return Ok(());
    };
    Ok(result?)
}

/// Waits for the stop, then takes leave in order: first of whoever looks at the health, then of
/// the streams, in band, because a proxy may keep the signals of HTTP to itself.
async fn drain(context: &Context, health: &Health) {
    health.follow(context).await;
    tracing::info!("stopping: streams are told to go elsewhere");
    context.going_away.cancel();
    context.streams.close();
    if timeout(DRAIN_MAX, context.streams.wait()).await.is_err() {
        tracing::warn!("streams were still open when their time was up");
    }
}

/// All services, with health and reflection.
async fn routes(context: &Context) -> (Health, Routes) {
    let (health, health_service) = Health::new().await;
    let shared = Arc::new(context.clone());
    take_up_batches(&shared).await;
    let actions = ActionServiceServer::new(Actions(shared.clone()));
    let environments = EnvironmentServiceServer::new(Environments(shared.clone()));
    let executions = ExecutionServiceServer::new(Executions(shared.clone()));
    let tasks = TaskServiceServer::new(Tasks(shared.clone()));
    let workflows = WorkflowServiceServer::new(Workflows(shared.clone()));
    let workbooks = WorkbookServiceServer::new(Workbooks(shared.clone()));
    let workers = WorkerServiceServer::new(Workers(shared.clone()));
    let worker_admin = WorkerAdminServiceServer::new(WorkerAdmin(shared.clone()));
    let system = SystemServiceServer::new(System(shared));
    let described = "the descriptors are checked in with the stubs";
    let routes = Routes::new(health_service)
        .add_service(actions.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(environments.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(executions.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(tasks.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(workers.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(worker_admin.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(workflows.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(workbooks.max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(system.max_decoding_message_size(REQUEST_BYTES_MAX))
        // Older tools ask by the older name.
        .add_service(reflection().build_v1().expect(described))
        .add_service(reflection().build_v1alpha().expect(described));
    (health, routes.prepare())
}

/// Goes on with batch operations: one server does it for all, and another one when that has gone.
async fn take_up_batches(context: &context::Shared) {
    if context.cluster.map().is_desk() {
        batches::take_up(context).await;
        return;
    }
    let context = context.clone();
    tokio::spawn(async move {
        let mut maps = context.cluster.maps();
        let is_turn = maps.wait_for(|map| map.is_desk());
        let is_turn = async { is_turn.await.is_ok() };
        let turn = context.going_away.run_until_cancelled(is_turn).await;
        if turn == Some(true) {
            batches::take_up(&context).await;
        }
    });
}

fn reflection() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}

#[cfg(test)]
mod tests;
