//! The functions that Mistral adds to both languages: what an expression may know of the workflow.

use std::sync::Arc;

use expr::{Dict, Host, HostError, Value};
use uuid::Uuid;

use crate::execution::Execution;
use crate::record::{ExecutionRecord, TaskRecord};
use crate::state::{ActionState, TaskState};
use crate::task::result_of;
use crate::world::{Query, World};

/// Answers the functions for one evaluation.
pub(crate) struct EngineHost<'a> {
    pub(crate) execution: &'a Execution,
    /// The task that the expression belongs to.
    pub(crate) task: Option<u32>,
    pub(crate) world: &'a dyn World,
    pub(crate) now_us: i64,
    /// Distinguishes the random values of one event.
    pub(crate) draws: &'a std::cell::Cell<u64>,
    /// If the task undoes another one: the action execution of that one that is being undone.
    pub(crate) unit: Option<u32>,
}

type Kwargs<'a> = &'a [(Arc<str>, Value)];

impl Host for EngineHost<'_> {
    fn call(&self, name: &str, args: &[Value], kwargs: Kwargs<'_>) -> Result<Value, HostError> {
        match name {
            "env" => Arguments::bind(name, &[], args, kwargs).map(|_| self.execution.env()),
            "execution" => {
                Arguments::bind(name, &[], args, kwargs).map(|_| execution_value(self.execution))
            }
            "now" => Ok(Value::Int(self.now_us)),
            "uuid" => Arguments::bind(name, &[], args, kwargs).map(|_| self.uuid()),
            #[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
            "random" => Ok(Value::Float(
                (self.draw() >> 11) as f64 / (1u64 << 53) as f64,
            )),
            "global" => self.global(&Arguments::bind(name, &["name"], args, kwargs)?),
            "task" => self.task(&Arguments::bind(name, &["name"], args, kwargs)?),
            "tasks" => self.tasks(&Arguments::bind(
                name,
                &["workflow_execution_id", "recursive", "state", "flat"],
                args,
                kwargs,
            )?),
            "executions" => self.executions(&Arguments::bind(
                name,
                &["id", "root_execution_id", "state", "from_time", "to_time"],
                args,
                kwargs,
            )?),
            other => Err(HostError::new(format!("unknown function {other}()"))),
        }
    }
}

impl EngineHost<'_> {
    /// The next pseudo-random number: a function of the execution, the time and the count.
    fn draw(&self) -> u64 {
        let bytes = self.draw_bytes();
        u64::from_le_bytes(bytes[..8].try_into().expect("eight of sixteen bytes"))
    }

    fn draw_bytes(&self) -> [u8; 16] {
        self.draws.set(self.draws.get() + 1);
        let record = &self.execution.record;
        let seed = format!(
            "{}/{}/{}",
            self.now_us,
            record.last_sequence,
            self.draws.get()
        );
        Uuid::new_v5(&record.uid.0, seed.as_bytes()).into_bytes()
    }

    fn uuid(&self) -> Value {
        let uuid = uuid::Builder::from_random_bytes(self.draw_bytes()).into_uuid();
        Value::from(uuid.hyphenated().to_string())
    }

    fn global(&self, arguments: &Arguments) -> Result<Value, HostError> {
        let name = arguments.required_text("name")?;
        Ok(self.execution.globals.get(&name).unwrap_or(Value::Null))
    }

    fn task(&self, arguments: &Arguments) -> Result<Value, HostError> {
        let execution = self.execution;
        let own = self.task.map(|number| &execution.task(number).record);
        // What undoes a task speaks of that task as of itself.
        let undone = own.and_then(|own| own.runtime.undo_of);
        let itself = undone.or(self.task);
        let number = match arguments.text("name")? {
            None => itself.ok_or_else(|| {
                HostError::new("task() without a name is known inside a task only")
            })?,
            Some(name) => {
                // The task itself, if it is meant; else its latest execution.
                let own = itself.filter(|number| *execution.task(*number).record.name == *name);
                let spec = execution.workflow().tasks.get_index_of(&*name);
                match own.or_else(|| spec.and_then(|spec| execution.latest[spec])) {
                    Some(number) => number,
                    None => return Ok(Value::Null),
                }
            }
        };
        let record = &execution.task(number).record;
        let value = task_value(execution, record);
        match self.unit {
            Some(unit) if undone == Some(number) => Ok(with_unit(value, record, unit)),
            _ => Ok(value),
        }
    }

    fn tasks(&self, arguments: &Arguments) -> Result<Value, HostError> {
        let query = Query {
            id: arguments.text("workflow_execution_id")?,
            recursive: arguments.get("recursive").truthy(),
            state: arguments.text("state")?,
            flat: arguments.get("flat").truthy(),
            ..Query::default()
        };
        let own_id: Arc<str> = self.execution.record.uid.to_string().into();
        let mut found = Vec::new();
        if query.id.as_ref().is_none_or(|id| *id == own_id) {
            let own = self
                .execution
                .tasks()
                .filter(|record| is_wanted(record, &query));
            found.extend(own.map(|record| task_value(self.execution, record)));
        }
        let mut ask = |query: &Query| {
            let tasks = self.world.tasks(&self.execution.record.project, query);
            found.extend(tasks.map_err(HostError::new)?);
            Ok(())
        };
        if query.id.as_ref() != Some(&own_id) {
            let except = Some(own_id);
            ask(&Query { except, ..query })?;
        } else if query.recursive {
            let actions = self.execution.tasks().flat_map(|record| &record.actions);
            for child in actions.filter_map(|action| action.child) {
                let id = Some(child.to_string().into());
                ask(&Query {
                    id,
                    ..query.clone()
                })?;
            }
        }
        Ok(found.into_iter().collect())
    }

    fn executions(&self, arguments: &Arguments) -> Result<Value, HostError> {
        let query = Query {
            id: arguments.text("id")?,
            root_execution_id: arguments.text("root_execution_id")?,
            state: arguments.text("state")?,
            from_us: arguments.time("from_time")?,
            to_us: arguments.time("to_time")?,
            except: Some(self.execution.record.uid.to_string().into()),
            ..Query::default()
        };
        let project = &self.execution.record.project;
        let mut found = self
            .world
            .executions(project, &query)
            .map_err(HostError::new)?;
        // The store counts the execution at the top to its own tree; here it has no root.
        if query.root_execution_id.is_some() {
            found.retain(|row| {
                row.get("root_execution_id")
                    .is_some_and(|root| !root.is_null())
            });
        }
        if selects(&query, &self.execution.record) {
            found.push(execution_value(self.execution));
        }
        Ok(found.into_iter().collect())
    }
}

