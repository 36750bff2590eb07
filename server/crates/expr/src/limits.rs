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

/// The longest expression that is compiled, in bytes.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// How deeply the parts of one expression may be nested.
pub const NESTING_MAX: usize = 100;

/// How deeply a template may be nested; deeper parts become errors.
pub const TEMPLATE_DEPTH_MAX: usize = 128;

/// One of the [`Limits`].
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
}

impl Limit {
    /// The name of the limit, which errors give to callers; it never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "expression_steps",
            Self::Depth => "expression_depth",
            Self::Output => "expression_output_bytes",
            Self::HostCalls => "expression_host_calls",
        }
    }
}
