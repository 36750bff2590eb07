//! Conditions on lists, as a tree.
//!
//! Left to others: reading the text form (`server::api`), writing SQL (`predicate`).

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<F> {
    /// Every one of these; all rows if there are none.
    And(Vec<Self>),
    /// At least one of these; no row if there are none.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// `field operator value`.
    Compare {
        /// What is compared.
        field: F,
        /// How.
        operator: Operator,
        /// With what.
        value: FilterValue,
    },
}

impl<F> Filter<F> {
    /// The filter that lets every row through.
    pub const fn all() -> Self {
        Self::And(Vec::new())
    }
}

impl<F> Default for Filter<F> {
    fn default() -> Self {
        Self::all()
    }
}

/// How a field is compared. A field without value is equal to nothing, and `!=` to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`; with a pattern: matches it.
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `:`, which for single values is `=`.
    Has,
}

/// What a field is compared with. Fields of ids and states take their text form.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterValue {
    /// Exactly this text.
    Text(String),
    /// `text*`
    StartsWith(String),
    /// `*text`
    EndsWith(String),
    /// `*text*`
    Contains(String),
    /// `*`: any value at all.
    Present,
    /// A time, microseconds since the epoch.
    Time(i64),
}

/// Fields of executions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExecutionField {
    /// The id chosen by the client, or the uid if there is none. Patterns match chosen ids only.
    ExecutionId,
    /// The uid.
    Uid,
    /// The state word.
    State,
    /// Full name of the workflow.
    WorkflowName,
    /// Namespace of the workflow.
    WorkflowNamespace,
    /// When it was accepted.
    CreateTime,
    /// When it last changed.
    UpdateTime,
    /// When it finished.
    EndTime,
    /// The free text.
    Description,
    /// Uid of the execution that was started from outside.
    RootExecution,
    /// Text form of the id of the task that started it.
    ParentTask,
    /// What it runs: WORKFLOW or ACTION.
    Kind,
    /// The label of that key.
    Label(String),
}

/// Fields of task executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskField {
    /// Name of the task.
    Name,
    /// The state word.
    State,
    /// `ACTION` or `WORKFLOW`.
    Type,
}

/// Fields of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefinitionField {
    /// Full name.
    Name,
    /// Namespace.
    Namespace,
    /// Name of the workbook that it came with.
    Workbook,
    /// Any of its tags.
    Tag,
    /// When its first revision was created.
    CreateTime,
    /// When its latest revision was created.
    UpdateTime,
}

/// Fields of environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvironmentField {
    /// Name.
    Name,
    /// When it was created.
    CreateTime,
    /// When it was last changed.
    UpdateTime,
}
