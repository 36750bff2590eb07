//! `WorkflowService`: definitions, kept as immutable revisions, and single expressions.

use definition::Kind;
use proto::v1;
use proto::v1::workflow_service_server::WorkflowService;
use store::{ApplyMode, DefinitionKind, DefinitionRow, Entity};
use tonic::{Request, Response, Status};

use super::context::Shared;
use super::convert::definition::{document_kind, wire_workflow};
use super::convert::field;
use super::definitions::{self, Family, Place, Selection};
use super::deletion::{self, Order};
use super::fault::Fault;
use super::page::Paging;
use super::submission::{self, DocumentRequest};
use super::{expressions, idempotency};
use crate::driver;

/// The service.
pub(super) struct Workflows(pub(super) Shared);

/// Workflows as definitions.
struct OfWorkflows;

impl Family for OfWorkflows {
    const KIND: DefinitionKind = DefinitionKind::Workflow;

    type Wire = v1::Workflow;

    fn wire(row: &DefinitionRow, source: Option<&str>) -> v1::Workflow {
        wire_workflow(row, source)
    }

    fn not_found(place: &Place, revision: Option<i32>) -> Fault {
        Fault::Driver(driver::Error::WorkflowNotFound {
            name: place.name.clone(),
            namespace: place.namespace.clone(),
            revision,
        })
    }
}

#[tonic::async_trait]
impl WorkflowService for Workflows {
    async fn create_workflow(
        &self,
        request: Request<v1::CreateWorkflowRequest>,
    ) -> Result<Response<v1::CreateWorkflowResponse>, Status> {
        let request = request.into_inner();
        let mode = submission::creation(request.allow_existing);
        let (workflows, warnings) = self.submit(request, mode).await?;
        Ok(Response::new(v1::CreateWorkflowResponse {
            workflows,
            warnings,
        }))
    }

    async fn update_workflow(
        &self,
        request: Request<v1::UpdateWorkflowRequest>,
    ) -> Result<Response<v1::UpdateWorkflowResponse>, Status> {
        let request = request.into_inner();
        let (workflows, warnings) = self.submit(request, ApplyMode::Update).await?;
        Ok(Response::new(v1::UpdateWorkflowResponse {
            workflows,
            warnings,
        }))
    }

    async fn get_workflow(
        &self,
        request: Request<v1::GetWorkflowRequest>,
    ) -> Result<Response<v1::GetWorkflowResponse>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_workflows(
        &self,
        request: Request<v1::ListWorkflowsRequest>,
    ) -> Result<Response<v1::ListWorkflowsResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn list_workflow_revisions(
        &self,
        request: Request<v1::ListWorkflowRevisionsRequest>,
    ) -> Result<Response<v1::ListWorkflowRevisionsResponse>, Status> {
        let request = request.into_inner();
        let place = Place::new(&request.project, &request.namespace, &request.name)?;
        let full = field::full_view(request.view, false)?;
        let listed = definitions::list_revisions::<OfWorkflows>(&self.0, place, &request, full);
        let (workflows, next_page_token) = listed.await?;
        Ok(Response::new(v1::ListWorkflowRevisionsResponse {
            workflows,
            next_page_token,
        }))
    }

    async fn delete_workflow(
        &self,
        request: Request<v1::DeleteWorkflowRequest>,
    ) -> Result<Response<v1::DeleteWorkflowResponse>, Status> {
        let request = request.into_inner();
        let key = idempotency::key(&request)?;
        let names = (&*request.project, &*request.namespace, &*request.name);
        let order = Order::new(Entity::Workflow, names, &request.etag, key)?;
        let order = Order {
            force: request.force,
            allow_missing: request.allow_missing,
            ..order
        };
        deletion::delete(&self.0, order).await?;
        Ok(Response::new(v1::DeleteWorkflowResponse {}))
    }

    async fn validate_workflow(
        &self,
        request: Request<v1::ValidateWorkflowRequest>,
    ) -> Result<Response<v1::ValidateWorkflowResponse>, Status> {
        let request = request.into_inner();
        let kind = document_kind(field::known("kind", request.kind)?);
        let validated = submission::validate(&self.0, request.source, kind, request.strict);
        let (valid, diagnostics) = validated.await;
        Ok(Response::new(v1::ValidateWorkflowResponse {
            valid,
            diagnostics,
        }))
    }

    async fn evaluate_expression(
        &self,
        request: Request<v1::EvaluateExpressionRequest>,
    ) -> Result<Response<v1::EvaluateExpressionResponse>, Status> {
        let evaluated = expressions::evaluate(&self.0, request.into_inner());
        Ok(Response::new(evaluated.await?))
    }
}

impl Workflows {
    async fn submit(
        &self,
        request: impl DocumentRequest,
        mode: ApplyMode,
    ) -> Result<(Vec<v1::Workflow>, Vec<v1::Diagnostic>), Fault> {
        let submission = request.submission(Kind::Workflows, (mode, mode))?;
        let accepted = submission::submit(&self.0, submission).await?;
        let rows = accepted.applied.definitions.iter();
        let workflows = rows.map(|row| wire_workflow(row, Some(&accepted.source)));
        Ok((workflows.collect(), accepted.warnings))
    }

    async fn get(&self, request: v1::GetWorkflowRequest) -> Result<v1::GetWorkflowResponse, Fault> {
        let place = Place::new(&request.project, &request.namespace, &request.name)?;
        let revision = field::revision("revision", request.revision)?;
        let full = field::full_view(request.view, true)?;
        let read = self.0.read(move |reader| {
            let found = definitions::find::<OfWorkflows>(reader, &place, revision, full)?;
            found.ok_or_else(|| OfWorkflows::not_found(&place, revision))
        });
        Ok(v1::GetWorkflowResponse {
            workflow: Some(read.await?),
        })
    }

    async fn list(
        &self,
        request: v1::ListWorkflowsRequest,
    ) -> Result<v1::ListWorkflowsResponse, Fault> {
        let selection = Selection::new(request.namespace.as_deref(), &request.filter)?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let project = &request.project;
        let listed = definitions::list::<OfWorkflows>(&self.0, project, selection, paging, full);
        let (workflows, next_page_token) = listed.await?;
        Ok(v1::ListWorkflowsResponse {
            workflows,
            next_page_token,
        })
    }
}
