//! Jinja2 by way of `minijinja`: one `{{ … }}` gives its value, all else text.
//!
//! Owns compiling and running; values crossing over are in `values`, functions in `functions`,
//! host calls in `session`. What differs from Jinja2: unknown filters are told by
//! `known` and found when they run;
//! values cannot be changed in place; integers beyond 128 bits cannot be computed with.

use std::io;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Expression, UndefinedBehavior};

use crate::embed;
use crate::fault::Fault;
use crate::inspect::FindingKind;
use crate::limits::{Limits, SOURCE_BYTES_MAX};
use crate::template::{count_compilation, error};
use crate::{Context, EvalError, EvalErrorKind, Language, Limit, Value};

mod chance;
mod filters;
mod functions;
mod known;
mod lines;
mod links;
mod methods;
mod names;
mod percent;
mod rewrite;
mod session;
mod values;
mod words;

pub(crate) use known::{unknown_filter, unknown_test};
use session::Session;

/// A compiled string.
#[derive(Debug)]
pub(crate) struct Program {
    text: Arc<str>,
    /// What was compiled has other words, so that places in it say nothing.
    is_formatted: bool,
    /// Compiled for the default limit on steps.
    code: Code<'static>,
    /// Compiled for the limit on steps that the process was configured with.
    configured: OnceLock<Code<'static>>,
}

#[derive(Debug)]
enum Code<'e> {
    /// One `{{ … }}` that is the whole string, and where the expression begins.
    Value(Box<Expression<'e, 'static>>, usize),
    /// A template, under the name [`NAME`] in an environment of its own.
    Text(Box<Environment<'static>>),
}

const NAME: &str = "template";

/// A mistake in a string.
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

impl Program {
    /// Compiles a string that holds Jinja.
    pub(crate) fn compile(text: &Arc<str>) -> Result<Self, Problem> {
        if text.len() > SOURCE_BYTES_MAX {
            let message = format!("the template is longer than {SOURCE_BYTES_MAX} bytes");
            return Err(Problem {
                message,
                span: 0..text.len(),
            });
        }
        Ok(Self {
            text: Arc::clone(text),
            is_formatted: percent::rewritten(text).is_some(),
            code: Code::compile(text, environment())?,
            configured: OnceLock::new(),
        })
    }

    /// Runs it, once for each call to the host that it turns out to need.
    pub(crate) fn eval(&self, cx: &Context<'_>) -> Result<Value, EvalError> {
        let steps = cx.limits.steps;
        if steps == Limits::default().steps {
            return self.run(&self.code, cx);
        }
        if let Some(configured) = configured_environment(steps) {
            let again = || Code::compile(&self.text, configured).unwrap_or_else(|_| never());
            return self.run(self.configured.get_or_init(again), cx);
        }
        let mut own = environment().clone();
        own.set_fuel(Some(steps));
        let code = Code::compile(&self.text, &own).unwrap_or_else(|_| never());
        self.run(&code, cx)
    }

    fn run(&self, code: &Code<'_>, cx: &Context<'_>) -> Result<Value, EvalError> {
        let session = Arc::new(Session::default());
        let root = session::root(&cx.data, &session);
        let fail = |fault: Fault| error(&self.text, Language::Jinja, 0, fault);
        for _ in 0..=cx.limits.host_calls {
            // An earlier evaluation may have ended without asking.
            values::take_opaque_read();
            let result = match code {
                Code::Value(expression, _) => value_of(expression, &root, cx.limits),
                Code::Text(environment) => text_of(environment, &root, cx.limits),
            };
            if let Some(binary) = values::take_opaque_read() {
                return Err(fail(*Fault::opaque(&binary)));
            }
            let failed = match result {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            match session.resolve(cx.host) {
                Ok(true) => {}
                Ok(false) => return Err(fail(self.fault(&failed))),
                Err(host) => return Err(fail(*Box::<Fault>::from(host))),
            }
        }
        Err(fail(*Box::<Fault>::from(Limit::HostCalls)))
    }

    /// Tells what is certain about the names that the program reads.
    pub(crate) fn inspect(&self, tell: &mut dyn FnMut(Range<usize>, FindingKind)) {
        let names = match &self.code {
            Code::Value(expression, _) => expression.undeclared_variables(true),
            Code::Text(own) => own
                .get_template(NAME)
                .map(|template| template.undeclared_variables(true))
                .unwrap_or_default(),
        };
        names::tell(&self.text, names.into_iter().collect(), tell);
    }

    fn fault(&self, failed: &Error) -> Fault {
        let kind = match failed.kind() {
            ErrorKind::OutOfFuel => EvalErrorKind::Limit(Limit::Steps),
            ErrorKind::WriteFailure => EvalErrorKind::Limit(Limit::Output),
            ErrorKind::UndefinedError => EvalErrorKind::MissingKey,
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::UnknownTest => EvalErrorKind::UnknownFunction,
            ErrorKind::MissingArgument | ErrorKind::TooManyArguments => EvalErrorKind::NoMatch,
            _ => EvalErrorKind::Value,
        };
        let start = match self.code {
            Code::Value(_, start) => start,
            Code::Text(_) => 0,
        };
        let message = match kind {
            EvalErrorKind::Limit(limit) => limit.to_string(),
            _ => describe(failed),
        };
        let span = failed
            .range()
            .map(|range| start + range.start..start + range.end);
        let span = span.filter(|span| span.end <= self.text.len() && !self.is_formatted);
        Fault {
            kind,
            message,
            span,
        }
    }
}

impl<'e> Code<'e> {
    /// Compiles a string, rewritten where `minijinja` has no word for what stands there.
    fn compile(text: &str, environment: &'e Environment<'static>) -> Result<Self, Problem> {
        count_compilation();
        // The text as it was written says whether it is a value, and where problems are.
        let is_value = embed::is_single_jinja(text);
        let code = Self::compile_mended(text, is_value, environment)?;
        let formatted = percent::rewritten(text);
        let formatted =
            formatted.and_then(|text| Self::compile_mended(&text, is_value, environment).ok());
        Ok(formatted.unwrap_or(code))
    }

