//! All questions that can be asked, by name.
//!
//! Left to others: the SQL of each table (`tables`).

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{ActionRecord, ExecutionRecord, ExecutionUid, HistoryEvent, TaskRecord};

use crate::batch::{ExecutionKey, RequestRecord};
use crate::cluster::{self, ClusterView};
use crate::connection::Conn;
use crate::definition::{DefinitionKind, DefinitionRow, Source, WorkbookRow};
use crate::environment::EnvironmentRow;
use crate::error::Error;
use crate::filter::{DefinitionField, EnvironmentField, ExecutionField, Filter, TaskField};
use crate::load;
use crate::lower;
use crate::operation::OperationRow;
use crate::page::{Page, Slice};
use crate::tables::definitions::Place;
use crate::tables::{
    actions, changes, definitions, environments, executions, history, ids, listing, meta,
    operations, payloads, requests, sources, tasks, workbooks, workers,
};
use crate::views::{
    ActionRow, ChangeRow, CountGroup, Counts, DefinitionName, HistoryRange, Loaded, Payloads,
    Searched, SourceHash, SourceUses, Standing,
};
use crate::worker::{QueueRow, WorkerActionRow};
use crate::writer::DEFINITIONS;

/// A connection that reads.
pub struct Reader {
    pub(crate) conn: Conn,
    /// Whether it was used and given back: then it may have been lost since.
    pub(crate) is_used: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

// Executions.
impl Reader {
    /// Finds where an execution lies, by its id or else its uid.
    pub fn find_key(&mut self, project: &str, id: &str) -> Result<Option<ExecutionKey>, Error> {
        if let Some(key) = ids::find(&mut self.conn, project, id)? {
            return Ok(Some(key));
        }
        let Ok(uid) = id.parse::<ExecutionUid>() else {
            return Ok(None);
        };
        executions::find_key_by_uid(&mut self.conn, project, uid)
    }

