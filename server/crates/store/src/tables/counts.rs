//! Rows of counts: how many executions there are of each workflow in each state.
//!
//! **Invariant:** a commit that changes the state of an execution changes the counts with it. Each
//! server counts under its own slot, so that no two commits wait for one another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, SmallInt, Text};
use diesel::{QueryResult, RunQueryDsl};
use engine::{Changed, ExecutionState};

use crate::commit::Commit;
use crate::connection::{Conn, both};
use crate::error::Error;
use crate::predicate::{Binds, Predicate};
use crate::statement::insert_statement;
use crate::views::{CountGroup, Counts};

/// Columns of executions by which is counted.
pub(crate) const COLUMNS: [&str; 3] = [
    "executions.state",
    "executions.workflow_name",
    "executions.workflow_namespace",
];

insert_statement! {
    /// Adds to a number, or begins with it.
    Addition: "execution_counts"
        "ON CONFLICT (project, workflow_name, workflow_namespace, state, slot) DO UPDATE \
         SET executions = execution_counts.executions + excluded.executions"
    {
        project: Text => &'a str,
        workflow_name: Text => &'a str,
        workflow_namespace: Text => &'a str,
        state: Text => &'a str,
        slot: SmallInt => i16,
        executions: BigInt => i64,
    }
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind<'a> {
    pub(crate) project: &'a str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) state: &'a str,
}

impl<'a> Kind<'a> {
    fn of(changed: &Changed<'a>, state: ExecutionState) -> Self {
        let record = changed.record;
        Self {
            project: &record.project,
            name: &record.definition.name,
            namespace: &record.definition.namespace,
            state: state.word(),
        }
    }
}

/// By how much numbers change.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a>(BTreeMap<Kind<'a>, i64>);

impl<'a> Changes<'a> {
    /// What executions that are written change.
    pub(crate) fn of<'b>(executions: impl Iterator<Item = &'b Changed<'a>>) -> Self
    where
        'a: 'b,
    {
        let mut all = Self::default();
        for changed in executions {
            let before = changed.stored_state.filter(|_| !changed.is_new);
            let now = changed.record.state;
            if before == Some(now) {
                continue;
            }
            if let Some(before) = before {
                all.add(Kind::of(changed, before), -1);
            }
            all.add(Kind::of(changed, now), 1);
        }
        all
    }

    pub(crate) fn add(&mut self, kind: Kind<'a>, count: i64) {
        *self.0.entry(kind).or_default() += count;
    }

    /// Writes them for the server in a slot.
    pub(crate) fn write(self, out: &mut Commit<'_, 'a>, slot: i16) -> Result<(), Error> {
        let changes = self.0.into_iter().filter(|(_, count)| *count != 0);
        let rows = changes.map(|(kind, executions)| Addition {
            project: kind.project,
            workflow_name: kind.name,
            workflow_namespace: kind.namespace,
            state: kind.state,
            slot,
            executions,
        });
        out.insert(rows.collect())
    }
}

/// Sums up what passes, by one of the columns. The rows are looked at as if they were executions.
struct Sum<'a> {
    project: &'a str,
    predicate: &'a Predicate,
    column: &'static str,
}

impl<DB> QueryFragment<DB> for Sum<'_>
where
    DB: Binds,
    String: ToSql<Text, DB>,
    str: ToSql<Text, DB>,
    Predicate: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_sql(self.column);
        out.push_sql(
            ", CAST(sum(executions.executions) AS BIGINT) \
             FROM execution_counts AS executions WHERE executions.project = ",
        );
        out.push_bind_param::<Text, _>(self.project)?;
        out.push_sql(" AND ");
        self.predicate.walk_ast(out.reborrow())?;
        out.push_sql(" GROUP BY ");
        out.push_sql(self.column);
        Ok(())
    }
}

impl QueryId for Sum<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sum<'_> {
    type SqlType = (Text, BigInt);
}

impl<C> RunQueryDsl<C> for Sum<'_> {}

/// Counts executions by a predicate that reads nothing but [`COLUMNS`].
pub(crate) fn count(
    conn: &mut Conn,
    project: &str,
    predicate: &Predicate,
    group: Option<CountGroup>,
    max_groups: u32,
) -> Result<Counts, Error> {
    let column = match group {
        None | Some(CountGroup::State) => COLUMNS[0],
        Some(CountGroup::WorkflowName) => COLUMNS[1],
    };
    let sum = Sum {
        project,
        predicate,
        column,
    };
    let sums = both!(conn, |c| sum.load::<(String, i64)>(c))?;
    Ok(sum_up(sums, group, max_groups))
}

/// Puts numbers together that belong to the same group; the groups are the `max_groups` largest,
/// if they are asked for.
pub(crate) fn sum_up(
    numbers: impl IntoIterator<Item = (String, i64)>,
    group: Option<CountGroup>,
    max_groups: u32,
) -> Counts {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for (name, count) in numbers {
        *sums.entry(name).or_default() += count;
    }
    let total = sums.values().sum();
    let mut groups: Vec<(String, i64)> = Vec::new();
    if group.is_some() {
        groups.extend(sums.into_iter().filter(|(_, count)| *count > 0));
    }
    // Equal ones stay in the order of their names.
    groups.sort_by_key(|(_, count)| Reverse(*count));
    groups.truncate(max_groups as usize);
    Counts {
        total,
        groups: groups.into_iter().collect(),
    }
}
