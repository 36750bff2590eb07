//! `GetExecutionGraph`: the tree of an execution, with counts.
//!
//! It reads rows only, execution by execution, until a depth or a number of nodes is reached; then
//! the counts of the executions below are still read, which stand in their rows.

use std::collections::HashMap;

use engine::{ExecutionRecord, ExecutionUid, TaskRecord, TaskState};
use proto::v1;
use store::{ExecutionKey, Filter, Page, Payloads, Reader};

use super::context::Context;
use super::convert::{field, graph};
use super::explain::bounded;
use super::fault::Fault;
use super::lookup;

/// Levels of executions.
const DEPTH_DEFAULT: u32 = 3;
const DEPTH_MAX: u32 = 10;

/// Nodes of one answer.
const NODES_DEFAULT: u32 = 1_000;
const NODES_MAX: u32 = 10_000;

/// Rows that are read at once.
const ROWS_AT_ONCE: u32 = 1_000;

/// Executions whose counts are added up for one answer.
const COUNTED_MAX: i64 = 100_000;

/// The tree of an execution.
pub(super) async fn get(
    context: &Context,
    request: v1::GetExecutionGraphRequest,
) -> Result<v1::GetExecutionGraphResponse, Fault> {
    let project = field::project(&request.project)?;
    let id = field::name("execution_id", &request.execution_id)?;
    let depth = bounded("max_depth", request.max_depth, DEPTH_DEFAULT)?.min(DEPTH_MAX);
    let nodes = bounded("max_nodes", request.max_nodes, NODES_DEFAULT)?.min(NODES_MAX);
    let read = context.read(move |reader| {
        let record = lookup::find(reader, &project, &id, Payloads::Omit)?;
        let mut painter = Painter {
            reader,
            room: if request.statistics_only { 0 } else { nodes },
            errors_only: request.errors_only,
            statistics: v1::GraphStatistics::default(),
            truncated: false,
        };
        let root = painter.execution(&record, depth)?;
        let wants_tree = !request.statistics_only;
        Ok(v1::GetExecutionGraphResponse {
            root: root.filter(|_| wants_tree),
            statistics: Some(painter.statistics),
            truncated: painter.truncated && wants_tree,
        })
    });
    read.await
}

/// Puts one tree together.
struct Painter<'a> {
    reader: &'a mut Reader,
    /// Nodes that may still be added.
    room: u32,
    errors_only: bool,
    statistics: v1::GraphStatistics,
    truncated: bool,
}

impl Painter<'_> {
    /// An execution with what is below it: no node if there is no room, but counted all the same.
    fn execution(
        &mut self,
        record: &ExecutionRecord,
        depth: u32,
    ) -> Result<Option<v1::ExecutionNode>, Fault> {
        self.count(record);
        let key = ExecutionKey::from(record);
        if !self.take() {
            if depth > 1 {
                for child in self.reader.list_children(key)? {
                    self.below(child, depth)?;
                }
            }
            return Ok(None);
        }
        let mut node = graph::execution(record);
        node.truncated = self.tasks(record, depth, &mut node.tasks)?;
        Ok(Some(node))
    }

    /// A child of an execution at that depth.
    fn below(&mut self, key: ExecutionKey, depth: u32) -> Result<Option<v1::ExecutionNode>, Fault> {
        if self.statistics.executions >= COUNTED_MAX {
            self.truncated = true;
            return Ok(None);
        }
        match self.reader.find_execution_at(key, Payloads::Omit)? {
            Some(child) => self.execution(&child, depth - 1),
            None => Ok(None),
        }
    }

    /// Adds the tasks of an execution; true if some were left out.
    fn tasks(
        &mut self,
        record: &ExecutionRecord,
        depth: u32,
        nodes: &mut Vec<v1::TaskNode>,
    ) -> Result<bool, Fault> {
        let key = ExecutionKey::from(record);
        let mut left_out = false;
        let mut shown: Vec<TaskRecord> = Vec::new();
        let mut page = Page::first(ROWS_AT_ONCE);
        'rows: loop {
            let filter = Filter::all();
            let slice = self
                .reader
                .list_tasks(key, &filter, &page, Payloads::Omit)?;
            page.after = slice.rows.last().map(|task| task.number);
            for task in slice.rows {
                if self.errors_only && task.state != TaskState::Error {
                    continue;
                }
                if !self.take() {
                    left_out = true;
                    break 'rows;
                }
                shown.push(task);
            }
            if !slice.more {
                break;
            }
        }
        let places: HashMap<u32, usize> = shown
            .iter()
            .enumerate()
            .map(|(place, task)| (task.number, place))
            .collect();
        nodes.extend(shown.iter().map(|task| graph::task(record.uid, task)));
        let children = self.actions(key, &places, &mut left_out, nodes)?;
        let has_children = !children.is_empty();
        if depth <= 1 {
            left_out |= has_children;
            self.truncated |= left_out;
            return Ok(left_out);
        }
        for (place, child) in children {
            let key = ExecutionKey {
                shard: key.shard,
                uid: child,
            };
            let node = self.below(key, depth)?;
            if let (Some(place), Some(node)) = (place, node) {
                nodes[place].children.push(node);
            }
        }
        self.truncated |= left_out;
        Ok(left_out)
    }

    /// Adds the actions of the tasks that are shown; gives the children of the execution, each with
    /// the place of its task if that is shown.
    fn actions(
        &mut self,
        key: ExecutionKey,
        places: &HashMap<u32, usize>,
        left_out: &mut bool,
        nodes: &mut [v1::TaskNode],
    ) -> Result<Vec<(Option<usize>, ExecutionUid)>, Fault> {
        let mut children = Vec::new();
        let mut page = Page::first(ROWS_AT_ONCE);
        loop {
            let slice = self.reader.list_actions(key, None, &page, Payloads::Omit)?;
            page.after = slice.rows.last().map(|row| (row.task, row.record.number));
            for row in slice.rows {
                let place = places.get(&row.task).copied();
                children.extend(row.record.child.map(|child| (place, child)));
                let Some(place) = place else { continue };
                if self.take() {
                    nodes[place]
                        .actions
                        .push(graph::action(key.uid, row.task, &row.record));
                } else {
                    *left_out = true;
                }
            }
            if !slice.more {
                return Ok(children);
            }
        }
    }

    /// Takes the place of one node; false if there is none.
    fn take(&mut self) -> bool {
        if self.room == 0 {
            self.truncated = true;
            return false;
        }
        self.room -= 1;
        true
    }

    fn count(&mut self, record: &ExecutionRecord) {
        let (all, own) = (&mut self.statistics, record.progress);
        all.executions += 1;
        all.tasks += i64::from(own.total);
        all.active += i64::from(own.active);
        all.success += i64::from(own.success);
        all.error += i64::from(own.error);
        all.cancelled += i64::from(own.cancelled);
        all.skipped += i64::from(own.skipped);
    }
}
