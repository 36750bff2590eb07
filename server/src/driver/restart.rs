//! Starting an execution again, as another one.

use std::sync::Arc;

use engine::{Data, Definition, ExecutionRecord, Start};
use expr::{Dict, Value};

use super::Error;
use super::Reply;
use super::answer::{Answer, StartOutcome, execution_not_found};
use super::lane::Lane;
use super::order::{Environment, RequestKey, RestartOrder, Started};

/// Start parameters that the engine makes for itself.
const OWN_PARAMS: [&str; 4] = [
    "namespace",
    "root_execution_id",
    "task_execution_id",
    "index",
];

impl Lane {
    pub(super) fn restart(
        &mut self,
        order: &RestartOrder,
        request: Option<&RequestKey>,
        reply: Reply<Started>,
    ) {
        match self.try_restart(order, request) {
            Ok(StartOutcome::Execution { uid, started }) => {
                self.batch.answers.push(Answer::Started {
                    uid,
                    started,
                    reply,
                });
            }
            // A restart always begins something.
            Ok(StartOutcome::Checked(_)) => drop(reply.send(Err(Error::Fault))),
            Err(error) => drop(reply.send(Err(error))),
        }
    }

    fn try_restart(
        &mut self,
        order: &RestartOrder,
        request: Option<&RequestKey>,
    ) -> Result<StartOutcome, Error> {
        if let Some(target) = self.repeated(request)? {
            let uid = target.parse().map_err(|_| execution_not_found(&target))?;
            return Ok(StartOutcome::Execution { uid, started: true });
        }
        let source = self.record(order.source)?;
        if let Some(id) = &order.execution_id
            && let Some(uid) = self.taken(&source.project, id)?
        {
            let (id, state) = (id.clone(), self.record(uid)?.state);
            return Err(Error::ExecutionExists { id, uid, state });
        }
        let shard = self.place(&source.project, order.execution_id.as_ref(), request)?;
        let description = match &order.description {
            Some(description) => description.clone(),
            None if source.parent.is_some() => "".into(),
            None => source.description.clone(),
        };
        let start = Start {
            uid: self.shards.uid_in(shard),
            shard,
            project: source.project.clone(),
            execution_id: order.execution_id.clone(),
            definition: self.definition_again(order, &source)?,
            namespace: namespace(&source),
            input: order.input.clone().unwrap_or_else(|| source.input.clone()),
            params: self.params_again(order, &source)?,
            description,
            labels: order
                .labels
                .clone()
                .unwrap_or_else(|| source.labels.clone()),
            parent: None,
            source: Some(source.uid),
            caller: order.caller.clone(),
        };
        self.begin(start, request)
    }

    fn definition_again(
        &self,
        order: &RestartOrder,
        source: &ExecutionRecord,
    ) -> Result<Arc<Definition>, Error> {
        let mut writer = self.writer.borrow_mut();
        let mut definitions = self.definitions.borrow_mut();
        let (reader, reference) = (writer.read(), &source.definition);
        if !order.latest_revision || reference.is_action() {
            return definitions.read(reader, reference);
        }
        let (namespace, name) = (&reference.namespace, &reference.name);
        let found = definitions.workflow(reader, &source.project, namespace, name)?;
        found.ok_or_else(|| Error::WorkflowNotFound {
            name: name.clone(),
            namespace: namespace.clone(),
            revision: None,
        })
    }

    /// The start parameters, with the environment that the source has now unless another is given.
    fn params_again(&self, order: &RestartOrder, source: &ExecutionRecord) -> Result<Data, Error> {
        let known = source.params.value().as_dict().cloned().unwrap_or_default();
        let given = order.params.as_ref().map(Data::value);
        let mut params = given.map_or_else(
            || {
                let known = known.iter();
                let known = known.filter(|(key, _)| !OWN_PARAMS.contains(&&*key.to_text()));
                known.collect::<Dict>()
            },
            |given| given.as_dict().cloned().unwrap_or_default(),
        );
        let env = match &order.environment {
            Some(Environment::Variables(variables)) => variables.value().clone(),
            Some(Environment::Name(name)) => self.environment(&source.project, name)?,
            None => {
                // What it gives was evaluated when the source began.
                params.insert("evaluate_env", Value::Bool(false));
                known.get("env").unwrap_or(Value::Null)
            }
        };
        params.insert("env", env);
        Data::from_value(Value::Dict(params)).map_err(|error| {
            let (field, message) = ("params", error.to_string());
            Error::Engine(engine::Error::Params { field, message })
        })
    }
}

/// Where names are looked up first.
fn namespace(source: &ExecutionRecord) -> Arc<str> {
    match source.params.value().get("namespace") {
        Some(Value::Str(namespace)) => namespace,
        _ => source.definition.namespace.clone(),
    }
}
