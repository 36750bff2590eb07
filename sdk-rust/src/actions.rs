//! Actions on the server: what there is, and ad-hoc ones: create, update, delete, validate, run.
//!
//! Owns [`Actions`]. Left to others: running one (`run_action`), and the attempts of tasks that
//! actions lead to (`tasks`).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use proto::v1::action_service_client::ActionServiceClient;
use proto::v1::{
    CreateActionRequest, DeleteActionRequest, GetActionRequest, ListActionRevisionsRequest,
    ListActionsRequest, UpdateActionRequest, ValidateActionRequest, View,
};

use crate::error::Error;
use crate::kind::ActionKind;
use crate::listing::{Listing, Page};
use crate::resources::{Action, Diagnostic, Validation};
use crate::run_action::RunAction;
use crate::source::Source;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// The actions of a project: built-in ones, and ad-hoc ones, which wrap another action.
#[derive(Clone, Debug)]
pub struct Actions {
    transport: Arc<Transport>,
    namespace: Option<String>,
}

impl Actions {
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

    /// Creates every ad-hoc action of a document, all or none.
    pub fn create(&self, source: impl Into<Source>) -> SaveActions {
        self.save(source.into(), false)
    }

    /// Adds a revision to every ad-hoc action of a document, all or none.
    pub fn update(&self, source: impl Into<Source>) -> SaveActions {
        self.save(source.into(), true)
    }

    /// One action of any kind; of an ad-hoc one the latest revision, with its source.
    pub async fn get(&self, name: impl Into<String>) -> Result<Action, Error> {
        self.get_revision(name, 0).await
    }

    /// One revision of an ad-hoc action, with its source.
    pub async fn get_revision(
        &self,
        name: impl Into<String>,
        revision: i32,
    ) -> Result<Action, Error> {
        let request = GetActionRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            revision,
            view: View::Full.into(),
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                ActionServiceClient::new(channel).get_action(request).await
            })
            .await?;
        answer
            .action
            .map(Action::from)
            .ok_or(Error::Incomplete { field: "action" })
    }

    /// The actions that match a filter over `name`, `namespace`, `workbook`, `tag`, `create_time`
    /// and `update_time`: first the built-in ones, then the latest revisions of ad-hoc ones, each
    /// by name. An empty filter matches all.
    pub fn list(&self, filter: impl Into<String>) -> Listing<Action> {
        self.list_kind(proto::v1::ActionKind::Unspecified.into(), filter.into())
    }

    /// The actions of one kind that match a filter, as [`Self::list`] has it.
    pub fn list_of(&self, kind: ActionKind, filter: impl Into<String>) -> Listing<Action> {
        self.list_kind(kind.number(), filter.into())
    }

    fn list_kind(&self, kind: i32, filter: String) -> Listing<Action> {
        let this = self.clone();
        Listing::new(move |query| {
            let transport = this.transport.clone();
            let request = ListActionsRequest {
                project: transport.project(),
                namespace: this.namespace.clone(),
                kind,
                page_size: query.page_size,
                page_token: query.page_token,
                filter: filter.clone(),
                view: query.view.into(),
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        ActionServiceClient::new(channel)
                            .list_actions(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.actions, answer.next_page_token))
            }
        })
    }

    /// The revisions of an ad-hoc action, newest first.
    pub fn revisions(&self, name: impl Into<String>) -> Listing<Action> {
        let this = self.clone();
        let name = name.into();
        Listing::new(move |query| {
            let transport = this.transport.clone();
            let request = ListActionRevisionsRequest {
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
                        ActionServiceClient::new(channel)
                            .list_action_revisions(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.actions, answer.next_page_token))
            }
        })
    }

    /// Deletes an ad-hoc action with all its revisions. Actions under way go on; a task that calls
    /// it later fails.
    pub fn delete(&self, name: impl Into<String>) -> DeleteAction {
        let request = DeleteActionRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            name: name.into(),
            request_id: new_request_id(),
            ..DeleteActionRequest::default()
        };
        DeleteAction {
            transport: self.transport.clone(),
            request,
        }
    }

    /// Checks a document and stores nothing.
    pub fn validate(&self, source: impl Into<Source>) -> ValidateActions {
        let request = ValidateActionRequest {
            project: self.transport.project(),
            source: source.into().into_string(),
            strict: false,
        };
        ValidateActions {
            transport: self.transport.clone(),
            request,
        }
    }

    /// Prepares one run of an action without a workflow; see
    /// [`Client::run_action`](crate::Client::run_action).
    pub fn run(&self, action_name: impl Into<String>) -> RunAction {
        RunAction::new(self.transport.clone(), self.namespace(), action_name.into())
    }

    fn save(&self, source: Source, update: bool) -> SaveActions {
        let request = CreateActionRequest {
            project: self.transport.project(),
            namespace: self.namespace(),
            source: source.into_string(),
            request_id: new_request_id(),
            ..CreateActionRequest::default()
        };
        SaveActions {
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
pub struct SaveActions {
    transport: Arc<Transport>,
    request: CreateActionRequest,
    update: bool,
    etag: String,
}

impl SaveActions {
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

    /// Of a create: adds a revision where an action of that name exists. An update always does.
    pub fn allow_existing(mut self) -> Self {
        self.request.allow_existing = true;
        self
    }

    /// Of an update: fails if the action has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.etag = etag.into();
        self
    }
}

/// What a document became.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SavedActions {
    /// The stored revisions in document order.
    pub actions: Vec<Action>,
    /// Warnings about the document.
    pub warnings: Vec<Diagnostic>,
}

impl SavedActions {
    fn new(actions: Vec<proto::v1::Action>, warnings: Vec<proto::v1::Diagnostic>) -> Self {
        Self {
            actions: actions.into_iter().map(Action::from).collect(),
            warnings: warnings.into_iter().map(Diagnostic::from).collect(),
        }
    }
}

impl IntoFuture for SaveActions {
    type Output = Result<SavedActions, Error>;
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
                let request = UpdateActionRequest {
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
                        ActionServiceClient::new(channel)
                            .update_action(request)
                            .await
                    })
                    .await?;
                return Ok(SavedActions::new(answer.actions, answer.warnings));
            }
            let answer = transport
                .unary(request, |channel, request| async move {
                    ActionServiceClient::new(channel)
                        .create_action(request)
                        .await
                })
                .await?;
            Ok(SavedActions::new(answer.actions, answer.warnings))
        })
    }
}

/// A deletion in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DeleteAction {
    transport: Arc<Transport>,
    request: DeleteActionRequest,
}

impl DeleteAction {
    /// Succeeds if there is no such action.
    pub fn allow_missing(mut self) -> Self {
        self.request.allow_missing = true;
        self
    }

    /// Fails if the action has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

impl IntoFuture for DeleteAction {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.transport
                .unary(self.request, |channel, request| async move {
                    ActionServiceClient::new(channel)
                        .delete_action(request)
                        .await
                })
                .await
                .map(drop)
        })
    }
}

/// A check of a document of ad-hoc actions in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct ValidateActions {
    transport: Arc<Transport>,
    request: ValidateActionRequest,
}

impl ValidateActions {
    /// Treats warnings as errors.
    pub fn strict(mut self) -> Self {
        self.request.strict = true;
        self
    }
}

impl IntoFuture for ValidateActions {
    type Output = Result<Validation, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    ActionServiceClient::new(channel)
                        .validate_action(request)
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
