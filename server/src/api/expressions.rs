//! `EvaluateExpression`: one expression over given data, outside of any workflow.

use std::ops::Range;
use std::sync::Arc;

use engine::Data;
use expr::{EvalError, EvalErrorKind, Host, HostError, Template, Value};
use proto::v1::evaluate_expression_response::Result as Outcome;
use proto::v1::{self, ExpressionLanguage, PayloadFormat};
use uuid::Uuid;

use super::context::Context;
use super::convert::{field, payload};
use super::fault::Fault;
use crate::clock;

/// Longest text.
const EXPRESSION_BYTES_MAX: usize = 64 << 10;

/// What an expression is evaluated over.
struct Question {
    text: Text,
    data: Value,
    env: Value,
    format: PayloadFormat,
}

/// Evaluates an expression.
pub(super) async fn evaluate(
    context: &Context,
    request: v1::EvaluateExpressionRequest,
) -> Result<v1::EvaluateExpressionResponse, Fault> {
    field::project(&request.project)?;
    let (actual, limit) = (request.expression.len(), EXPRESSION_BYTES_MAX);
    if actual > limit {
        let description = format!("has {actual} bytes, {limit} are allowed");
        return Err(Fault::field("expression", description));
    }
    let bytes_max = context.limits.payload_bytes_max;
    let data = match request.context {
        None => Data::empty_object(),
        given => payload::any("context", given, bytes_max)?,
    };
    let env = payload::object("env", request.env, bytes_max)?;
    let question = Question {
        text: Text::new(
            request.expression,
            field::known("language", request.language)?,
        ),
        data: data.value().clone(),
        env: env.unwrap_or_else(Data::empty_object).value().clone(),
        format: field::payload_format(request.payload_format)?,
    };
    let answered = context.compute(move || question.answer());
    Ok(v1::EvaluateExpressionResponse {
        result: Some(answered.await?),
    })
}

impl Question {
    /// What it is, or what is wrong with it; a limit that it hits is a refusal.
    fn answer(self) -> Result<Outcome, Fault> {
        let (template, _) = Template::compile_str(&self.text.wrapped);
        let host = Outside {
            env: self.env,
            now_us: clock::now_us(),
        };
        let context = expr::Context::new(self.data, &host);
        let value = match template.eval(&context) {
            Ok(value) => value,
            Err(error) => {
                return match error.kind.limit() {
                    Some(limit) => Err(Fault::ExpressionLimit {
                        limit,
                        allowed: context.limits.of(limit),
                    }),
                    None => Ok(Outcome::Error(self.text.wire(&error))),
                };
            }
        };
        Ok(match Data::from_value(value) {
            Ok(data) => Outcome::Value(payload::wire(&data, self.format)),
            Err(error) => {
                let message = format!("the result has no JSON form: {error}");
                Outcome::Error(self.text.describe(message, false, None))
            }
        })
    }
}

/// The text of an expression, as it came and as it would stand in a document.
struct Text {
    given: String,
    wrapped: String,
    /// Bytes before the given text in the other one.
    shift: usize,
}

impl Text {
    fn new(given: String, language: ExpressionLanguage) -> Self {
        // An expression in a document lies on one line; in both languages a line feed outside of
        // strings is as good as a space.
        let on_one_line = || given.replace('\n', " ");
        let (wrapped, shift) = match language {
            ExpressionLanguage::Unspecified => (given.clone(), 0),
            ExpressionLanguage::Yaql => (format!("<% {} %>", on_one_line()), 3),
            ExpressionLanguage::Jinja => (format!("{{{{ {} }}}}", on_one_line()), 3),
        };
        Self {
            given,
            wrapped,
            shift,
        }
    }

    fn wire(&self, error: &EvalError) -> v1::ExpressionError {
        let is_syntax = error.kind == EvalErrorKind::Syntax;
        self.describe(error.message.clone(), is_syntax, error.span.clone())
    }

