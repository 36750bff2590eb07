//! `SystemService`: what the server is and how far it goes.

use std::collections::BTreeMap;

use proto::v1;
use proto::v1::system_service_server::SystemService;
use store::{ClusterView, Seat, ServerState};
use tonic::{Request, Response, Status};

use super::context::{Context, Shared};
use super::convert::field;
use super::{REQUEST_BYTES_MAX, page, wait};
use crate::clock;
use crate::cluster::Map;

/// What the server can do beyond the first version of the API. Nothing yet.
const CAPABILITIES: [&str; 0] = [];

/// The service.
pub(super) struct System(pub(super) Shared);

#[tonic::async_trait]
impl SystemService for System {
    async fn get_server_info(
        &self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::GetServerInfoResponse>, Status> {
        field::project(&request.into_inner().project)?;
        Ok(Response::new(v1::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
            limits: limits(&self.0),
            start_time: Some(field::timestamp(self.0.started_us)),
            current_time: Some(field::timestamp(clock::now_us())),
            storage: self.0.storage.to_owned(),
            audit_violations: count(self.0.driver.audit().violations()),
            audit_failures: count(self.0.driver.audit().failures()),
        }))
    }

    async fn get_cluster(
        &self,
        _request: Request<v1::GetClusterRequest>,
    ) -> Result<Response<v1::GetClusterResponse>, Status> {
        let read = self.0.read(|reader| Ok(reader.cluster()?)).await?;
        Ok(Response::new(match read {
            Some(view) => cluster(self.0.cluster.map().me(), &view),
            None => alone(&self.0),
        }))
    }
}

/// The servers that share a database, as they are known in it.
fn cluster(me: Seat, view: &ClusterView) -> v1::GetClusterResponse {
    let map = Map::new(me, view);
    let desk = map.desk().map(|peer| peer.seat);
    let count = |slot| view.shards.iter().filter(|row| row.slot == slot).count();
    let count = |slot| u32::try_from(count(slot)).unwrap_or(u32::MAX);
    let servers = view.servers.iter().map(|row| v1::ClusterServer {
        server_id: row.seat.to_string(),
        address: row.address.to_string(),
        version: row.version.to_string(),
        state: match row.state {
            ServerState::Live => v1::ServerState::Live,
            ServerState::Left => v1::ServerState::Left,
            ServerState::Fenced => v1::ServerState::Fenced,
        }
        .into(),
        start_time: Some(field::timestamp(row.started_us)),
        shards: count(Some(row.seat.slot)),
        hands_out_work: desk == Some(row.seat),
        answers: row.seat == me,
    });
    v1::GetClusterResponse {
        servers: servers.collect(),
        shards: u32::try_from(view.shards.len()).unwrap_or(u32::MAX),
        free_shards: count(None),
    }
}

/// A server that has its database for itself.
fn alone(context: &Context) -> v1::GetClusterResponse {
    v1::GetClusterResponse {
        servers: vec![v1::ClusterServer {
            server_id: Seat::default().to_string(),
            address: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: v1::ServerState::Live.into(),
            start_time: Some(field::timestamp(context.started_us)),
            shards: 1,
            hands_out_work: true,
            answers: true,
        }],
        shards: 1,
        free_shards: 0,
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Limits by name; the last word of a name before `max` is its unit.
fn limits(context: &Context) -> BTreeMap<String, i64> {
    let limits = &context.limits;
    let wait_ms = usize::try_from(wait::WAIT_MAX.as_millis()).unwrap_or(usize::MAX);
    let all = [
        ("request_bytes_max", REQUEST_BYTES_MAX),
        ("payload_bytes_max", limits.payload_bytes_max),
        ("definition_bytes_max", limits.definition_bytes_max),
        ("page_bytes_max", page::BYTES_MAX),
        ("page_rows_max", page::SIZE_MAX as usize),
        ("name_bytes_max", field::NAME_BYTES_MAX),
        ("text_bytes_max", field::TEXT_BYTES_MAX),
        ("labels_max", field::LABELS_MAX),
        ("wait_ms_max", wait_ms),
        (
            "tasks_per_execution_max",
            limits.tasks_per_execution_max as usize,
        ),
        ("items_per_task_max", limits.items_per_task_max as usize),
        ("nesting_max", limits.nesting_max as usize),
        (
            "single_action_timeout_s",
            usize::try_from(limits.single_action_timeout.0.as_secs()).unwrap_or(usize::MAX),
        ),
    ];
    let entries = all.into_iter();
    entries
        .map(|(name, limit)| (name.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX)))
        .collect()
}
