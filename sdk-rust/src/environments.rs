//! Environments on the server: create, update, look up, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use prost_types::FieldMask;
use proto::v1::environment_service_client::EnvironmentServiceClient;
use proto::v1::{
    CreateEnvironmentRequest, DeleteEnvironmentRequest, GetEnvironmentRequest,
    ListEnvironmentsRequest, UpdateEnvironmentRequest, View,
};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Code, Error, RpcError};
use crate::listing::{Listing, Page};
use crate::payload::Payload;
use crate::resources::Environment;
use crate::transport::Transport;
use crate::verb::new_request_id;

/// The environments of a project: named sets of variables, which expressions read as `env().NAME`.
#[derive(Clone, Debug)]
pub struct Environments {
    transport: Arc<Transport>,
}

impl Environments {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// Creates an environment of variables: anything that serde writes as a JSON object.
    ///
    /// Texts in it may hold expressions: they are evaluated when an execution starts with it.
    pub fn create(
        &self,
        name: impl Into<String>,
        variables: &(impl Serialize + ?Sized),
    ) -> Result<CreateEnvironment, Error> {
        let request = CreateEnvironmentRequest {
            project: self.transport.project(),
            name: name.into(),
            variables: Some(Payload::encode(variables, "the variables")?.into_proto()),
            request_id: new_request_id(),
            ..CreateEnvironmentRequest::default()
        };
        Ok(CreateEnvironment {
            transport: self.transport.clone(),
            request,
        })
    }

    /// Changes an environment, in what the returned builder is told. Executions keep their copies.
    pub fn update(&self, name: impl Into<String>) -> UpdateEnvironment {
        let request = UpdateEnvironmentRequest {
            project: self.transport.project(),
            name: name.into(),
            // Always there: without a mask an empty description would not be a change.
            update_mask: Some(FieldMask::default()),
            request_id: new_request_id(),
            ..UpdateEnvironmentRequest::default()
        };
        UpdateEnvironment {
            transport: self.transport.clone(),
            request,
            single: BTreeMap::new(),
        }
    }

    /// One environment, with its variables.
    pub async fn get(&self, name: impl Into<String>) -> Result<Environment, Error> {
        let request = GetEnvironmentRequest {
            project: self.transport.project(),
            name: name.into(),
            view: View::Full.into(),
            ..GetEnvironmentRequest::default()
        };
        let answer = self
            .transport
            .unary(request, |channel, request| async move {
                EnvironmentServiceClient::new(channel)
                    .get_environment(request)
                    .await
            })
            .await?;
        complete(answer.environment)
    }

    /// Those that match a filter over `name`, `create_time` and `update_time`, by name; an empty
    /// filter matches all. With variables if the listing is `full`.
    pub fn list(&self, filter: impl Into<String>) -> Listing<Environment> {
        let transport = self.transport.clone();
        let filter = filter.into();
        Listing::new(move |query| {
            let transport = transport.clone();
            let request = ListEnvironmentsRequest {
                project: transport.project(),
                page_size: query.page_size,
                page_token: query.page_token,
                filter: filter.clone(),
                view: query.view.into(),
                ..ListEnvironmentsRequest::default()
            };
            async move {
                let answer = transport
                    .unary(request, |channel, request| async move {
                        EnvironmentServiceClient::new(channel)
                            .list_environments(request)
                            .await
                    })
                    .await?;
                Ok(Page::new(answer.environments, answer.next_page_token))
            }
        })
    }

    /// Deletes an environment. Executions keep their copies.
    pub fn delete(&self, name: impl Into<String>) -> DeleteEnvironment {
        let request = DeleteEnvironmentRequest {
            project: self.transport.project(),
            name: name.into(),
            request_id: new_request_id(),
            ..DeleteEnvironmentRequest::default()
        };
        DeleteEnvironment {
            transport: self.transport.clone(),
            request,
        }
    }
}

/// An environment to be created; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct CreateEnvironment {
    transport: Arc<Transport>,
    request: CreateEnvironmentRequest,
}

