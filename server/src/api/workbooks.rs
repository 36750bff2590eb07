//! `WorkbookService`: bundles of workflows and ad-hoc actions that are applied as one.

use definition::Kind;
use proto::v1;
use proto::v1::workbook_service_server::WorkbookService;
use store::{ApplyMode, DefinitionName, Entity, Reader, WorkbookRow};
use tonic::{Request, Response, Status};

use super::context::Shared;
use super::convert::definition::wire_workbook;
use super::convert::field;
use super::deletion::{self, Order};
use super::fault::Fault;
use super::idempotency;
use super::page::Paging;
use super::submission::{self, DocumentRequest, Submission};
use crate::driver;

/// The service.
pub(super) struct Workbooks(pub(super) Shared);

#[tonic::async_trait]
impl WorkbookService for Workbooks {
    async fn create_workbook(
        &self,
        request: Request<v1::CreateWorkbookRequest>,
    ) -> Result<Response<v1::CreateWorkbookResponse>, Status> {
        let request = request.into_inner();
        let modes = (ApplyMode::Create, ApplyMode::Create);
        let submission = request.submission(Kind::Workbook, modes)?;
        let (workbook, warnings) = self.submit(submission).await?;
        Ok(Response::new(v1::CreateWorkbookResponse {
            workbook,
            warnings,
        }))
    }

    async fn update_workbook(
        &self,
        request: Request<v1::UpdateWorkbookRequest>,
    ) -> Result<Response<v1::UpdateWorkbookResponse>, Status> {
        let request = request.into_inner();
        // Members may be new; the workbook itself may not.
        let modes = (ApplyMode::Upsert, ApplyMode::Update);
        let submission = request.submission(Kind::Workbook, modes)?;
        let (workbook, warnings) = self.submit(submission).await?;
        Ok(Response::new(v1::UpdateWorkbookResponse {
            workbook,
            warnings,
        }))
    }

    async fn get_workbook(
        &self,
        request: Request<v1::GetWorkbookRequest>,
    ) -> Result<Response<v1::GetWorkbookResponse>, Status> {
        Ok(Response::new(self.get(request.into_inner()).await?))
    }

    async fn list_workbooks(
        &self,
        request: Request<v1::ListWorkbooksRequest>,
    ) -> Result<Response<v1::ListWorkbooksResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn delete_workbook(
        &self,
        request: Request<v1::DeleteWorkbookRequest>,
    ) -> Result<Response<v1::DeleteWorkbookResponse>, Status> {
        let request = request.into_inner();
        let key = idempotency::key(&request)?;
        let names = (&*request.project, &*request.namespace, &*request.name);
        let order = Order::new(Entity::Workbook, names, &request.etag, key)?;
        let order = Order {
            allow_missing: request.allow_missing,
            ..order
        };
        deletion::delete(&self.0, order).await?;
        Ok(Response::new(v1::DeleteWorkbookResponse {}))
    }
}

impl Workbooks {
    async fn submit(
        &self,
        submission: Submission,
    ) -> Result<(Option<v1::Workbook>, Vec<v1::Diagnostic>), Fault> {
        let accepted = submission::submit(&self.0, submission).await?;
        let row = accepted.applied.workbook;
        Ok((
            row.map(|row| wire_workbook(&row, Some(&accepted.source))),
            accepted.warnings,
        ))
    }

    async fn get(&self, request: v1::GetWorkbookRequest) -> Result<v1::GetWorkbookResponse, Fault> {
        let project = field::project(&request.project)?;
        let namespace = field::namespace("namespace", &request.namespace)?;
        let name = field::name("name", &request.name)?;
        let full = field::full_view(request.view, true)?;
        let read = self.0.read(move |reader| {
            let row = reader.find_workbook(&project, &namespace, &name)?;
            let row = row.ok_or(Fault::WorkbookNotFound { name, namespace })?;
            wire(reader, &row, full)
        });
        Ok(v1::GetWorkbookResponse {
            workbook: Some(read.await?),
        })
    }

    async fn list(
        &self,
        request: v1::ListWorkbooksRequest,
    ) -> Result<v1::ListWorkbooksResponse, Fault> {
        let project = field::project(&request.project)?;
        let namespace = request.namespace.as_deref();
        let namespace = namespace
            .map(|text| field::namespace("namespace", text))
            .transpose()?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let read = self.0.read(move |reader| {
            let slice = reader.list_workbooks(&project, namespace.as_deref(), &paging.page)?;
            let name_of = |row: &WorkbookRow| DefinitionName {
                name: row.name.clone(),
                namespace: row.namespace.clone(),
            };
            paging.fill(slice, name_of, |row| wire(reader, &row, full))
        });
        let (workbooks, next_page_token) = read.await?;
        Ok(v1::ListWorkbooksResponse {
            workbooks,
            next_page_token,
        })
    }
}

fn wire(reader: &mut Reader, row: &WorkbookRow, full: bool) -> Result<v1::Workbook, Fault> {
    if !full {
        return Ok(wire_workbook(row, None));
    }
    let source = reader.load_source(&row.source_hash)?;
    let broken = || driver::Error::BrokenDefinition {
        name: row.name.clone(),
    };
    let source = source.ok_or_else(broken)?;
    Ok(wire_workbook(row, Some(&source.text)))
}
