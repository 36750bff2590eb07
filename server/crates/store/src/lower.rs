//! From filters to predicates: which column a field is, and which questions it takes.

use engine::{ExecutionState, ExecutionUid, TaskId, TaskState};

use crate::error::Error;
use crate::filter::{
    DefinitionField, EnvironmentField, ExecutionField, Filter, FilterValue, Operator, TaskField,
};
use crate::predicate::{Node, Predicate, Sign, Test};

/// Nesting of a filter. Databases have a limit of their own, with a worse message.
const MAX_DEPTH: usize = 50;

/// Comparisons of a filter.
const MAX_COMPARISONS: usize = 200;

/// Turns a filter on executions of a project into a predicate.
pub(crate) fn executions(
    project: &str,
    filter: &Filter<ExecutionField>,
) -> Result<Predicate, Error> {
    lower(filter, &|field, operator, value| {
        execution(project, field, operator, value)
    })
}

/// Turns a filter on tasks into a predicate.
pub(crate) fn tasks(filter: &Filter<TaskField>) -> Result<Predicate, Error> {
    lower(filter, &|field, operator, value| {
        task(*field, operator, value)
    })
}

/// Turns a filter on definitions, and maybe a namespace, into a predicate.
pub(crate) fn definitions(
    namespace: Option<&str>,
    filter: &Filter<DefinitionField>,
) -> Result<Predicate, Error> {
    let Predicate(node) = lower(filter, &|field, operator, value| {
        definition(*field, operator, value)
    })?;
    let namespace = namespace.map(|namespace| {
        Node::Column(
            "definitions.namespace",
            Test::Text(Sign::Equal, namespace.to_owned()),
        )
    });
    Ok(Predicate(Node::All(
        namespace.into_iter().chain([node]).collect(),
    )))
}

/// Turns a filter on environments into a predicate.
pub(crate) fn environments(filter: &Filter<EnvironmentField>) -> Result<Predicate, Error> {
    use EnvironmentField as F;
    lower(filter, &|field, operator, value| match field {
        F::Name => text_column("environments.name", "name", operator, value),
        F::CreateTime => time_column("environments.created_us", "create_time", operator, value),
        F::UpdateTime => time_column("environments.updated_us", "update_time", operator, value),
    })
}

type Compare<'a, F> = dyn Fn(&F, Operator, &FilterValue) -> Result<Node, Error> + 'a;

fn lower<F>(filter: &Filter<F>, compare: &Compare<'_, F>) -> Result<Predicate, Error> {
    let mut comparisons = 0;
    lower_part(filter, compare, MAX_DEPTH, &mut comparisons).map(Predicate)
}

fn lower_part<F>(
    filter: &Filter<F>,
    compare: &Compare<'_, F>,
    depth: usize,
    comparisons: &mut usize,
) -> Result<Node, Error> {
    let too_large = |reason| Error::Filter {
        field: "(all)".to_owned(),
        reason,
    };
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| too_large("nested too deeply"))?;
    let mut list = |parts: &[Filter<F>]| -> Result<Vec<Node>, Error> {
        parts
            .iter()
            .map(|part| lower_part(part, compare, depth, comparisons))
            .collect()
    };
    match filter {
        Filter::And(parts) => list(parts).map(Node::All),
        Filter::Or(parts) => list(parts).map(Node::Any),
        Filter::Not(part) => Ok(Node::Not(Box::new(lower_part(
            part,
            compare,
            depth,
            comparisons,
        )?))),
        Filter::Compare {
            field,
            operator,
            value,
        } => {
            *comparisons += 1;
            if *comparisons > MAX_COMPARISONS {
                return Err(too_large("too many comparisons"));
            }
            if *operator == Operator::NotEqual {
                return Ok(Node::Not(Box::new(compare(field, Operator::Equal, value)?)));
            }
            compare(field, *operator, value)
        }
    }
}

