//! Workflow definitions on the server: create, update, look up, delete, validate.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use proto::v1::{
    CreateWorkflowRequest, DeleteWorkflowRequest, GetWorkflowRequest, ListWorkflowRevisionsRequest,
    ListWorkflowsRequest, UpdateWorkflowRequest, ValidateWorkflowRequest, View,
};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::resources::{Diagnostic, DocumentKind, Validation, WorkflowRevision};
use crate::source::Source;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// The workflow definitions of a project.
#[derive(Clone, Debug)]
pub struct Workflows {
    transport: Arc<Transport>,
    namespace: Option<String>,
}

impl Workflows {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self {
            transport,
            namespace: None,
        }
    }

    /// Those of a namespace instead of the default one; `list` then lists only this one.
    #[must_use]
    pub fn in_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Creates every workflow of a document, all or none.
    pub fn create(&self, source: impl Into<Source>) -> SaveWorkflows {
        self.save(source.into(), false)
    }

    /// Adds a revision to every workflow of a document, all or none.
    pub fn update(&self, source: impl Into<Source>) -> SaveWorkflows {
        self.save(source.into(), true)
    }

    /// The latest revision of a workflow, with its source.
    pub async fn get(&self, name: impl Into<String>) -> Result<WorkflowRevision, Error> {
        self.get_revision(name, 0).await
    }

    /// One revision of a workflow, with its source.
    pub async fn get_revision(
        &self,
        name: impl Into<String>,
        revision: i32,
    ) -> Result<WorkflowRevision, Error> {
        let request = GetWorkflowRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            revision,
            view: View::Full.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                WorkflowServiceClient::new(channel)
                    .get_workflow(request)
                    .await
            })
            .await?;
        answer
            .workflow
            .map(WorkflowRevision::from)
            .ok_or(Error::Incomplete { field: "workflow" })
    }

    /// The latest revisions that match a filter, by name; an empty filter matches all.
    pub fn list(&self, filter: impl Into<String>) -> Listing<WorkflowRevision> {
        let this = self.clone();
        let filter = filter.into();
        Listing::new(move |query| {
            let transport = this.transport.clone();
            let request = ListWorkflowsRequest {
                project: transport.project(),
                namespace: this.namespace.clone(),
                page_size: query.page_size,
                page_token: query.page_token,
                filter: filter.clone(),
                view: query.view.into(),
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkflowServiceClient::new(channel)
                            .list_workflows(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.workflows, answer.next_page_token))
            }
        })
    }

    /// The revisions of a workflow, newest first.
    pub fn revisions(&self, name: impl Into<String>) -> Listing<WorkflowRevision> {
        let this = self.clone();
        let name = name.into();
        Listing::new(move |query| {
            let transport = this.transport.clone();
            let request = ListWorkflowRevisionsRequest {
                project: transport.project(),
                namespace: this.namespace(),
                name: name.clone(),
                page_size: query.page_size,
                page_token: query.page_token,
                view: query.view.into(),
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkflowServiceClient::new(channel)
                            .list_workflow_revisions(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.workflows, answer.next_page_token))
            }
        })
    }

    /// Deletes a workflow with all its revisions. Running executions go on.
    pub fn delete(&self, name: impl Into<String>) -> DeleteWorkflow {
        let request = DeleteWorkflowRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            request_id: new_request_id(),
            ..DeleteWorkflowRequest::default()
        };
        DeleteWorkflow {
            transport: self.transport.clone(),
            request,
        }
    }

    /// Checks a document and stores nothing.
    pub fn validate(&self, source: impl Into<Source>) -> ValidateDocument {
        let request = ValidateWorkflowRequest {
            project: self.transport.project(),
            source: source.into().into_string(),
            ..ValidateWorkflowRequest::default()
        };
        ValidateDocument {
            transport: self.transport.clone(),
            request,
        }
    }

    fn save(&self, source: Source, update: bool) -> SaveWorkflows {
        let request = CreateWorkflowRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            source: source.into_string(),
            request_id: new_request_id(),
            ..CreateWorkflowRequest::default()
        };
        SaveWorkflows {
            transport: self.transport.clone(),
            request,
            update,
            etag: String::new(),
        }
    }

    fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_default()
    }
}

