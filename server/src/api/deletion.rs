//! Definitions, workbooks and environments on their way out of the store.

use std::sync::Arc;

use store::{DefinitionKind, Deletion, Entity, Writer};

use super::context::Context;
use super::convert::field;
use super::fault::Fault;
use super::idempotency;
use crate::clock;
use crate::driver::RequestKey;

/// Deletes something, unless the same request did it before.
pub(super) async fn delete(context: &Context, order: Order) -> Result<(), Fault> {
    let deleted = context.driver.write(move |writer| order.run(writer));
    deleted.await?
}

/// What is to go, and under which conditions.
pub(super) struct Order {
    pub(super) entity: Entity,
    pub(super) deletion: Deletion,
    /// Also while executions of it are running.
    pub(super) force: bool,
    /// It need not exist.
    pub(super) allow_missing: bool,
}

impl Order {
    /// Checks names and etag.
    pub(super) fn new(
        entity: Entity,
        (project, namespace, name): (&str, &str, &str),
        etag: &str,
        request: Option<RequestKey>,
    ) -> Result<Self, Fault> {
        let name = field::name("name", name)?;
        let now_us = clock::now_us();
        let deletion = Deletion {
            project: field::project(project)?,
            namespace: field::namespace("namespace", namespace)?,
            name: name.clone(),
            expected_etag: field::optional_name("etag", etag)?,
            request: request.map(|key| idempotency::record(key, name, now_us)),
        };
        Ok(Self {
            entity,
            deletion,
            force: true,
            allow_missing: false,
        })
    }

    /// Carries it out, unless its request was answered before.
    pub(super) fn run(&self, writer: &mut Writer) -> Result<Result<(), Fault>, store::Error> {
        let Deletion {
            project,
            namespace,
            name,
            request,
            ..
        } = &self.deletion;
        if let Some(request) = request
            && let Some(kept) = writer.read().find_request(project, &request.request_id)?
        {
            let is_same = (&kept.method, &kept.body_hash) == (&request.method, &request.body_hash);
            let reused = || Fault::request_reused(&request.request_id);
            return Ok(if is_same { Ok(()) } else { Err(reused()) });
        }
        if !self.force && self.exists(writer)? {
            let executions = writer.read().count_running(project, namespace, name)?;
            if executions > 0 {
                let name: Arc<str> = name.clone();
                return Ok(Err(Fault::DefinitionInUse { name, executions }));
            }
        }
        let deleted = match self.entity {
            Entity::Workbook => writer.delete_workbook(&self.deletion),
            Entity::Environment => writer.delete_environment(&self.deletion),
            Entity::Workflow | Entity::Execution => {
                writer.delete_definition(DefinitionKind::Workflow, &self.deletion)
            }
            Entity::Action => writer.delete_definition(DefinitionKind::Action, &self.deletion),
        };
        match deleted {
            Err(store::Error::NotFound { .. }) if self.allow_missing => Ok(Ok(())),
            other => other.map(Ok),
        }
    }

    /// Executions of a workflow that is gone already must not keep it from being missing.
    fn exists(&self, writer: &mut Writer) -> Result<bool, store::Error> {
        let Deletion {
            project,
            namespace,
            name,
            ..
        } = &self.deletion;
        let kind = DefinitionKind::Workflow;
        let found = writer
            .read()
            .find_definition(project, kind, namespace, name, None)?;
        Ok(found.is_some())
    }
}
