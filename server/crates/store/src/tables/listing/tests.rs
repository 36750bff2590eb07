//! Which index a page is read by: a wrong one gives the right rows, but reads all there are.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::Sqlite;

use super::*;
use crate::config::Config;
use crate::filter::{ExecutionField as Field, Filter, FilterValue, Operator};
use crate::lower;
use crate::store::Store;

/// How the database would run that query.
struct Plan<Q>(Q);

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Plan<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("EXPLAIN QUERY PLAN ");
        self.0.walk_ast(out)
    }
}

impl<Q> Query for Plan<Q> {
    type SqlType = (Integer, Integer, Integer, Text);
}

impl<Q> QueryId for Plan<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> RunQueryDsl<SqliteConnection> for Plan<Q> {}

/// The steps of the plan for each part of a page.
fn plans_of(conn: &mut Conn, filter: &Filter<Field>) -> Vec<Vec<String>> {
    let predicate = lower::executions("default", filter).unwrap();
    let parts = parts_of(conn, "default", predicate).unwrap();
    let plan_of = |mut predicate| {
        let (from, before) = ordered_by_uid(&mut predicate);
        let page = newest("default", &from, &before, &predicate, 101);
        steps(conn, page.select(codec::columns::<ExecutionRow>()))
    };
    parts.into_iter().map(plan_of).collect()
}

fn steps<Q: QueryFragment<Sqlite>>(conn: &mut Conn, query: Q) -> Vec<String> {
    let Conn::Sqlite(conn) = conn else {
        unreachable!("the test opens SQLite")
    };
    let steps = Plan(query).load::<(i32, i32, i32, String)>(conn).unwrap();
    steps.into_iter().map(|(.., step)| step).collect()
}

fn younger(time_us: i64) -> Filter<Field> {
    Filter::Compare {
        field: Field::CreateTime,
        operator: Operator::Greater,
        value: FilterValue::Time(time_us),
    }
}

fn is(field: Field, value: &str) -> Filter<Field> {
    Filter::Compare {
        field,
        operator: Operator::Equal,
        value: FilterValue::Text(value.to_owned()),
    }
}

#[test]
fn a_page_is_read_by_the_index_of_what_is_asked() {
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    let mut writer = store.writer().unwrap();
    let conn = &mut writer.read().conn;
    conn.run(
        "INSERT INTO execution_counts VALUES ('default', 'orders', '', 'PAUSED', 0, 3), \
         ('default', 'orders', '', 'ERROR', 0, 7), ('default', 'other', '', 'SUCCESS', 0, 50)",
    )
    .unwrap();
    let state = || is(Field::State, "PAUSED");
    let workflow = || is(Field::WorkflowName, "orders");
    let some_workflows = || Filter::Compare {
        field: Field::WorkflowName,
        operator: Operator::Equal,
        value: FilterValue::StartsWith("ord".to_owned()),
    };
    let by_workflow = "executions_by_workflow (project=? AND workflow_name=? AND state=? AND uid";
    let cases = [
        ("everything", Filter::And(Vec::new()), "executions_by_uid"),
        ("a state", state(), "executions_by_state"),
        ("a workflow", workflow(), by_workflow),
        ("a time", younger(5), "executions_by_uid"),
        (
            "a state that is not",
            Filter::Not(Box::new(state())),
            "executions_by_uid",
        ),
        (
            "a state of a workflow",
            Filter::And(vec![state(), workflow()]),
            by_workflow,
        ),
        (
            "some states of a workflow",
            Filter::And(vec![
                Filter::Or(vec![state(), is(Field::State, "SUCCESS")]),
                workflow(),
            ]),
            by_workflow,
        ),
        (
            "a state of some workflows",
            Filter::And(vec![state(), some_workflows()]),
            "executions_by_state",
        ),
        ("some workflows", some_workflows(), "executions_by_uid"),
        (
            "a workflow since some time",
            Filter::And(vec![younger(5), workflow()]),
            by_workflow,
        ),
    ];
    for (name, filter, index) in cases {
        for steps in plans_of(conn, &filter) {
            assert!(
                steps.len() == 1 && steps[0].contains(&format!("INDEX {index}")),
                "{name}: {steps:?}"
            );
        }
    }
}

#[test]
fn a_time_is_counted_by_its_index() {
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    let mut writer = store.writer().unwrap();
    let predicate = lower::executions("default", &younger(5)).unwrap();
    let steps = steps(&mut writer.read().conn, created("default", &predicate));
    let wanted = "USING COVERING INDEX executions_by_time ";
    assert!(steps.len() == 1 && steps[0].contains(wanted), "{steps:?}");
}

#[test]
fn states_are_looked_at_one_by_one_where_an_index_has_them() {
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    let mut writer = store.writer().unwrap();
    let conn = &mut writer.read().conn;
    conn.run(
        "INSERT INTO execution_counts VALUES ('default', 'orders', '', 'ERROR', 0, 7), \
         ('default', 'other', '', 'SUCCESS', 0, 50)",
    )
    .unwrap();
    let not = |filter| Filter::Not(Box::new(filter));
    let (error, success) = (|| is(Field::State, "ERROR"), || is(Field::State, "SUCCESS"));
    let orders = || is(Field::WorkflowName, "orders");
    let mut states = |filter| {
        let predicate = lower::executions("default", &filter).unwrap();
        let parts = parts_of(conn, "default", predicate).unwrap();
        let states = parts.iter().map(|part| part.equal_to(STATE.0));
        let states = states.map(|state| state.unwrap_or("any").to_owned());
        states.collect::<Vec<_>>()
    };
    let all: Vec<_> = ExecutionState::ALL
        .iter()
        .map(|state| state.word())
        .collect();
    let all_but_success: Vec<_> = all
        .iter()
        .copied()
        .filter(|word| *word != "SUCCESS")
        .collect();
    assert_eq!(states(not(success())), all_but_success);
    // Of one workflow, whatever else is asked.
    assert_eq!(states(orders()), all);
    assert_eq!(states(Filter::And(vec![orders(), younger(5)])), all);
    let both = Filter::And(vec![orders(), not(success())]);
    assert_eq!(states(both), all_but_success);
    let paused = || is(Field::State, "PAUSED");
    let either = Filter::Or(vec![error(), paused()]);
    assert_eq!(states(either.clone()), ["PAUSED", "ERROR"]);
    assert_eq!(
        states(Filter::And(vec![either, orders()])),
        ["PAUSED", "ERROR"]
    );
    let none = Filter::And(vec![not(Filter::Or(vec![error(), not(error())])), orders()]);
    assert_eq!(states(none), [""; 0]);
    // Most are in these states, one state has an index, and a workflow says nothing of states.
    assert_eq!(states(not(error())), ["any"]);
    assert_eq!(states(error()), ["ERROR"]);
    assert_eq!(states(Filter::And(vec![error(), orders()])), ["ERROR"]);
    let open = Filter::Or(vec![error(), orders()]);
    assert_eq!(states(open), ["any"]);
}
