//! What the health service says: whether the server is ready, as it is with its database.

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
use tokio::time::{MissedTickBehavior, interval};
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as Contract, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use super::actions::Actions;
use super::context::Context;
use super::environments::Environments;
use super::executions::Executions;
use super::system::System;
use super::tasks::Tasks;
use super::workbooks::Workbooks;
use super::workers::{WorkerAdmin, Workers};
use super::workflows::Workflows;

/// Name under which it is said whether the process is alive, ready or not.
const LIVENESS: &str = "liveness";

/// Names of the services, whose health is that of the server.
const SERVICES: [&str; 10] = [
    // The empty name is the server as a whole: its readiness.
    "",
    ActionServiceServer::<Actions>::NAME,
    EnvironmentServiceServer::<Environments>::NAME,
    ExecutionServiceServer::<Executions>::NAME,
    SystemServiceServer::<System>::NAME,
    TaskServiceServer::<Tasks>::NAME,
    WorkbookServiceServer::<Workbooks>::NAME,
    WorkerAdminServiceServer::<WorkerAdmin>::NAME,
    WorkerServiceServer::<Workers>::NAME,
    WorkflowServiceServer::<Workflows>::NAME,
];

/// How often it is looked how it is with the database. A write that hangs tells nobody that it
/// does.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long a write may take before the server counts as not ready.
const WRITE_MAX: Duration = Duration::from_secs(2);

/// What the health service says.
pub(super) struct Health(HealthReporter);

impl Health {
    /// Begins with a server that is ready; gives the service that says so.
    pub(super) async fn new() -> (Self, HealthServer<impl Contract>) {
        let (reporter, service) = health_reporter();
        reporter
            .set_service_status(LIVENESS, ServingStatus::Serving)
            .await;
        let health = Self(reporter);
        health.say(ServingStatus::Serving).await;
        (health, service)
    }

    /// Says how it is until the server is to stop, and from then on that it is not ready.
    ///
    /// It is not while its database does not take what is written, or others may own what this
    /// server owned: calls would be refused. It is alive all the same, and goes on by itself.
    pub(super) async fn follow(&self, context: &Context) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_ready = true;
        while context
            .stop
            .run_until_cancelled(ticks.tick())
            .await
            .is_some()
        {
            let is_ready =
                context.driver.pulse().is_well(WRITE_MAX) && !context.cluster.lease().is_over();
            if is_ready == was_ready {
                continue;
            }
            was_ready = is_ready;
            if is_ready {
                tracing::info!("ready again");
                self.say(ServingStatus::Serving).await;
            } else {
                tracing::warn!("not ready: the database does not take what is written");
                self.say(ServingStatus::NotServing).await;
            }
        }
        self.say(ServingStatus::NotServing).await;
    }

    async fn say(&self, status: ServingStatus) {
        for service in SERVICES {
            self.0.set_service_status(service, status).await;
        }
    }
}