/// Whether a query asks for an execution.
pub fn selects(query: &Query, record: &ExecutionRecord) -> bool {
    let is = |wanted: &Option<Arc<str>>, value: &dyn Fn() -> String| {
        wanted.as_ref().is_none_or(|wanted| **wanted == *value())
    };
    is(&query.id, &|| record.uid.to_string())
        && is(&query.root_execution_id, &|| {
            root_of(record).unwrap_or_default()
        })
        && is(&query.state, &|| record.state.word().to_owned())
        && query.from_us.is_none_or(|from| record.created_us >= from)
        && query.to_us.is_none_or(|to| record.created_us < to)
}

/// Whether `tasks()` lists a task of one execution.
pub fn is_wanted(record: &TaskRecord, query: &Query) -> bool {
    if record.is_undo() {
        return false;
    }
    if query
        .state
        .as_deref()
        .is_some_and(|state| state != record.state.word())
    {
        return false;
    }
    // Flat: a workflow task shows only where its state is not one of its children's.
    let shown_by_child = |record: &TaskRecord| {
        let states = record.actions.iter().map(|action| action.state);
        record.is_workflow && states.map(task_state_of).any(|state| state == record.state)
    };
    !(query.flat && shown_by_child(record))
}

fn task_state_of(state: ActionState) -> TaskState {
    match state {
        ActionState::Running => TaskState::Running,
        ActionState::Paused => TaskState::Paused,
        ActionState::Success => TaskState::Success,
        ActionState::Error => TaskState::Error,
        ActionState::Cancelled => TaskState::Cancelled,
    }
}

/// What `execution()` gives.
pub fn execution_value(execution: &Execution) -> Value {
    let record = &execution.record;
    let spec = execution.workflow().spec.clone();
    Value::Dict(execution_dict(record, spec))
}

/// The execution at the top of the tree; that one itself has none, as in Mistral.
fn root_of(record: &ExecutionRecord) -> Option<String> {
    record.parent.map(|_| record.root.to_string())
}

/// What `execution()` and `executions()` show of one execution.
pub fn execution_dict(record: &ExecutionRecord, spec: Value) -> Dict {
    let entries = [
        ("id", Value::from(record.uid.to_string())),
        ("name", Value::from(record.definition.name.clone())),
        ("spec", spec),
        ("input", record.input.value().clone()),
        ("params", record.params.value().clone()),
        ("state", Value::from(record.state.word())),
        ("state_info", Value::from(record.state_info.clone())),
        (
            "output",
            record
                .output
                .as_ref()
                .map_or(Value::Null, |output| output.value().clone()),
        ),
        ("created_at", Value::from(time_text(record.created_us))),
        ("updated_at", Value::from(time_text(record.updated_us))),
        ("root_execution_id", Value::from(root_of(record))),
    ];
    entries.into_iter().collect()
}