    /// Finds where the execution of a uid lies, in whatever project: in the shard that its last
    /// byte names, or, if it is of before there were several, in the first.
    pub fn locate(&mut self, uid: ExecutionUid) -> Result<Option<ExecutionKey>, Error> {
        let candidates: &[i16] = match &self.conn {
            Conn::Sqlite(_) => &[0],
            Conn::Postgres(..) => &[i16::from(uid.0.as_bytes()[15]), 0],
        };
        for shard in candidates.iter().copied() {
            let key = ExecutionKey { shard, uid };
            if executions::standing(&mut self.conn, key)?.is_some() {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Finds an execution by its id, or else its uid.
    pub fn find_execution(
        &mut self,
        project: &str,
        id: &str,
        payloads: Payloads,
    ) -> Result<Option<ExecutionRecord>, Error> {
        if let Some(key) = ids::find(&mut self.conn, project, id)? {
            return self.find_execution_at(key, payloads);
        }
        match id.parse() {
            Ok(uid) => self.find_execution_by_uid(project, uid, payloads),
            Err(_) => Ok(None),
        }
    }

    /// Finds an execution of the project by its uid.
    pub fn find_execution_by_uid(
        &mut self,
        project: &str,
        uid: ExecutionUid,
        payloads: Payloads,
    ) -> Result<Option<ExecutionRecord>, Error> {
        executions::find_by_uid(&mut self.conn, project, uid, payloads)
    }

    /// Finds an execution by its key.
    pub fn find_execution_at(
        &mut self,
        key: ExecutionKey,
        payloads: Payloads,
    ) -> Result<Option<ExecutionRecord>, Error> {
        let Some(row) = executions::find(&mut self.conn, key)? else {
            return Ok(None);
        };
        let payload = match payloads {
            Payloads::Omit => None,
            Payloads::Include => payloads::find(&mut self.conn, key)?,
        };
        row.into_record(payload).map(Some)
    }

    /// Lists executions, newest first.
    pub fn list_executions(
        &mut self,
        project: &str,
        filter: &Filter<ExecutionField>,
        page: &Page<ExecutionUid>,
        payloads: Payloads,
    ) -> Result<Slice<ExecutionRecord>, Error> {
        let predicate = lower::executions(project, filter)?;
        listing::list(&mut self.conn, project, predicate, page, payloads)
    }

    /// Lists the projects that have executions.
    pub fn list_projects(&mut self) -> Result<Vec<Arc<str>>, Error> {
        listing::list_projects(&mut self.conn)
    }

    /// Finds those of a few executions that are in the project and match, without payloads.
    pub fn match_executions(
        &mut self,
        project: &str,
        filter: &Filter<ExecutionField>,
        uids: &[ExecutionUid],
    ) -> Result<Vec<ExecutionRecord>, Error> {
        let predicate = lower::executions(project, filter)?;
        listing::list_among(&mut self.conn, project, &predicate, uids)
    }

    /// Lists what commits of a log have changed after a position.
    pub fn list_changes(
        &mut self,
        log: i16,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, Error> {
        changes::list(&mut self.conn, log, after, limit)
    }

    /// Lists the logs of commits, which servers that share a database write one each.
    pub fn logs_of_changes(&mut self) -> Result<Vec<i16>, Error> {
        changes::logs(&mut self.conn)
    }

    /// Of each log the positions of the first and the last change that are kept.
    pub fn spans_of_changes(&mut self) -> Result<BTreeMap<i16, (i64, i64)>, Error> {
        let mut spans = BTreeMap::new();
        for log in changes::logs(&mut self.conn)? {
            spans.extend(changes::span(&mut self.conn, log)?.map(|span| (log, span)));
        }
        Ok(spans)
    }

    /// Counts executions; the groups are the `max_groups` largest.
    pub fn count_executions(
        &mut self,
        project: &str,
        filter: &Filter<ExecutionField>,
        group: Option<CountGroup>,
        max_groups: u32,
    ) -> Result<Counts, Error> {
        let predicate = lower::executions(project, filter)?;
        listing::count(&mut self.conn, project, predicate, group, max_groups)
    }

    /// How far an execution is; cheap.
    pub fn standing(&mut self, key: ExecutionKey) -> Result<Option<Standing>, Error> {
        executions::standing(&mut self.conn, key)
    }

    /// Counts the unfinished executions of a workflow, of whatever revision.
    pub fn count_running(
        &mut self,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<i64, Error> {
        listing::count_running(&mut self.conn, project, namespace, name)
    }

    /// Lists the direct children of an execution, those that still exist; they lie in its shard.
    pub fn list_children(&mut self, key: ExecutionKey) -> Result<Vec<ExecutionKey>, Error> {
        let mut children = Vec::new();
        for uid in actions::list_children(&mut self.conn, key)? {
            let child = ExecutionKey {
                shard: key.shard,
                uid,
            };
            if executions::standing(&mut self.conn, child)?.is_some() {
                children.push(child);
            }
        }
        Ok(children)
    }

    /// Lists finished executions that were started from outside and ended before `before_us`,
    /// oldest first.
    pub fn list_expired(
        &mut self,
        project: &str,
        before_us: i64,
        limit: u32,
    ) -> Result<Vec<ExecutionKey>, Error> {
        listing::list_expired(&mut self.conn, project, before_us, limit)
    }

    /// Loads an execution with its tasks and actions.
    pub fn load(&mut self, key: ExecutionKey) -> Result<Option<Loaded>, Error> {
        load::load(&mut self.conn, key)
    }

    /// Lists history events.
    pub fn list_history(
        &mut self,
        key: ExecutionKey,
        range: &HistoryRange,
    ) -> Result<Slice<HistoryEvent>, Error> {
        history::list(&mut self.conn, key, range)
    }

    /// Lists the events that some commits have added to the history of an execution, in order.
    /// Each commit is named by the sequence of its last event; those that are not kept are left
    /// out.
    pub fn list_commits_of_history(
        &mut self,
        key: ExecutionKey,
        last_sequences: &[i64],
    ) -> Result<Vec<HistoryEvent>, Error> {
        history::list_commits(&mut self.conn, key, last_sequences)
    }

    /// Lists the history events of a range that are wanted.
    pub fn search_history(
        &mut self,
        key: ExecutionKey,
        range: &HistoryRange,
        wanted: &dyn Fn(&HistoryEvent) -> bool,
    ) -> Result<Searched, Error> {
        history::search(&mut self.conn, key, range, wanted)
    }
}

// Tasks and actions.
impl Reader {
    /// Lists tasks in order of their numbers; with payloads also their actions.
    pub fn list_tasks(
        &mut self,
        key: ExecutionKey,
        filter: &Filter<TaskField>,
        page: &Page<u32>,
        payloads: Payloads,
    ) -> Result<Slice<TaskRecord>, Error> {
        let predicate = lower::tasks(filter)?;
        let mut slice = tasks::list(&mut self.conn, key, &predicate, page, payloads)?;
        if payloads == Payloads::Include {
            self.add_actions(key, &mut slice, page.max_bytes)?;
        }
        Ok(slice)
    }

    /// Gives tasks their actions. Where these get too large, the page ends before the task, unless
    /// it is the first.
    fn add_actions(
        &mut self,
        key: ExecutionKey,
        slice: &mut Slice<TaskRecord>,
        max_bytes: usize,
    ) -> Result<(), Error> {
        let numbers: Vec<i64> = slice
            .rows
            .iter()
            .map(|task| i64::from(task.number))
            .collect();
        let mut place = 0;
        let mut bytes = 0usize;
        let mut end = slice.rows.len();
        actions::each_of_tasks(&mut self.conn, key, &numbers, |action, size| {
            while slice.rows[place].number != action.task {
                place += 1;
            }
            bytes = bytes.saturating_add(size);
            if bytes > max_bytes && place > 0 {
                end = place;
                return false;
            }
            slice.rows[place].actions.push(action.record);
            true
        })?;
        if end < slice.rows.len() {
            slice.rows.truncate(end);
            slice.more = true;
        }
        Ok(())
    }

    /// Finds a task with its actions.
    pub fn find_task(
        &mut self,
        key: ExecutionKey,
        number: u32,
    ) -> Result<Option<TaskRecord>, Error> {
        let Some(task) = tasks::find(&mut self.conn, key, number)? else {
            return Ok(None);
        };
        let mut slice = Slice {
            rows: vec![task],
            more: false,
        };
        self.add_actions(key, &mut slice, usize::MAX)?;
        Ok(slice.rows.pop())
    }

    /// Lists actions, of one task or of all, in order of task and number.
    pub fn list_actions(
        &mut self,
        key: ExecutionKey,
        task: Option<u32>,
        page: &Page<(u32, u32)>,
        payloads: Payloads,
    ) -> Result<Slice<ActionRow>, Error> {
        actions::list(&mut self.conn, key, task, page, payloads)
    }

    /// Finds an action.
    pub fn find_action(
        &mut self,
        key: ExecutionKey,
        task: u32,
        number: u32,
    ) -> Result<Option<ActionRecord>, Error> {
        actions::find(&mut self.conn, key, task, number)
    }
}

// Definitions and what else is remembered.
impl Reader {
    /// Finds a revision of a definition, the latest unless one is named.
    pub fn find_definition(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: &str,
        name: &str,
        revision: Option<i32>,
    ) -> Result<Option<DefinitionRow>, Error> {
        definitions::find(
            &mut self.conn,
            Place {
                project,
                kind,
                namespace,
                name,
            },
            revision,
        )
    }

    /// Lists the latest revisions of definitions, by name and namespace.
    pub fn list_definitions(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: Option<&str>,
        filter: &Filter<DefinitionField>,
        page: &Page<DefinitionName>,
    ) -> Result<Slice<DefinitionRow>, Error> {
        let predicate = lower::definitions(namespace, filter)?;
        definitions::list(&mut self.conn, project, kind, &predicate, page)
    }

    /// Lists the revisions of a definition, newest first; none if it does not exist.
    pub fn list_revisions(
        &mut self,
        project: &str,
        kind: DefinitionKind,
        namespace: &str,
        name: &str,
        page: &Page<i32>,
    ) -> Result<Slice<DefinitionRow>, Error> {
        definitions::list_revisions(
            &mut self.conn,
            Place {
                project,
                kind,
                namespace,
                name,
            },
            page,
        )
    }

    /// Finds a workbook.
    pub fn find_workbook(
        &mut self,
        project: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<WorkbookRow>, Error> {
        workbooks::find(&mut self.conn, project, namespace, name)
    }

    /// Lists workbooks, by name and namespace.
    pub fn list_workbooks(
        &mut self,
        project: &str,
        namespace: Option<&str>,
        page: &Page<DefinitionName>,
    ) -> Result<Slice<WorkbookRow>, Error> {
        workbooks::list(&mut self.conn, project, namespace, page)
    }

    /// Finds an environment.
    pub fn find_environment(
        &mut self,
        project: &str,
        name: &str,
    ) -> Result<Option<EnvironmentRow>, Error> {
        environments::find(&mut self.conn, project, name)
    }

    /// Lists environments by name.
    pub fn list_environments(
        &mut self,
        project: &str,
        filter: &Filter<EnvironmentField>,
        page: &Page<Arc<str>>,
    ) -> Result<Slice<EnvironmentRow>, Error> {
        let predicate = lower::environments(filter)?;
        environments::list(&mut self.conn, project, &predicate, page)
    }

    /// Finds a batch operation.
    pub fn find_operation(
        &mut self,
        project: &str,
        batch_id: &str,
    ) -> Result<Option<OperationRow>, Error> {
        operations::find(&mut self.conn, project, batch_id)
    }

    /// Lists batch operations, newest first.
    pub fn list_operations(
        &mut self,
        project: &str,
        page: &Page<Arc<str>>,
    ) -> Result<Slice<OperationRow>, Error> {
        operations::list(&mut self.conn, project, page)
    }

    /// Lists the unfinished batch operations of all projects, oldest first.
    pub fn list_unfinished_operations(&mut self) -> Result<Vec<OperationRow>, Error> {
        operations::list_unfinished(&mut self.conn)
    }

    /// Loads a document.
    pub fn load_source(&mut self, hash: &SourceHash) -> Result<Option<Source>, Error> {
        sources::load(&mut self.conn, hash)
    }

    /// Lists documents that no definition and no workbook refers to, by hash: the first ones, or
    /// those after one. Executions may refer to them; see [`Self::source_uses`].
    pub fn list_undefined_sources(
        &mut self,
        after: Option<&SourceHash>,
        limit: u32,
    ) -> Result<Vec<SourceHash>, Error> {
        sources::list_undefined(&mut self.conn, after, limit)
    }

    /// Says which documents up to `limit` executions refer to: as their definition, or as one of
    /// the ad-hoc actions that they go on with. The first ones, or those after one.
    pub fn source_uses(
        &mut self,
        after: Option<ExecutionKey>,
        limit: u32,
    ) -> Result<SourceUses, Error> {
        sources::uses(&mut self.conn, after, limit)
    }

    /// Finds an answered request.
    pub fn find_request(
        &mut self,
        project: &str,
        request_id: &str,
    ) -> Result<Option<RequestRecord>, Error> {
        requests::find(&mut self.conn, project, request_id)
    }

    /// Finds those of some requests that were answered.
    pub fn find_requests(
        &mut self,
        project: &str,
        request_ids: &[&str],
    ) -> Result<Vec<RequestRecord>, Error> {
        requests::find_some(&mut self.conn, project, request_ids)
    }

    /// The servers that share the database, and who has what; `None` if it cannot be shared.
    pub fn cluster(&mut self) -> Result<Option<ClusterView>, Error> {
        match &mut self.conn {
            Conn::Sqlite(_) => Ok(None),
            Conn::Postgres(c, _) => cluster::view(c).map(Some),
        }
    }

    /// How often definitions were changed: what is known of the latest ones holds until that
    /// changes. Empty = never.
    pub fn definitions_version(&mut self) -> Result<String, Error> {
        Ok(meta::find(&mut self.conn, DEFINITIONS)?.unwrap_or_default())
    }

    /// Finds something that the server remembers of itself.
    pub fn find_meta(&mut self, key: &str) -> Result<Option<String>, Error> {
        meta::find(&mut self.conn, key)
    }

    /// Lists all actions that workers have provided, of all projects.
    pub fn list_worker_actions(&mut self) -> Result<Vec<WorkerActionRow>, Error> {
        workers::list_actions(&mut self.conn)
    }

    /// Lists all queues of workers that were changed, of all projects.
    pub fn list_queues(&mut self) -> Result<Vec<QueueRow>, Error> {
        workers::list_queues(&mut self.conn)
    }
}