/// A document to be stored; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct SaveWorkflows {
    transport: Arc<Transport>,
    request: CreateWorkflowRequest,
    update: bool,
    etag: String,
}

impl SaveWorkflows {
    /// Treats warnings as errors.
    pub fn strict(mut self) -> Self {
        self.request.strict = true;
        self
    }

    /// Checks everything and stores nothing.
    pub fn validate_only(mut self) -> Self {
        self.request.validate_only = true;
        self
    }

    /// Of a create: adds a revision where a workflow of that name exists. An update always does.
    pub fn allow_existing(mut self) -> Self {
        self.request.allow_existing = true;
        self
    }

    /// Of an update: fails if the workflow has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = etag.into();
        self
    }
}

/// What a document became.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SavedWorkflows {
    /// The stored revisions in document order.
    pub workflows: Vec<WorkflowRevision>,
    /// Warnings about the document.
    pub warnings: Vec<Diagnostic>,
}

impl SavedWorkflows {
    fn new(workflows: Vec<proto::v1::Workflow>, warnings: Vec<proto::v1::Diagnostic>) -> Self {
        Self {
            workflows: workflows.into_iter().map(WorkflowRevision::from).collect(),
            warnings: warnings.into_iter().map(Diagnostic::from).collect(),
        }
    }
}

impl IntoFuture for SaveWorkflows {
    type Output = Result<SavedWorkflows, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                transport,
                request,
                update,
                etag,
            } = self;
            if update {
                let request = UpdateWorkflowRequest {
                    project: request.project,
                    namespace: request.namespace,
                    source: request.source,
                    validate_only: request.validate_only,
                    strict: request.strict,
                    request_id: request.request_id,
                    etag,
                };
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkflowServiceClient::new(channel)
                            .update_workflow(request)
                            .await
                    })
                    .await?;
                return Ok(SavedWorkflows::new(answer.workflows, answer.warnings));
            }
            let answer = transport
                .unary(request, |channel, request| async move {
                    WorkflowServiceClient::new(channel)
                        .create_workflow(request)
                        .await
                })
                .await?;
            Ok(SavedWorkflows::new(answer.workflows, answer.warnings))
        })
    }
}

/// A deletion in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DeleteWorkflow {
    transport: Arc<Transport>,
    request: DeleteWorkflowRequest,
}

impl DeleteWorkflow {
    /// Deletes even while executions of it are running.
    pub fn force(mut self) -> Self {
        self.request.force = true;
        self
    }

    /// Succeeds if there is no such workflow.
    pub fn allow_missing(mut self) -> Self {
        self.request.allow_missing = true;
        self
    }

    /// Fails if the workflow has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

impl IntoFuture for DeleteWorkflow {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.transport
                .unary(self.request, |channel, request| async move {
                    WorkflowServiceClient::new(channel)
                        .delete_workflow(request)
                        .await
                })
                .await
                .map(drop)
        })
    }
}

/// A check in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct ValidateDocument {
    transport: Arc<Transport>,
    request: ValidateWorkflowRequest,
}

impl ValidateDocument {
    /// What kind of document it is; workflows if none is given.
    pub fn kind(mut self, kind: DocumentKind) -> Self {
        self.request.kind = proto::v1::DocumentKind::from(kind).into();
        self
    }

    /// Treats warnings as errors.
    pub fn strict(mut self) -> Self {
        self.request.strict = true;
        self
    }
}

impl IntoFuture for ValidateDocument {
    type Output = Result<Validation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    WorkflowServiceClient::new(channel)
                        .validate_workflow(request)
                        .await
                })
                .await?;
            Ok(Validation {
                valid: answer.valid,
                diagnostics: answer
                    .diagnostics
                    .into_iter()
                    .map(Diagnostic::from)
                    .collect(),
            })
        })
    }
}