/// What `task()` and `tasks()` show of one task.
pub fn task_value(execution: &Execution, record: &TaskRecord) -> Value {
    let spec = &execution.workflow().tasks[&record.name];
    let id = execution.task_id(record.number);
    let published = record.published.as_ref();
    let entries = [
        ("id", Value::from(id.to_string())),
        ("name", Value::from(record.name.clone())),
        ("spec", spec.spec.clone()),
        ("state", Value::from(record.state.word())),
        ("state_info", Value::from(record.state_info.clone())),
        ("result", result_of(spec, record)),
        (
            "published",
            published.map_or_else(|| Value::Dict(Dict::new()), |p| p.value().clone()),
        ),
        (
            "type",
            Value::from(if record.is_workflow {
                "WORKFLOW"
            } else {
                "ACTION"
            }),
        ),
        (
            "workflow_execution_id",
            Value::from(execution.record.uid.to_string()),
        ),
        ("created_at", Value::from(time_text(record.created_us))),
        ("updated_at", Value::from(time_text(record.updated_us))),
    ];
    Value::Dict(entries.into_iter().collect())
}

/// A task as what undoes it sees it: with the input and result of the one action that is undone.
fn with_unit(task: Value, record: &TaskRecord, unit: u32) -> Value {
    let Value::Dict(mut task) = task else {
        return task;
    };
    let action = record.actions.iter().find(|action| action.number == unit);
    let output = action.and_then(|action| action.output.as_ref());
    let input = action.map(|action| action.input.value().clone());
    task.insert(
        "result",
        output.map_or(Value::Null, |output| output.value().clone()),
    );
    task.insert("input", input.unwrap_or(Value::Null));
    Value::Dict(task)
}

/// A time as Mistral shows it: `YYYY-mm-dd HH:MM:SS`, UTC.
pub fn time_text(time_us: i64) -> String {
    let seconds = time_us.div_euclid(1_000_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar. Counts in eras of
/// 400 years that begin on the first of March, so that the leap day is the last of its year.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Arguments of a function, by name.
struct Arguments(Vec<(&'static str, Value)>);

impl Arguments {
    fn bind(
        function: &str,
        names: &[&'static str],
        args: &[Value],
        kwargs: Kwargs<'_>,
    ) -> Result<Self, HostError> {
        if args.len() > names.len() {
            let most = names.len();
            return Err(HostError::new(format!(
                "{function}() takes at most {most} arguments"
            )));
        }
        let mut bound: Vec<_> = names.iter().copied().zip(args.iter().cloned()).collect();
        for (name, value) in kwargs {
            let known = names
                .iter()
                .find(|known| ***known == **name)
                .ok_or_else(|| {
                    HostError::new(format!("{function}() has no argument called {name}"))
                })?;
            if bound.iter().any(|(name, _)| name == known) {
                return Err(HostError::new(format!("{function}() got {name} twice")));
            }
            bound.push((known, value.clone()));
        }
        Ok(Self(bound))
    }

    fn get(&self, name: &str) -> Value {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    }

    fn text(&self, name: &str) -> Result<Option<Arc<str>>, HostError> {
        match self.get(name) {
            Value::Null => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            other => {
                let kind = other.type_name();
                Err(HostError::new(format!(
                    "argument {name} must be a string, not {kind}"
                )))
            }
        }
    }

    fn required_text(&self, name: &str) -> Result<Arc<str>, HostError> {
        self.text(name)?
            .ok_or_else(|| HostError::new(format!("argument {name} is missing")))
    }

    /// A time as text (`YYYY-mm-dd HH:MM:SS` or its beginning), in microseconds.
    fn time(&self, name: &str) -> Result<Option<i64>, HostError> {
        let value = match self.get(name) {
            Value::Null => return Ok(None),
            Value::DateTime(time) => return Ok(Some(time.instant())),
            other => other.to_text(),
        };
        let malformed = || HostError::new(format!("argument {name} is not a time: {value}"));
        let mut numbers = value
            .split(['-', ' ', ':', 'T', '.', 'Z'])
            .filter(|part| !part.is_empty());
        let mut next = |default: i64| match numbers.next() {
            None => Ok(default),
            Some(part) => part.parse::<i64>().map_err(|_| malformed()),
        };
        let (year, month, day) = (next(1970)?, next(1)?, next(1)?);
        let (hour, minute, second) = (next(0)?, next(0)?, next(0)?);
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(malformed());
        }
        let seconds = days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Ok(Some(seconds * 1_000_000))
    }
}

/// The inverse of [`civil_date`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}