    fn compile_mended(
        text: &str,
        is_value: bool,
        environment: &'e Environment<'static>,
    ) -> Result<Self, Problem> {
        let mut source = text.to_owned();
        for _ in 0..rewrite::TIMES_MAX {
            let problem = match Self::compile_plain(&source, is_value, environment) {
                Ok(code) => return Ok(code),
                Err(problem) => problem,
            };
            match rewrite::mended(&source, &problem) {
                Some(mended) => source = mended,
                None => return Err(problem),
            }
        }
        Self::compile_plain(&source, is_value, environment)
    }

    fn compile_plain(
        text: &str,
        is_value: bool,
        environment: &'e Environment<'static>,
    ) -> Result<Self, Problem> {
        if !is_value {
            return Self::text(text, environment).map_err(|error| problem(&error, text, 0));
        }
        let inner = 2..text.len() - 2;
        let source = text[inner.clone()].to_string();
        match environment.compile_expression_owned(source) {
            Ok(expression) => Ok(Self::Value(Box::new(expression), inner.start)),
            // `{{ x -}}` is no expression, but a good template.
            Err(error) => {
                Self::text(text, environment).map_err(|_| problem(&error, text, inner.start))
            }
        }
    }

    fn text(text: &str, environment: &Environment<'static>) -> Result<Self, Error> {
        let mut own = environment.clone();
        own.add_template_owned(NAME, text.to_string())?;
        Ok(Self::Text(Box::new(own)))
    }
}

fn never() -> ! {
    unreachable!("what compiled once compiles again: the limit on steps changes nothing")
}

/// The environment that all programs share.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the default delimiters are valid");
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(Limits::default().steps));
        environment.set_recursion_limit(100);
        environment.set_debug(true);
        functions::register(&mut environment);
        environment
    })
}

/// The same with the first other limit on steps that is asked for: a process has one
/// configuration, and what is compiled needs an environment that lives for ever.
fn configured_environment(steps: u64) -> Option<&'static Environment<'static>> {
    static CONFIGURED: OnceLock<Environment<'static>> = OnceLock::new();
    let configured = CONFIGURED.get_or_init(|| {
        let mut own = environment().clone();
        own.set_fuel(Some(steps));
        own
    });
    (configured.fuel() == Some(steps)).then_some(configured)
}

fn value_of(
    expression: &Expression<'_, 'static>,
    root: &minijinja::Value,
    limits: Limits,
) -> Result<Value, Error> {
    let value = expression.eval(root)?;
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "the value is undefined",
        ));
    }
    values::from_jinja_within(&value, limits.output_bytes)
}

fn text_of(
    environment: &Environment<'static>,
    root: &minijinja::Value,
    limits: Limits,
) -> Result<Value, Error> {
    let mut out = Bounded {
        bytes: Vec::new(),
        left: limits.output_bytes,
    };
    environment
        .get_template(NAME)?
        .render_captured_to(root, &mut out)?;
    let text = String::from_utf8(out.bytes);
    text.map(Value::from)
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, "the template gave broken text"))
}

/// Collects so many bytes and refuses more.
struct Bounded {
    bytes: Vec<u8>,
    left: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn problem(failed: &Error, text: &str, start: usize) -> Problem {
    let span = failed
        .range()
        .map(|range| start + range.start..start + range.end);
    let span = span
        .filter(|span| span.end <= text.len())
        .unwrap_or(0..text.len());
    Problem {
        message: describe(failed),
        span,
    }
}

fn describe(failed: &Error) -> String {
    match failed.detail() {
        Some(detail) => format!("{}: {detail}", failed.kind()),
        None => failed.kind().to_string(),
    }
}
