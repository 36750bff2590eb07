//! Filters as SQL. Values are always bound, never part of the text.
//!
//! A filter is checked and turned into tests on columns first (`Predicate::of_…`), so that writing
//! it cannot fail. Only functions that both databases have are used. Under NOT a test of a column
//! without value is false, never NULL, so that NOT makes it true; elsewhere NULL is as good as
//! false, and `IS NOT NULL` would keep SQLite from using the index of that column.

use std::ops::RangeInclusive;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Bool, HasSqlType, Text};

/// A condition on the rows of a query.
#[derive(Clone, Debug)]
pub(crate) struct Predicate(pub(crate) Node);

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// Every one of these.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// The column has a value.
    HasValue(&'static str),
    /// The execution was started by another one. A literal, as the index of children says it.
    IsChild,
    /// The column has a value and it passes.
    Column(&'static str, Test),
    /// The execution has a label of that key in that project, and its value passes.
    Label {
        project: String,
        key: String,
        test: Option<Test>,
    },
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// `value sign text`
    Text(Sign, String),
    /// Begins with.
    StartsWith(String),
    /// Ends with.
    EndsWith(String),
    /// Has somewhere in it.
    Contains(String),
    /// `value sign number`
    Number(Sign, i64),
    /// Equals.
    Bytes(Vec<u8>),
    /// Equals.
    Flag(bool),
}

/// A sign of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Sign {
    const fn sql(self) -> &'static str {
        match self {
            Self::Equal => " = ",
            Self::Less => " < ",
            Self::LessOrEqual => " <= ",
            Self::Greater => " > ",
            Self::GreaterOrEqual => " >= ",
        }
    }
}

/// What becomes of a test of a column without value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    /// It is NULL, which counts as false here.
    False,
    /// It is made false, because it stands under a NOT.
    Tested,
}

/// What a database must be able to bind for predicates.
pub(crate) trait Binds:
    Backend + HasSqlType<Text> + HasSqlType<Binary> + HasSqlType<BigInt> + HasSqlType<Bool>
{
}

impl<DB> Binds for DB where
    DB: Backend + HasSqlType<Text> + HasSqlType<Binary> + HasSqlType<BigInt> + HasSqlType<Bool>
{
}