    /// The fault with its place in the text that was given.
    fn describe(
        &self,
        message: String,
        syntax: bool,
        span: Option<Range<usize>>,
    ) -> v1::ExpressionError {
        let whole = self.given.len();
        let place = |at: usize| {
            let mut at = at.saturating_sub(self.shift).min(whole);
            while !self.given.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let is_known = span.is_some();
        let (start, end) = span.map_or((0, whole), |span| (place(span.start), place(span.end)));
        let before = &self.given[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let length = if is_known {
            characters(&self.given[start..end.max(start)])
        } else {
            0
        };
        v1::ExpressionError {
            excerpt: self.excerpt(start..end.max(start)),
            message,
            syntax,
            offset: characters(before),
            length,
            line: characters_of(before.matches('\n').count()) + 1,
            column: characters(&before[line_start..]) + 1,
        }
    }

    fn excerpt(&self, span: Range<usize>) -> String {
        let error = EvalError {
            kind: EvalErrorKind::Syntax,
            message: String::new(),
            expression: self.given.as_str().into(),
            span: Some(span),
            language: expr::Language::Yaql,
        };
        error.render().trim_start_matches('\n').to_owned()
    }
}

fn characters(text: &str) -> i32 {
    characters_of(text.chars().count())
}

fn characters_of(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A random number from 0 up to 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what a float of this size holds"
)]
fn chance() -> f64 {
    // The first two bits of the lower half of the identifier are the same in all.
    let (_, low) = Uuid::new_v4().as_u64_pair();
    (low << 2 >> 11) as f64 / (1_u64 << 53) as f64
}

/// What an expression can call without a workflow.
struct Outside {
    env: Value,
    now_us: i64,
}

impl Host for Outside {
    fn call(
        &self,
        name: &str,
        args: &[Value],
        kwargs: &[(Arc<str>, Value)],
    ) -> Result<Value, HostError> {
        match name {
            "env" | "uuid" | "random" if !args.is_empty() || !kwargs.is_empty() => {
                Err(HostError::new(format!("{name}() takes no arguments")))
            }
            "env" => Ok(self.env.clone()),
            "now" => Ok(Value::Int(self.now_us)),
            "uuid" => Ok(Value::from(Uuid::new_v4().to_string())),
            "random" => Ok(Value::Float(chance())),
            other => Err(HostError::new(format!(
                "{other}() is known inside a running workflow only"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(expression: &str, language: ExpressionLanguage) -> Result<Outcome, Fault> {
        let question = Question {
            text: Text::new(expression.to_owned(), language),
            data: Value::from_json("{\"a\":[1,2],\"größe\":\"x\"}").unwrap(),
            env: Value::from_json("{\"region\":\"eu\"}").unwrap(),
            format: PayloadFormat::Json,
        };
        question.answer()
    }

    fn answer(expression: &str, language: ExpressionLanguage) -> Outcome {
        ask(expression, language).unwrap()
    }

    #[test]
    fn limits_are_refusals() {
        for (expression, name, allows) in [
            ("sequence().len()", "expression_steps", 1_000_000),
            ("def(f, f()) -> f()", "expression_depth", 150),
            ("'x' * 99999999", "expression_output_bytes", 16 << 20),
        ] {
            match ask(expression, ExpressionLanguage::Yaql) {
                Err(Fault::ExpressionLimit { limit, allowed }) => {
                    assert_eq!((limit.name(), allowed), (name, allows), "{expression}");
                }
                other => panic!("{expression}: {other:?}"),
            }
        }
    }

    #[test]
    fn expressions_have_values() {
        use ExpressionLanguage::{Jinja, Unspecified, Yaql};
        for (expression, language, expected) in [
            ("<% $.a.sum() %>", Unspecified, "3"),
            ("{{ _.a[1] }}", Unspecified, "2"),
            ("sum: <% $.a.sum() %>", Unspecified, "\"sum: 3\""),
            ("plain", Unspecified, "\"plain\""),
            ("$.a.sum()", Yaql, "3"),
            ("$.a\n  .sum()", Yaql, "3"),
            ("_.a | length", Jinja, "2"),
            ("env().region", Yaql, "\"eu\""),
            ("with(random()) -> $ >= 0 and $ < 1", Yaql, "true"),
            ("random(1, 6) in range(1, 7)", Yaql, "true"),
            ("uuid().len()", Yaql, "36"),
            ("now() > datetime(2020, 1, 1)", Yaql, "true"),
        ] {
            match answer(expression, language) {
                Outcome::Value(payload) => assert_eq!(
                    payload.encoding,
                    Some(v1::payload::Encoding::Json(expected.to_owned())),
                    "{expression}"
                ),
                Outcome::Error(error) => panic!("{expression}: {error:?}"),
            }
        }
    }

    #[test]
    fn errors_have_a_place() {
        use ExpressionLanguage::{Unspecified, Yaql};
        for (expression, language, syntax, place, message) in [
            ("1 +", Yaql, true, (3, 1, 4), ""),
            ("$.größe + $.nope", Yaql, false, (10, 1, 11), "nope"),
            ("text\n<% $.nope %>", Unspecified, false, (8, 2, 4), "nope"),
            (
                "task()",
                Yaql,
                false,
                (0, 1, 1),
                "inside a running workflow",
            ),
            ("env(1)", Yaql, false, (0, 1, 1), "no arguments"),
        ] {
            match answer(expression, language) {
                Outcome::Error(error) => {
                    let found = (error.offset, error.line, error.column);
                    assert_eq!((error.syntax, found), (syntax, place), "{error:?}");
                    assert!(error.message.contains(message), "{error:?}");
                    assert!(error.excerpt.contains('^'), "{error:?}");
                }
                Outcome::Value(value) => panic!("{expression}: {value:?}"),
            }
        }
    }
}
