//! What can be said about a document: rules, severities, places. Saying it is left to `check`,
//! showing it to people to `render`.

use std::fmt;

use crate::position::Span;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document is accepted; the author probably means something else.
    Warning,
    /// The document is refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One finding about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it makes the document invalid.
    pub severity: Severity,
    /// The rule that is broken; its id is stable, the message is not.
    pub rule: Rule,
    /// What is wrong.
    pub message: String,
    /// Where in the text.
    pub span: Span,
    /// Where in the structure: `wf.tasks.t1.on-success[0]`. Empty for the document itself.
    pub path: String,
    /// What to do about it: "did you mean `publish`?"
    pub suggestion: Option<String>,
    /// Another place that matters, and why.
    pub related: Option<Related>,
}

/// A second place that a diagnostic points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where in the text.
    pub span: Span,
    /// What is there.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.span.start;
        write!(
            f,
            "{}:{}: {}[{}]: {}",
            start.line, start.column, self.severity, self.rule, self.message
        )
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal,)*) => {
        /// A rule that documents are checked against. Ids are never reused for another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Rule {
            /// Every rule, for reference pages.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable id.
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// What the rule is about, in a sentence or two.
            pub fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii_start(),)*
                }
            }
        }
    };
}

rules! {
    /// The text is longer than is read.
    DocumentTooLarge = "document-too-large",
    /// Lists and mappings are nested deeper than is read.
    DocumentTooDeep = "document-too-deep",
    /// The document has more values than are read.
    TooManyNodes = "too-many-nodes",
    /// The text is not YAML.
    YamlSyntax = "yaml-syntax",
    /// A YAML tag that has no meaning in a definition.
    UnknownTag = "unknown-tag",
    /// An expression in braces that YAML takes for a mapping.
    UnquotedExpression = "unquoted-expression",
    /// A mapping has the same key twice; the last one counts.
    DuplicateKey = "duplicate-key",
    /// A value has another type than its place needs.
    WrongType = "wrong-type",
    /// A value of the right type that is not one of those allowed.
    InvalidValue = "invalid-value",
    /// A text, list or mapping that must not be empty.
    EmptyValue = "empty-value",
    /// A list that must not repeat an item.
    RepeatedItem = "repeated-item",
    /// A key that is not text, such as an unquoted `on` or `1`.
    NonStringKey = "non-string-key",
    /// A key that has no meaning in its place.
    UnknownKey = "unknown-key",
    /// A key that must be there.
    MissingKey = "missing-key",
    /// Keys that exclude each other.
    ConflictingKeys = "conflicting-keys",
    /// A key that is accepted and has no effect.
    IgnoredKey = "ignored-key",
    /// The version is none that is supported.
    UnsupportedVersion = "unsupported-version",
    /// A name that cannot be used.
    InvalidName = "invalid-name",
    /// A task name longer than allowed.
    NameTooLong = "name-too-long",
    /// A transition or requirement names no task of the workflow.
    UnknownTask = "unknown-task",
    /// Every task waits for another one.
    NoStartTask = "no-start-task",
    /// A join that waits for more tasks than lead to it.
    ImpossibleJoin = "impossible-join",
    /// An expression breaks the grammar of its language.
    ExpressionSyntax = "expression-syntax",
    /// A string holds expressions of both languages.
    MixedExpressions = "mixed-expressions",
    /// An action or workflow text from which no name can be read.
    InvalidCall = "invalid-call",
    /// Text after an action or workflow name that is not read as a parameter.
    IgnoredParameter = "ignored-parameter",
    /// An item of `with-items` that is not of the form `name in source`.
    InvalidWithItems = "invalid-with-items",
    /// A transition that is lost because of the form of its clause.
    IgnoredTransition = "ignored-transition",
    /// A condition that is lost because of the form of its clause.
    IgnoredCondition = "ignored-condition",
    /// A transition to a task that has the name of an engine command goes to the command.
    CommandName = "command-name",
    /// A bad expression in a place that is only looked at when the workflow runs.
    LateExpressionError = "late-expression-error",
    /// An expression that is never evaluated.
    IgnoredExpression = "ignored-expression",
    /// No sequence of transitions leads to the task.
    UnreachableTask = "unreachable-task",
    /// Tasks that require each other can never run.
    RequirementCycle = "requirement-cycle",
    /// Ad-hoc actions that are the base of one another can never run.
    BaseCycle = "base-cycle",
    /// A join of branches of which only one can run.
    ExclusiveJoin = "exclusive-join",
    /// No function of this name exists.
    UnknownFunction = "unknown-function",
    /// Jinja has no filter, or no test, of this name.
    UnknownFilter = "unknown-filter",
    /// A function that never takes so many arguments, or arguments of these names.
    WrongArguments = "wrong-arguments",
    /// An expression reads a variable that nothing has set by then.
    UndefinedVariable = "undefined-variable",
    /// An expression asks for a task that the workflow does not have.
    UnknownTaskName = "unknown-task-name",
    /// No action of this name is built in.
    UnknownAction = "unknown-action",
    /// A call gives an input that the action or workflow does not have.
    UnknownInput = "unknown-input",
    /// A call leaves out an input that the action or workflow needs.
    MissingInput = "missing-input",
    /// A variable that is never seen, since another one of the same name is in front of it.
    HiddenVariable = "hidden-variable",
    /// A value that has no effect where it stands.
    IgnoredValue = "ignored-value",
    /// `&`, `*` or `@` at the start of a plain text, which is an anchor, an alias or an error in
    /// other YAML, and text here.
    SigilText = "sigil-text",
    /// There are more findings than are listed.
    MoreFindings = "more-findings",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