impl Node {
    fn reads_only(&self, columns: &[&str]) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().all(|n| n.reads_only(columns)),
            Self::Not(node) => node.reads_only(columns),
            Self::HasValue(column) | Self::Column(column, _) => columns.contains(column),
            Self::IsChild | Self::Label { .. } => false,
        }
    }

    /// Whether it passes where that column is that text, as far as this column decides.
    fn with(&self, of: &str, value: &str) -> Option<bool> {
        match self {
            Self::All(nodes) => decided(nodes, false, |node| node.with(of, value)),
            Self::Any(nodes) => decided(nodes, true, |node| node.with(of, value)),
            Self::Not(node) => node.with(of, value).map(|passes| !passes),
            Self::Column(column, Test::Text(Sign::Equal, text)) if *column == of => {
                Some(text == value)
            }
            _ => None,
        }
    }

    fn read_as(&mut self, of: &str, expression: &'static str) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => {
                for node in nodes {
                    node.read_as(of, expression);
                }
            }
            Self::Not(node) => node.read_as(of, expression),
            Self::HasValue(column) | Self::Column(column, _) if *column == of => {
                *column = expression;
            }
            Self::HasValue(_) | Self::Column(..) | Self::IsChild | Self::Label { .. } => {}
        }
    }

    /// The text that the column must be for this to pass, as far as that is plain to see.
    fn equal_to(&self, of: &str) -> Option<&str> {
        match self {
            Self::All(nodes) => nodes.iter().find_map(|node| node.equal_to(of)),
            Self::Column(column, Test::Text(Sign::Equal, text)) if *column == of => Some(text),
            _ => None,
        }
    }

    fn span_of(&self, of: &str) -> RangeInclusive<i64> {
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        match self {
            Self::All(nodes) => {
                for node in nodes {
                    let span = node.span_of(of);
                    low = low.max(*span.start());
                    high = high.min(*span.end());
                }
            }
            // Less and more are here as good as equal: each value still passes the test itself.
            Self::Column(column, Test::Number(sign, number)) if *column == of => match sign {
                Sign::Equal => (low, high) = (*number, *number),
                Sign::Less | Sign::LessOrEqual => high = *number,
                Sign::Greater | Sign::GreaterOrEqual => low = *number,
            },
            _ => {}
        }
        low..=high
    }

    fn write<'b, DB>(&'b self, nulls: Nulls, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Binds,
        String: ToSql<Text, DB>,
        Vec<u8>: ToSql<Binary, DB>,
        i64: ToSql<BigInt, DB>,
        bool: ToSql<Bool, DB>,
    {
        match self {
            Self::All(nodes) => write_list(nodes, (" AND ", "TRUE"), nulls, out),
            Self::Any(nodes) => write_list(nodes, (" OR ", "FALSE"), nulls, out),
            Self::Not(node) => {
                out.push_sql("NOT ");
                node.write(Nulls::Tested, out)
            }
            Self::HasValue(column) => {
                out.push_sql("(");
                out.push_sql(column);
                out.push_sql(" IS NOT NULL)");
                Ok(())
            }
            Self::IsChild => {
                out.push_sql("executions.depth > 0");
                Ok(())
            }
            Self::Column(column, test) => {
                out.push_sql("(");
                if nulls == Nulls::Tested {
                    out.push_sql(column);
                    out.push_sql(" IS NOT NULL AND ");
                }
                test.write(column, out)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Label { project, key, test } => {
                out.push_sql(
                    "executions.uid IN (SELECT uid FROM execution_labels WHERE project = ",
                );
                out.push_bind_param::<Text, _>(project)?;
                out.push_sql(" AND label_key = ");
                out.push_bind_param::<Text, _>(key)?;
                if let Some(test) = test {
                    out.push_sql(" AND ");
                    test.write("label_value", out)?;
                }
                out.push_sql(")");
                Ok(())
            }
        }
    }
}

/// What comes of nodes of which one that answers so decides for all.
fn decided(nodes: &[Node], decisive: bool, answer: impl Fn(&Node) -> Option<bool>) -> Option<bool> {
    let mut all_are_known = true;
    for node in nodes {
        match answer(node) {
            Some(answer) if answer == decisive => return Some(decisive),
            Some(_) => {}
            None => all_are_known = false,
        }
    }
    all_are_known.then_some(!decisive)
}

fn write_list<'b, DB>(
    nodes: &'b [Node],
    (between, none): (&str, &str),
    nulls: Nulls,
    out: &mut AstPass<'_, 'b, DB>,
) -> QueryResult<()>
where
    DB: Binds,
    String: ToSql<Text, DB>,
    Vec<u8>: ToSql<Binary, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
{
    let Some((first, rest)) = nodes.split_first() else {
        out.push_sql(none);
        return Ok(());
    };
    out.push_sql("(");
    first.write(nulls, out)?;
    for node in rest {
        out.push_sql(between);
        node.write(nulls, out)?;
    }
    out.push_sql(")");
    Ok(())
}

