//! Workbooks on the server: create, update, look up, delete.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::workbook_service_client::WorkbookServiceClient;
use proto::v1::{
    CreateWorkbookRequest, DeleteWorkbookRequest, GetWorkbookRequest, ListWorkbooksRequest,
    UpdateWorkbookRequest, View,
};

use crate::error::Error;
use crate::listing::{Listing, Page};
use crate::resources::{Diagnostic, WorkbookRecord};
use crate::source::Source;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// The workbooks of a project.
#[derive(Clone, Debug)]
pub struct Workbooks {
    transport: Arc<Transport>,
    namespace: Option<String>,
}

impl Workbooks {
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

    /// Creates a workbook and its members, all or none.
    pub fn create(&self, source: impl Into<Source>) -> SaveWorkbook {
        self.save(source.into(), false)
    }

    /// Replaces a workbook: its members get new revisions, members that it no longer has stay.
    pub fn update(&self, source: impl Into<Source>) -> SaveWorkbook {
        self.save(source.into(), true)
    }

    /// One workbook, with its source.
    pub async fn get(&self, name: impl Into<String>) -> Result<WorkbookRecord, Error> {
        let request = GetWorkbookRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            view: View::Full.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                WorkbookServiceClient::new(channel)
                    .get_workbook(request)
                    .await
            })
            .await?;
        answer
            .workbook
            .map(WorkbookRecord::from)
            .ok_or(Error::Incomplete { field: "workbook" })
    }

    /// All workbooks, by name.
    pub fn list(&self) -> Listing<WorkbookRecord> {
        let this = self.clone();
        Listing::new(move |query| {
            let transport = this.transport.clone();
            let request = ListWorkbooksRequest {
                project: transport.project(),
                namespace: this.namespace.clone(),
                page_size: query.page_size,
                page_token: query.page_token,
                view: query.view.into(),
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkbookServiceClient::new(channel)
                            .list_workbooks(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.workbooks, answer.next_page_token))
            }
        })
    }

    /// Deletes a workbook; its members stay.
    pub fn delete(&self, name: impl Into<String>) -> DeleteWorkbook {
        let request = DeleteWorkbookRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            request_id: new_request_id(),
            ..DeleteWorkbookRequest::default()
        };
        DeleteWorkbook {
            transport: self.transport.clone(),
            request,
        }
    }

    fn save(&self, source: Source, update: bool) -> SaveWorkbook {
        let request = UpdateWorkbookRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            source: source.into_string(),
            request_id: new_request_id(),
            ..UpdateWorkbookRequest::default()
        };
        SaveWorkbook {
            transport: self.transport.clone(),
            request,
            update,
        }
    }

    fn namespace(&self) -> String {
        self.namespace.clone().unwrap_or_default()
    }
}

/// A workbook to be stored; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct SaveWorkbook {
    transport: Arc<Transport>,
    request: UpdateWorkbookRequest,
    update: bool,
}

impl SaveWorkbook {
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

    /// Of an update: fails if the workbook has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

/// What a workbook became.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SavedWorkbook {
    /// The stored workbook.
    pub workbook: WorkbookRecord,
    /// Warnings about the document.
    pub warnings: Vec<Diagnostic>,
}

impl IntoFuture for SaveWorkbook {
    type Output = Result<SavedWorkbook, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self {
                transport,
                request,
                update,
            } = self;
            let (workbook, warnings) = if update {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkbookServiceClient::new(channel)
                            .update_workbook(request)
                            .await
                    })
                    .await?;
                (answer.workbook, answer.warnings)
            } else {
                let request = CreateWorkbookRequest {
                    project: request.project,
                    namespace: request.namespace,
                    source: request.source,
                    validate_only: request.validate_only,
                    strict: request.strict,
                    request_id: request.request_id,
                };
                let answer = transport
                    .unary(request, |channel, request| async move {
                        WorkbookServiceClient::new(channel)
                            .create_workbook(request)
                            .await
                    })
                    .await?;
                (answer.workbook, answer.warnings)
            };
            let workbook = workbook
                .ok_or(Error::Incomplete { field: "workbook" })?
                .into();
            let warnings = warnings.into_iter().map(Diagnostic::from).collect();
            Ok(SavedWorkbook { workbook, warnings })
        })
    }
}

/// A deletion in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DeleteWorkbook {
    transport: Arc<Transport>,
    request: DeleteWorkbookRequest,
}

impl DeleteWorkbook {
    /// Succeeds if there is no such workbook.
    pub fn allow_missing(mut self) -> Self {
        self.request.allow_missing = true;
        self
    }

    /// Fails if the workbook has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

impl IntoFuture for DeleteWorkbook {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.transport
                .unary(self.request, |channel, request| async move {
                    WorkbookServiceClient::new(channel)
                        .delete_workbook(request)
                        .await
                })
                .await
                .map(drop)
        })
    }
}
