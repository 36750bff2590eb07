//! `WorkerAdminService`: workers and queues for those who look after them.

use std::sync::Arc;

use proto::v1;
use proto::v1::worker_admin_service_server::WorkerAdminService;
use store::{QueueRow, Slice};
use tonic::{Request, Response, Status};

use crate::api::context::Shared;
use crate::api::convert::{field, worker};
use crate::api::fault::Fault;
use crate::api::page::Paging;
use crate::clock;
use crate::dispatch::{Limits, Settings};

/// Most actions of a queue that have limits of their own.
const ACTION_LIMITS_MAX: usize = 1_000;

/// The service.
pub(in crate::api) struct WorkerAdmin(pub(in crate::api) Shared);

#[tonic::async_trait]
impl WorkerAdminService for WorkerAdmin {
    async fn list_workers(
        &self,
        request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        Ok(Response::new(self.workers(&request.into_inner())?))
    }

    async fn get_worker(
        &self,
        request: Request<v1::GetWorkerRequest>,
    ) -> Result<Response<v1::GetWorkerResponse>, Status> {
        let request = request.into_inner();
        let key = worker::key(&request.project, &request.worker_id)?;
        let view = self.0.dispatcher.worker(&key);
        let view = view.ok_or_else(|| Fault::WorkerNotFound { id: key.id })?;
        let worker = Some(worker::worker(view));
        Ok(Response::new(v1::GetWorkerResponse { worker }))
    }

    async fn list_queues(
        &self,
        request: Request<v1::ListQueuesRequest>,
    ) -> Result<Response<v1::ListQueuesResponse>, Status> {
        Ok(Response::new(self.queues(&request.into_inner())?))
    }

    async fn get_queue(
        &self,
        request: Request<v1::GetQueueRequest>,
    ) -> Result<Response<v1::GetQueueResponse>, Status> {
        let request = request.into_inner();
        let project = field::project(&request.project)?;
        let name = worker::queue(&request.queue)?;
        let queue = Some(self.queue(&project, &name)?);
        Ok(Response::new(v1::GetQueueResponse { queue }))
    }

    async fn update_queue(
        &self,
        request: Request<v1::UpdateQueueRequest>,
    ) -> Result<Response<v1::UpdateQueueResponse>, Status> {
        Ok(Response::new(self.update(request.into_inner()).await?))
    }
}

impl WorkerAdmin {
    fn workers(&self, request: &v1::ListWorkersRequest) -> Result<v1::ListWorkersResponse, Fault> {
        let project = field::project(&request.project)?;
        let paging = Paging::<Arc<str>>::of(request)?;
        let after = paging.page.after.clone().unwrap_or_else(|| "".into());
        let count = paging.page.limit as usize;
        let mut rows = self.0.dispatcher.workers(&project, &after, count + 1);
        let more = rows.len() > count;
        rows.truncate(count);
        let key = |view: &crate::dispatch::WorkerView| view.key.id.clone();
        let convert = |view| Ok::<_, Fault>(worker::worker(view));
        let (workers, next_page_token) = paging.fill(Slice { rows, more }, key, convert)?;
        Ok(v1::ListWorkersResponse {
            workers,
            next_page_token,
        })
    }

    fn queues(&self, request: &v1::ListQueuesRequest) -> Result<v1::ListQueuesResponse, Fault> {
        let project = field::project(&request.project)?;
        let paging = Paging::<Arc<str>>::of(request)?;
        let after = paging.page.after.clone().unwrap_or_else(|| "".into());
        let count = paging.page.limit as usize;
        let mut rows = self.0.dispatcher.queues(&project, &after, count + 1);
        let more = rows.len() > count;
        rows.truncate(count);
        let key = |view: &crate::dispatch::QueueView| view.name.clone();
        let convert = |view| Ok::<_, Fault>(worker::wire_queue(&view));
        let (queues, next_page_token) = paging.fill(Slice { rows, more }, key, convert)?;
        Ok(v1::ListQueuesResponse {
            queues,
            next_page_token,
        })
    }

    fn queue(&self, project: &Arc<str>, name: &Arc<str>) -> Result<v1::Queue, Fault> {
        let view = self.0.dispatcher.queue(project, name);
        let view = view.ok_or_else(|| Fault::QueueNotFound { name: name.clone() })?;
        Ok(worker::wire_queue(&view))
    }

    async fn update(
        &self,
        request: v1::UpdateQueueRequest,
    ) -> Result<v1::UpdateQueueResponse, Fault> {
        let project = field::project(&request.project)?;
        let name = worker::queue(&request.queue)?;
        // One change after the other: the writer of the store is one.
        let (settings, revision) = self.0.dispatcher.settings(&project, &name);
        if !request.etag.is_empty() && request.etag != revision.to_string() {
            return Err(etag_mismatch(&name));
        }
        let settings = changed(settings, &request)?;
        let kept = QueueRow {
            project: project.clone(),
            name: name.clone(),
            revision: revision + 1,
            settings: serde_json::to_string(&settings)
                .expect("our own types always have a JSON form")
                .into(),
            updated_us: clock::now_us(),
        };
        let written = self.0.driver.write(move |writer| {
            let known = writer.read().list_queues()?;
            let known = known
                .iter()
                .find(|row| (&row.project, &row.name) == (&kept.project, &kept.name));
            // Somebody else was faster.
            if known.map_or(0, |row| row.revision) + 1 != kept.revision {
                return Ok(false);
            }
            writer.put_queue(&kept)?;
            Ok(true)
        });
        if !written.await? {
            return Err(etag_mismatch(&name));
        }
        let dispatcher = &self.0.dispatcher;
        dispatcher.set_queue(&project, &name, settings, revision + 1);
        let queue = Some(self.queue(&project, &name)?);
        Ok(v1::UpdateQueueResponse { queue })
    }
}

/// The settings of a queue after a change.
fn changed(mut settings: Settings, request: &v1::UpdateQueueRequest) -> Result<Settings, Fault> {
    if let Some(paused) = request.paused {
        settings.paused = paused;
    }
    if let Some(limits) = &request.limits {
        settings.limits = worker::limits("limits", limits)?;
    }
    for (action, limits) in &request.action_limits {
        let action = field::name("action_limits", action)?;
        let limits = worker::limits(&format!("action_limits.{action}"), limits)?;
        if limits == Limits::default() {
            settings.actions.remove(&action);
        } else {
            settings.actions.insert(action, limits);
        }
    }
    if settings.actions.len() > ACTION_LIMITS_MAX {
        let description = format!("must leave at most {ACTION_LIMITS_MAX} limited actions");
        return Err(Fault::field("action_limits", description));
    }
    Ok(settings)
}

fn etag_mismatch(name: &Arc<str>) -> Fault {
    Fault::QueueChanged { name: name.clone() }
}
