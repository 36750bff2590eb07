//! `SystemService`: what the server is and how far it goes.

use std::collections::BTreeMap;

use proto::v1;
use proto::v1::system_service_server::SystemService;
use tonic::{Request, Response, Status};

use super::context::{Context, Shared};
use super::convert::field;
use super::{REQUEST_BYTES_MAX, page, wait};
use crate::clock;

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
