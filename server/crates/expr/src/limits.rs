//! What one evaluation may cost, and which limit was hit. Counting is left to the evaluators.

/// The cost that one evaluation of a template may have.
///
/// The defaults let every real workflow through and stop `sequence()` in well under a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nodes evaluated and sequence items produced.
    pub steps: u64,
    /// Evaluations nested in one another, through lambdas, sequences and `def`.
    pub depth: usize,
    /// Bytes of any one text or integer, and of the result as a whole.
    pub output_bytes: usize,
    /// Calls from a Jinja expression to functions of the [`crate::Host`].
    pub host_calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 1_000_000,
            depth: 150,
            output_bytes: 16 << 20,
            host_calls: 100,
        }
    }
}

impl Limits {
    /// How much a limit allows.
    pub fn of(&self, limit: Limit) -> u64 {
        let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        match limit {
            Limit::Steps => self.steps,
            Limit::Depth => size(self.depth),
            Limit::Output => size(self.output_bytes),
            Limit::HostCalls => size(self.host_calls),
            Limit::RegexBacktracks => size(REGEX_BACKTRACKS_MAX),
            Limit::RegexSize => size(REGEX_BYTES_MAX),
        }
    }
}

/// How often one search of a regular expression may go back and try another way.
pub(crate) const REGEX_BACKTRACKS_MAX: usize = 200_000;

/// How much memory a compiled regular expression may take, in bytes.
pub(crate) const REGEX_BYTES_MAX: usize = 4 << 20;

/// The longest expression that is compiled, in bytes.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// How deeply the parts of one expression may be nested.
pub const NESTING_MAX: usize = 100;

/// How deeply a template may be nested; deeper parts become errors.
pub const TEMPLATE_DEPTH_MAX: usize = 128;

/// A limit of an evaluation: one of the [`Limits`], or one that is always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::steps`].
    #[error("the expression takes too many steps (does it read an endless sequence?)")]
    Steps,
    /// [`Limits::depth`].
    #[error("the expression is nested too deeply")]
    Depth,
    /// [`Limits::output_bytes`].
    #[error("the expression makes too large a value")]
    Output,
    /// [`Limits::host_calls`].
    #[error("the expression calls too many functions of the workflow")]
    HostCalls,
    /// Ways that one search of a regular expression tries; the same for every evaluation.
    #[error("the regular expression tries too many ways to match")]
    RegexBacktracks,
    /// Memory of one compiled regular expression; the same for every evaluation.
    #[error("the regular expression is too large")]
    RegexSize,
}

impl Limit {
    /// The name of the limit, which errors give to callers; it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "expression_steps",
            Self::Depth => "expression_depth",
            Self::Output => "expression_output_bytes",
            Self::HostCalls => "expression_host_calls",
            Self::RegexBacktracks => "expression_regex_backtracks",
            Self::RegexSize => "expression_regex_bytes",
        }
    }
}
