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

/// The steps of the plan for a page.
fn plan_of(conn: &mut Conn, filter: &Filter<Field>) -> Vec<String> {
    let mut predicate = lower::executions("default", filter).unwrap();
    leave_the_rarer(conn, "default", &mut predicate).unwrap();
    let (from, before) = ordered_by_uid(&mut predicate);
    let page = newest("default", &from, &before, &predicate, 101);
    steps(conn, page.select(codec::columns::<ExecutionRow>()))
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
    let cases = [
        ("everything", Filter::And(Vec::new()), "executions_by_uid"),
        ("a state", state(), "executions_by_state"),
        ("a workflow", workflow(), "executions_by_workflow"),
        ("a time", younger(5), "executions_by_uid"),
        (
            "a state that is not",
            Filter::Not(Box::new(state())),
            "executions_by_uid",
        ),
        (
            "a state that is rarer than the workflow",
            Filter::And(vec![state(), workflow()]),
            "executions_by_state",
        ),
        (
            "a workflow that is rarer than the state",
            Filter::And(vec![is(Field::State, "SUCCESS"), workflow()]),
            "executions_by_workflow",
        ),
    ];
    for (name, filter, index) in cases {
        let steps = plan_of(conn, &filter);
        assert!(
            steps.len() == 1 && steps[0].contains(&format!("INDEX {index} ")),
            "{name}: {steps:?}"
        );
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
fn only_rare_states_are_looked_at_one_by_one() {
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
    let mut words = |filter| {
        let predicate = lower::executions("default", &filter).unwrap();
        let states = rare_states(conn, "default", &predicate).unwrap();
        states.map(|states| states.iter().map(|state| state.word()).collect::<Vec<_>>())
    };
    let all_but_success = [
        "IDLE",
        "RUNNING",
        "PAUSED",
        "ERROR",
        "CANCELLED",
        "ROLLING_BACK",
        "ROLLED_BACK",
    ];
    assert_eq!(words(not(success())), Some(all_but_success.to_vec()));
    let both = Filter::And(vec![is(Field::WorkflowName, "orders"), not(success())]);
    assert_eq!(words(both), Some(all_but_success.to_vec()));
    let either = Filter::Or(vec![error(), is(Field::State, "PAUSED")]);
    assert_eq!(words(either), Some(vec!["PAUSED", "ERROR"]));
    // Most are in these states, one state has an index, and a workflow says nothing of states.
    assert_eq!(words(not(error())), None);
    assert_eq!(words(error()), None);
    let open = Filter::Or(vec![error(), is(Field::WorkflowName, "orders")]);
    assert_eq!(words(open), None);
}