fn execution(
    project: &str,
    field: &ExecutionField,
    operator: Operator,
    value: &FilterValue,
) -> Result<Node, Error> {
    use ExecutionField as F;
    let texts = |column, name| text_column(column, name, operator, value);
    let time = |column, name| time_column(column, name, operator, value);
    match field {
        F::ExecutionId => execution_id(operator, value),
        F::Uid => Ok(uid_is("executions.uid", parse_uid("uid", operator, value)?)),
        F::State => {
            let known = |word: &str| ExecutionState::from_word(word).is_some();
            word_column("executions.state", "state", known, operator, value)
        }
        F::WorkflowName => texts("executions.workflow_name", "workflow_name"),
        F::WorkflowNamespace => texts("executions.workflow_namespace", "workflow_namespace"),
        F::Description => texts("executions.description", "description"),
        F::CreateTime => time("executions.created_us", "create_time"),
        F::UpdateTime => time("executions.updated_us", "update_time"),
        F::EndTime => time("executions.finished_us", "end_time"),
        F::RootExecution => {
            let uid = parse_uid("root_execution_id", operator, value)?;
            let top = Node::Not(Box::new(Node::HasValue("executions.root_uid")));
            Ok(Node::Any(vec![
                uid_is("executions.root_uid", uid),
                Node::All(vec![top, uid_is("executions.uid", uid)]),
            ]))
        }
        F::ParentTask => parent_task(operator, value),
        F::Kind => kind(operator, value),
        F::Label(key) => {
            let name = format!("labels.{key}");
            let test = text_test(&name, operator, value)?;
            Ok(Node::Label {
                project: project.to_owned(),
                key: key.clone(),
                test,
            })
        }
    }
}

/// The chosen id, or else the uid.
fn execution_id(operator: Operator, value: &FilterValue) -> Result<Node, Error> {
    const COLUMN: &str = "executions.execution_id";
    const NAME: &str = "execution_id";
    let Some(asked) = text_test(NAME, operator, value)? else {
        return Ok(Node::All(Vec::new()));
    };
    let uid = match &asked {
        Test::Text(Sign::Equal, text) => text.parse::<ExecutionUid>().ok(),
        Test::Text(..) => return Err(refuse(NAME, "takes = and != only")),
        _ => None,
    };
    let mut ways = vec![Node::Column(COLUMN, asked)];
    ways.extend(uid.map(|uid| {
        let no_chosen_id = Node::Not(Box::new(Node::HasValue(COLUMN)));
        Node::All(vec![no_chosen_id, uid_is("executions.uid", uid)])
    }));
    Ok(Node::Any(ways))
}

/// What runs an action has a revision that no workflow has.
fn kind(operator: Operator, value: &FilterValue) -> Result<Node, Error> {
    let is_action = Node::Column("executions.revision", Test::Number(Sign::Equal, 0));
    match (operator, value) {
        (Operator::Equal | Operator::Has, FilterValue::Text(text)) => match &**text {
            "ACTION" => Ok(is_action),
            "WORKFLOW" => Ok(Node::Not(Box::new(is_action))),
            _ => Err(refuse("kind", "is WORKFLOW or ACTION")),
        },
        _ => Err(refuse("kind", "takes = and != with a word only")),
    }
}

fn parent_task(operator: Operator, value: &FilterValue) -> Result<Node, Error> {
    const NAME: &str = "parent_task_execution_id";
    match (operator, value) {
        (Operator::Equal | Operator::Has, FilterValue::Present) => Ok(Node::IsChild),
        (Operator::Equal | Operator::Has, FilterValue::Text(text)) => {
            let id: TaskId = text
                .parse()
                .map_err(|_| refuse(NAME, "is not the id of a task execution"))?;
            let number = Test::Number(Sign::Equal, i64::from(id.number));
            Ok(Node::All(vec![
                Node::IsChild,
                uid_is("executions.parent_uid", id.execution),
                Node::Column("executions.parent_task", number),
            ]))
        }
        _ => Err(refuse(NAME, "takes = and != with an id only")),
    }
}

fn task(field: TaskField, operator: Operator, value: &FilterValue) -> Result<Node, Error> {
    match field {
        TaskField::Name => text_column("tasks.name", "task_name", operator, value),
        TaskField::State => {
            let known = |word: &str| TaskState::from_word(word).is_some();
            word_column("tasks.state", "state", known, operator, value)
        }
        TaskField::Type => {
            let is_workflow = match (operator, value) {
                (Operator::Equal | Operator::Has, FilterValue::Text(text)) => match &**text {
                    "WORKFLOW" => true,
                    "ACTION" => false,
                    _ => return Err(refuse("type", "is ACTION or WORKFLOW")),
                },
                _ => return Err(refuse("type", "takes = and != with a word only")),
            };
            Ok(Node::Column("tasks.is_workflow", Test::Flag(is_workflow)))
        }
    }
}

fn definition(
    field: DefinitionField,
    operator: Operator,
    value: &FilterValue,
) -> Result<Node, Error> {
    use DefinitionField as F;
    match field {
        F::Name => text_column("definitions.name", "name", operator, value),
        F::Namespace => text_column("definitions.namespace", "namespace", operator, value),
        F::Workbook => text_column("definitions.workbook", "workbook", operator, value),
        F::CreateTime => time_column(
            "definitions.first_created_us",
            "create_time",
            operator,
            value,
        ),
        F::UpdateTime => time_column("definitions.created_us", "update_time", operator, value),
        F::Tag => tag(operator, value),
    }
}