impl Test {
    fn write<'b, DB>(&'b self, column: &str, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Binds,
        String: ToSql<Text, DB>,
        Vec<u8>: ToSql<Binary, DB>,
        i64: ToSql<BigInt, DB>,
        bool: ToSql<Bool, DB>,
    {
        match self {
            Self::Text(sign, text) => {
                out.push_sql(column);
                out.push_sql(sign.sql());
                out.push_bind_param::<Text, _>(text)
            }
            Self::StartsWith(text) => {
                push_call(out, &["substr(", column, ", 1, length("]);
                out.push_bind_param::<Text, _>(text)?;
                out.push_sql(")) = ");
                out.push_bind_param::<Text, _>(text)
            }
            Self::EndsWith(text) => {
                // A start before the first character means different things to the databases.
                push_call(out, &["(length(", column, ") >= length("]);
                out.push_bind_param::<Text, _>(text)?;
                push_call(
                    out,
                    &[") AND substr(", column, ", length(", column, ") - length("],
                );
                out.push_bind_param::<Text, _>(text)?;
                out.push_sql(") + 1) = ");
                out.push_bind_param::<Text, _>(text)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Contains(text) => {
                push_call(out, &["replace(", column, ", "]);
                out.push_bind_param::<Text, _>(text)?;
                push_call(out, &[", '') <> ", column]);
                Ok(())
            }
            Self::Number(sign, number) => {
                out.push_sql(column);
                out.push_sql(sign.sql());
                out.push_bind_param::<BigInt, _>(number)
            }
            Self::Bytes(bytes) => {
                push_call(out, &[column, " = "]);
                out.push_bind_param::<Binary, _>(bytes)
            }
            Self::Flag(flag) => {
                push_call(out, &[column, " = "]);
                out.push_bind_param::<Bool, _>(flag)
            }
        }
    }
}

fn push_call<DB: Backend>(out: &mut AstPass<'_, '_, DB>, parts: &[&str]) {
    for part in parts {
        out.push_sql(part);
    }
}

impl Predicate {
    /// Whether it reads no other columns than these.
    pub(crate) fn reads_only(&self, columns: &[&str]) -> bool {
        self.0.reads_only(columns)
    }

    /// The text that a column must equal for all that passes, as far as that is plain to see.
    pub(crate) fn equal_to(&self, column: &str) -> Option<&str> {
        self.0.equal_to(column)
    }

    /// Whether nothing passes where that column is that text.
    pub(crate) fn excludes(&self, column: &str, value: &str) -> bool {
        self.0.with(column, value) == Some(false)
    }

    /// Reads that column another way, of the same value.
    pub(crate) fn read_as(&mut self, column: &str, expression: &'static str) {
        self.0.read_as(column, expression);
    }

    /// Between which values a column of numbers is where it passes, as far as that is plain to see.
    pub(crate) fn span_of(&self, column: &str) -> RangeInclusive<i64> {
        self.0.span_of(column)
    }
}

impl<DB> QueryFragment<DB> for Predicate
where
    DB: Binds,
    String: ToSql<Text, DB>,
    Vec<u8>: ToSql<Binary, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // There are as many texts as clients think of: kept statements would pile up.
        out.unsafe_to_cache_prepared();
        self.0.write(Nulls::False, &mut out)
    }
}

impl Expression for Predicate {
    type SqlType = Bool;
}

impl QueryId for Predicate {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<GroupBy> ValidGrouping<GroupBy> for Predicate {
    type IsAggregate = is_aggregate::Never;
}

impl<Tables> AppearsOnTable<Tables> for Predicate {}
impl<Tables> SelectableExpression<Tables> for Predicate {}

/// Executions that are not in a final state. The words are part of the text: only so does the
/// database see that its index of unfinished executions answers the question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfinished;

impl<DB: Backend> QueryFragment<DB> for Unfinished {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "(executions.state <> 'SUCCESS' AND executions.state <> 'ERROR' \
             AND executions.state <> 'CANCELLED' AND executions.state <> 'ROLLED_BACK')",
        );
        Ok(())
    }
}

impl Expression for Unfinished {
    type SqlType = Bool;
}

impl QueryId for Unfinished {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<GroupBy> ValidGrouping<GroupBy> for Unfinished {
    type IsAggregate = is_aggregate::Never;
}

impl<Tables> AppearsOnTable<Tables> for Unfinished {}
impl<Tables> SelectableExpression<Tables> for Unfinished {}
