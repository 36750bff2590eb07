//! `WorkflowService`: definitions, kept as immutable revisions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use definition::{Kind, Options};
use proto::v1;
use proto::v1::workflow_service_server::WorkflowService;
use store::{ApplyMode, DefinitionKind, DefinitionName, DefinitionRow, Entity, Reader, SourceHash};
use tonic::{Request, Response, Status};

use super::context::Shared;
use super::convert::definition::{document_kind, wire_workflow};
use super::convert::{diagnostic, field};
use super::deletion::Order;
use super::fault::Fault;
use super::page::Paging;
use super::submission::{self, Accepted, Submission};
use super::{filter, idempotency};
use crate::driver;

/// Most texts that a page keeps in memory, so as not to read them twice.
const SOURCES_MAX: usize = 100;

/// The service.
pub(super) struct Workflows(pub(super) Shared);

#[tonic::async_trait]
impl WorkflowService for Workflows {
    async fn create_workflow(
        &self,
        request: Request<v1::CreateWorkflowRequest>,
    ) -> Result<Response<v1::CreateWorkflowResponse>, Status> {
        let request = request.into_inner();
        let key = idempotency::key(&request)?;
        let mode = if request.allow_existing {
            ApplyMode::Upsert
        } else {
            ApplyMode::Create
        };
        let submission = Submission {
            project: request.project,
            namespace: request.namespace,
            source: request.source,
            kind: Kind::Workflows,
            strict: request.strict,
            modes: (mode, mode),
            etag: String::new(),
            validate_only: request.validate_only,
            request: key,
        };
        let (workflows, warnings) = self.submit(submission).await?;
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
        let key = idempotency::key(&request)?;
        let submission = Submission {
            project: request.project,
            namespace: request.namespace,
            source: request.source,
            kind: Kind::Workflows,
            strict: request.strict,
            modes: (ApplyMode::Update, ApplyMode::Update),
            etag: request.etag,
            validate_only: request.validate_only,
            request: key,
        };
        let (workflows, warnings) = self.submit(submission).await?;
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
        Ok(Response::new(
            self.list_revisions(request.into_inner()).await?,
        ))
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
        let deleted = self.0.driver.write(move |writer| order.run(writer)).await;
        deleted.map_err(Fault::from)??;
        Ok(Response::new(v1::DeleteWorkflowResponse {}))
    }

    async fn validate_workflow(
        &self,
        request: Request<v1::ValidateWorkflowRequest>,
    ) -> Result<Response<v1::ValidateWorkflowResponse>, Status> {
        let request = request.into_inner();
        let kind = document_kind(field::known("kind", request.kind)?);
        let validated = self.0.compute(move || {
            let options = Options {
                strict: request.strict,
                actions: engine::catalog::known_actions(),
            };
            let checked = definition::check(&request.source, kind, options);
            v1::ValidateWorkflowResponse {
                valid: checked.document.is_some(),
                diagnostics: diagnostic::wire_all(&checked.diagnostics, &request.source),
            }
        });
        Ok(Response::new(validated.await))
    }

    async fn evaluate_expression(
        &self,
        _request: Request<v1::EvaluateExpressionRequest>,
    ) -> Result<Response<v1::EvaluateExpressionResponse>, Status> {
        Err(Fault::NotSupported("EvaluateExpression").into())
    }
}

impl Workflows {
    async fn submit(
        &self,
        submission: Submission,
    ) -> Result<(Vec<v1::Workflow>, Vec<v1::Diagnostic>), Fault> {
        let accepted = submission::submit(&self.0, submission).await?;
        let Accepted {
            applied,
            source,
            warnings,
        } = accepted;
        let rows = applied.definitions.iter();
        let workflows = rows.map(|row| wire_workflow(row, Some(&source))).collect();
        Ok((workflows, warnings))
    }