/// Each tag is a JSON string in a line of its own; see `codec::tags`.
fn tag(operator: Operator, value: &FilterValue) -> Result<Node, Error> {
    const COLUMN: &str = "definitions.tags";
    if !matches!(operator, Operator::Equal | Operator::Has) {
        return Err(refuse("tag", "takes :, = and != only"));
    }
    let inside = |text: &str| {
        let json = crate::codec::json(text);
        json[1..json.len() - 1].to_owned()
    };
    let part = match value {
        FilterValue::Present => return Ok(Node::HasValue(COLUMN)),
        FilterValue::Text(text) => format!("\n\"{}\"\n", inside(text)),
        FilterValue::StartsWith(text) => format!("\n\"{}", inside(text)),
        FilterValue::EndsWith(text) => format!("{}\"\n", inside(text)),
        FilterValue::Contains(text) => inside(text),
        FilterValue::Time(_) => return Err(refuse("tag", "is a text")),
    };
    if part.is_empty() {
        return Ok(Node::HasValue(COLUMN));
    }
    Ok(Node::Column(COLUMN, Test::Contains(part)))
}

fn text_column(
    column: &'static str,
    name: &str,
    operator: Operator,
    value: &FilterValue,
) -> Result<Node, Error> {
    Ok(match text_test(name, operator, value)? {
        Some(test) => Node::Column(column, test),
        None => Node::HasValue(column),
    })
}

/// What is asked of a text; `None` asks only that there is one.
fn text_test(name: &str, operator: Operator, value: &FilterValue) -> Result<Option<Test>, Error> {
    let sign = sign(operator);
    if sign != Sign::Equal && !matches!(value, FilterValue::Text(_)) {
        return Err(refuse(
            name,
            "can be matched with a pattern by = and != only",
        ));
    }
    Ok(match value {
        FilterValue::Text(text) => Some(Test::Text(sign, text.clone())),
        FilterValue::StartsWith(text) => some_unless_empty(text, Test::StartsWith),
        FilterValue::EndsWith(text) => some_unless_empty(text, Test::EndsWith),
        FilterValue::Contains(text) => some_unless_empty(text, Test::Contains),
        FilterValue::Present => None,
        FilterValue::Time(_) => return Err(refuse(name, "is a text, not a time")),
    })
}

fn some_unless_empty(text: &str, ask: impl FnOnce(String) -> Test) -> Option<Test> {
    (!text.is_empty()).then(|| ask(text.to_owned()))
}

fn time_column(
    column: &'static str,
    name: &str,
    operator: Operator,
    value: &FilterValue,
) -> Result<Node, Error> {
    match (operator, value) {
        (_, FilterValue::Time(time_us)) => {
            Ok(Node::Column(column, Test::Number(sign(operator), *time_us)))
        }
        (Operator::Equal | Operator::Has, FilterValue::Present) => Ok(Node::HasValue(column)),
        _ => Err(refuse(name, "is a time")),
    }
}

fn word_column(
    column: &'static str,
    name: &str,
    known: impl Fn(&str) -> bool,
    operator: Operator,
    value: &FilterValue,
) -> Result<Node, Error> {
    match (operator, value) {
        (Operator::Equal | Operator::Has, FilterValue::Text(text)) if known(text) => {
            Ok(Node::Column(column, Test::Text(Sign::Equal, text.clone())))
        }
        (Operator::Equal | Operator::Has, FilterValue::Text(_)) => {
            Err(refuse(name, "is not one of the words that it can be"))
        }
        _ => Err(refuse(name, "takes = and != with a word only")),
    }
}

fn parse_uid(name: &str, operator: Operator, value: &FilterValue) -> Result<ExecutionUid, Error> {
    match (operator, value) {
        (Operator::Equal | Operator::Has, FilterValue::Text(text)) => {
            text.parse().map_err(|_| refuse(name, "is not a uid"))
        }
        _ => Err(refuse(name, "takes = and != with a uid only")),
    }
}

fn uid_is(column: &'static str, uid: ExecutionUid) -> Node {
    Node::Column(column, Test::Bytes(uid.0.as_bytes().to_vec()))
}

/// `!=` never comes here: it is the negation of `=`.
fn sign(operator: Operator) -> Sign {
    match operator {
        Operator::Equal | Operator::NotEqual | Operator::Has => Sign::Equal,
        Operator::Less => Sign::Less,
        Operator::LessOrEqual => Sign::LessOrEqual,
        Operator::Greater => Sign::Greater,
        Operator::GreaterOrEqual => Sign::GreaterOrEqual,
    }
}

fn refuse(field: &str, reason: &'static str) -> Error {
    Error::Filter {
        field: field.to_owned(),
        reason,
    }
}
