//! Reads that several services need: executions with what belongs to their FULL view, names of
//! tasks, tags of the document.

use std::collections::HashMap;
use std::sync::Arc;

use engine::{Data, ExecutionRecord};
use expr::{Dict, Value};
use proto::v1::{self, PayloadFormat};
use store::{DefinitionKind, DefinitionRow, ExecutionKey, Filter, Page, Payloads, Reader};

use super::convert::definition::Details;
use super::convert::execution::{self, Full};
use super::fault::Fault;
use crate::config::Retention;

/// Tasks that are read at once when all of an execution are looked through.
const TASKS_AT_ONCE: u32 = 500;

/// Bytes of payloads that are held at once meanwhile.
const BYTES_AT_ONCE: usize = 4 << 20;

/// Names that are remembered; when it is passed, they are looked up anew.
const NAMES_MAX: usize = 10_000;

/// Finds an execution by its id or uid.
pub(super) fn find(
    reader: &mut Reader,
    project: &str,
    id: &str,
    payloads: Payloads,
) -> Result<ExecutionRecord, Fault> {
    let found = reader.find_execution(project, id, payloads)?;
    found.ok_or_else(|| Fault::execution_not_found(id))
}

/// How the store is asked for a view.
pub(super) fn payloads_of(full: bool) -> Payloads {
    if full {
        Payloads::Include
    } else {
        Payloads::Omit
    }
}

/// An execution on the wire: in the FULL view if a format is given.
pub(super) fn wire_execution(
    reader: &mut Reader,
    retention: &Retention,
    record: &ExecutionRecord,
    full: Option<PayloadFormat>,
) -> Result<v1::Execution, Fault> {
    let Some(format) = full else {
        return Ok(execution::wire(record, retention, None));
    };
    let published_global = &published_global(reader, record)?;
    Ok(execution::wire(
        record,
        retention,
        Some(&Full {
            published_global,
            format,
        }),
    ))
}

/// The row of the revision that an execution runs, unless it was deleted.
fn definition_of(
    reader: &mut Reader,
    record: &ExecutionRecord,
) -> Result<Option<DefinitionRow>, Fault> {
    let reference = &record.definition;
    let kind = DefinitionKind::Workflow;
    let (namespace, revision) = (&reference.namespace, Some(reference.revision));
    Ok(reader.find_definition(&record.project, kind, namespace, &reference.name, revision)?)
}

/// Tags of the tasks of an execution, by name of the task; none if the definition was deleted.
pub(super) fn task_tags(
    reader: &mut Reader,
    record: &ExecutionRecord,
) -> Result<HashMap<String, Vec<String>>, Fault> {
    let row = definition_of(reader, record)?;
    Ok(row
        .map(|row| Details::of_row(&row).task_tags())
        .unwrap_or_default())
}

/// `vars` and what the tasks of an execution published to the whole of it.
fn published_global(reader: &mut Reader, record: &ExecutionRecord) -> Result<Data, Fault> {
    let row = definition_of(reader, record)?;
    // Most workflows publish nothing so; then their tasks need not be looked through.
    if row.is_some_and(|row| !Details::of_row(&row).publishes_global) {
        return Ok(record.vars.clone());
    }
    let key = ExecutionKey::from(record);
    let mut published = Vec::new();
    let mut page = Page {
        after: None,
        limit: TASKS_AT_ONCE,
        max_bytes: BYTES_AT_ONCE,
    };
    loop {
        let slice = reader.list_tasks(key, &Filter::all(), &page, Payloads::Include)?;
        page.after = slice.rows.last().map(|task| task.number);
        // Those without an order are contained in `vars`.
        let all = slice.rows.into_iter().filter(|task| task.global_order > 0);
        published.extend(all.filter_map(|task| Some((task.global_order, task.published_global?))));
        if !slice.more {
            break;
        }
    }
    if published.is_empty() {
        return Ok(record.vars.clone());
    }
    published.sort_by_key(|(order, _)| *order);
    let mut merged = record.vars.value().as_dict().cloned().unwrap_or_default();
    for (_, data) in published {
        if let Some(dict) = data.value().as_dict() {
            merge(&mut merged, dict);
        }
    }
    Ok(Data::from_value(Value::Dict(merged)).unwrap_or_else(|_| record.vars.clone()))
}

/// Merges a dict into another one: dicts inside are merged, all else is replaced.
fn merge(into: &mut Dict, from: &Dict) {
    for (key, value) in from.iter() {
        let merged = match (into.get_value(&key), value) {
            (Some(Value::Dict(mut old)), Value::Dict(new)) => {
                merge(&mut old, &new);
                Value::Dict(old)
            }
            (_, value) => value,
        };
        into.insert(key, merged);
    }
}

/// Names of the tasks of one execution by number; each is looked up at most once.
pub(super) struct TaskNames {
    key: ExecutionKey,
    names: HashMap<u32, Arc<str>>,
}

impl TaskNames {
    pub(super) fn new(key: ExecutionKey) -> Self {
        Self {
            key,
            names: HashMap::new(),
        }
    }

    /// Remembers a name that was met.
    pub(super) fn learn(&mut self, number: u32, name: &Arc<str>) {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        self.names.entry(number).or_insert_with(|| name.clone());
    }

    /// The name of a task; empty if there is no such task.
    pub(super) fn name(&mut self, reader: &mut Reader, number: u32) -> Result<Arc<str>, Fault> {
        if let Some(name) = self.names.get(&number) {
            return Ok(name.clone());
        }
        let page = Page {
            after: number.checked_sub(1),
            ..Page::first(1)
        };
        let slice = reader.list_tasks(self.key, &Filter::all(), &page, Payloads::Omit)?;
        let found = slice.rows.into_iter().find(|task| task.number == number);
        let name = found.map_or_else(|| "".into(), |task| task.name);
        self.learn(number, &name);
        Ok(name)
    }

    /// The names of several tasks, each once, in their order.
    pub(super) fn names(
        &mut self,
        reader: &mut Reader,
        numbers: impl Iterator<Item = u32>,
    ) -> Result<Vec<String>, Fault> {
        let mut names: Vec<String> = Vec::new();
        for number in numbers {
            let name = self.name(reader, number)?;
            if !names.iter().any(|known| **known == *name) {
                names.push(name.to_string());
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dicts_are_merged_deeply() {
        for (into, from, expected) in [
            ("{}", "{\"a\":1}", "{\"a\": 1}"),
            ("{\"a\":1}", "{\"a\":2}", "{\"a\": 2}"),
            (
                "{\"a\":{\"b\":1,\"c\":[1]}}",
                "{\"a\":{\"c\":[2],\"d\":3}}",
                "{\"a\": {\"b\": 1, \"c\": [2], \"d\": 3}}",
            ),
            ("{\"a\":{\"b\":1}}", "{\"a\":null}", "{\"a\": null}"),
        ] {
            let dict = |text: &str| Value::from_json(text).unwrap().as_dict().unwrap().clone();
            let mut merged = dict(into);
            merge(&mut merged, &dict(from));
            assert_eq!(Value::Dict(merged), Value::from_json(expected).unwrap());
        }
    }
}