impl CreateEnvironment {
    /// Free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self
    }

    /// Replaces description and variables where an environment of that name exists.
    pub fn allow_existing(mut self) -> Self {
        self.request.allow_existing = true;
        self
    }

    /// Checks everything and stores nothing.
    pub fn validate_only(mut self) -> Self {
        self.request.validate_only = true;
        self
    }
}

impl IntoFuture for CreateEnvironment {
    type Output = Result<Environment, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let answer = self
                .transport
                .unary(self.request, |channel, request| async move {
                    EnvironmentServiceClient::new(channel)
                        .create_environment(request)
                        .await
                })
                .await?;
            complete(answer.environment)
        })
    }
}

/// A change of an environment in preparation; await it to send it. What it is not told stays.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct UpdateEnvironment {
    transport: Arc<Transport>,
    request: UpdateEnvironmentRequest,
    /// The variables to change one by one; those without a value are removed.
    single: BTreeMap<String, Option<Value>>,
}

impl UpdateEnvironment {
    /// New free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self.changes("description".to_owned())
    }

    /// New variables in place of all: anything that serde writes as a JSON object. Excludes
    /// [`Self::set`] and [`Self::remove`].
    pub fn variables(mut self, variables: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.request.variables = Some(Payload::encode(variables, "the variables")?.into_proto());
        Ok(self.changes("variables".to_owned()))
    }

    /// Gives one variable a value, and leaves the others as they are.
    pub fn set(
        mut self,
        name: impl Into<String>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Self, Error> {
        let value = serde_json::to_value(value).map_err(|source| Error::Encode {
            what: "the variable",
            source,
        })?;
        self.single.insert(name.into(), Some(value));
        Ok(self)
    }

    /// Removes one variable, if it is there.
    pub fn remove(mut self, name: impl Into<String>) -> Self {
        self.single.insert(name.into(), None);
        self
    }

    /// Fails if the environment has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }

    fn changes(mut self, path: String) -> Self {
        let mask = self.request.update_mask.get_or_insert_default();
        mask.paths.push(path);
        self
    }

    /// The request with the single variables and their paths.
    fn finish(mut self) -> Result<(Arc<Transport>, UpdateEnvironmentRequest), Error> {
        if self.single.is_empty() {
            return Ok((self.transport, self.request));
        }
        if self.request.variables.is_some() {
            let message = "variables: either all are replaced, or single ones are changed";
            return Err(RpcError::local(Code::InvalidArgument, message).into());
        }
        for name in self.single.keys().cloned().collect::<Vec<_>>() {
            self = self.changes(format!("variables.{name}"));
        }
        let values = self.single.into_iter();
        let values = values.filter_map(|(name, value)| Some((name, value?)));
        let payload = Payload::from(values.collect::<Value>());
        self.request.variables = Some(payload.into_proto());
        Ok((self.transport, self.request))
    }
}

impl IntoFuture for UpdateEnvironment {
    type Output = Result<Environment, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (transport, request) = self.finish()?;
            let answer = transport
                .unary(request, |channel, request| async move {
                    EnvironmentServiceClient::new(channel)
                        .update_environment(request)
                        .await
                })
                .await?;
            complete(answer.environment)
        })
    }
}

/// A deletion in preparation; await it to send it.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct DeleteEnvironment {
    transport: Arc<Transport>,
    request: DeleteEnvironmentRequest,
}

impl DeleteEnvironment {
    /// Succeeds if there is no such environment.
    pub fn allow_missing(mut self) -> Self {
        self.request.allow_missing = true;
        self
    }

    /// Fails if the environment has changed since it had this etag.
    pub fn etag(mut self, etag: impl Into<String>) -> Self {
        self.request.etag = etag.into();
        self
    }
}

impl IntoFuture for DeleteEnvironment {
    type Output = Result<(), Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.transport
                .unary(self.request, |channel, request| async move {
                    EnvironmentServiceClient::new(channel)
                        .delete_environment(request)
                        .await
                })
                .await
                .map(drop)
        })
    }
}

fn complete(environment: Option<proto::v1::Environment>) -> Result<Environment, Error> {
    environment.map(Environment::from).ok_or(Error::Incomplete {
        field: "environment",
    })
}