    async fn get(&self, request: v1::GetWorkflowRequest) -> Result<v1::GetWorkflowResponse, Fault> {
        let project = field::project(&request.project)?;
        let namespace = field::namespace("namespace", &request.namespace)?;
        let name = field::name("name", &request.name)?;
        let revision = field::revision("revision", request.revision)?;
        let full = field::full_view(request.view, true)?;
        let read = self.0.read(move |reader| {
            let kind = DefinitionKind::Workflow;
            let row = reader.find_definition(&project, kind, &namespace, &name, revision)?;
            let row = row.ok_or_else(|| not_found(&name, &namespace, revision))?;
            Sources::new(full).wire(reader, &row)
        });
        Ok(v1::GetWorkflowResponse {
            workflow: Some(read.await?),
        })
    }

    async fn list(
        &self,
        request: v1::ListWorkflowsRequest,
    ) -> Result<v1::ListWorkflowsResponse, Fault> {
        let project = field::project(&request.project)?;
        let namespace = request.namespace.as_deref();
        let namespace = namespace
            .map(|text| field::namespace("namespace", text))
            .transpose()?;
        let filter = filter::parse(&request.filter)?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let read = self.0.read(move |reader| {
            let kind = DefinitionKind::Workflow;
            let (namespace, page) = (namespace.as_deref(), &paging.page);
            let slice = reader.list_definitions(&project, kind, namespace, &filter, page)?;
            let mut sources = Sources::new(full);
            paging.fill(slice, name_of, |row| sources.wire(reader, &row))
        });
        let (workflows, next_page_token) = read.await?;
        Ok(v1::ListWorkflowsResponse {
            workflows,
            next_page_token,
        })
    }

    async fn list_revisions(
        &self,
        request: v1::ListWorkflowRevisionsRequest,
    ) -> Result<v1::ListWorkflowRevisionsResponse, Fault> {
        let project = field::project(&request.project)?;
        let namespace = field::namespace("namespace", &request.namespace)?;
        let name = field::name("name", &request.name)?;
        let paging = Paging::of(&request)?;
        let full = field::full_view(request.view, false)?;
        let read = self.0.read(move |reader| {
            let (kind, page) = (DefinitionKind::Workflow, &paging.page);
            let slice = reader.list_revisions(&project, kind, &namespace, &name, page)?;
            if slice.rows.is_empty() && page.after.is_none() {
                return Err(not_found(&name, &namespace, None));
            }
            let mut sources = Sources::new(full);
            paging.fill(slice, |row| row.revision, |row| sources.wire(reader, &row))
        });
        let (workflows, next_page_token) = read.await?;
        Ok(v1::ListWorkflowRevisionsResponse {
            workflows,
            next_page_token,
        })
    }
}

/// The texts of a page's rows: several workflows often lie in one document.
struct Sources {
    full: bool,
    texts: HashMap<SourceHash, Arc<str>>,
}

impl Sources {
    fn new(full: bool) -> Self {
        Self {
            full,
            texts: HashMap::new(),
        }
    }

    fn wire(&mut self, reader: &mut Reader, row: &DefinitionRow) -> Result<v1::Workflow, Fault> {
        if !self.full {
            return Ok(wire_workflow(row, None));
        }
        if self.texts.len() >= SOURCES_MAX {
            self.texts.clear();
        }
        let text = match self.texts.entry(row.source_hash) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let found = reader.load_source(&row.source_hash)?;
                let name = row.name.clone();
                let broken = || driver::Error::BrokenDefinition { name };
                place.insert(found.ok_or_else(broken)?.text)
            }
        };
        Ok(wire_workflow(row, Some(text)))
    }
}

fn name_of(row: &DefinitionRow) -> DefinitionName {
    DefinitionName {
        name: row.name.clone(),
        namespace: row.namespace.clone(),
    }
}

fn not_found(name: &Arc<str>, namespace: &Arc<str>, revision: Option<i32>) -> Fault {
    let (name, namespace) = (name.clone(), namespace.clone());
    Fault::Driver(driver::Error::WorkflowNotFound {
        name,
        namespace,
        revision,
    })
}
