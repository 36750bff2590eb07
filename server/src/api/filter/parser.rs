//! The grammar of filters, one function a level.
//!
//! ```text
//! filter     = [conjunct]
//! conjunct   = disjunct { "AND" disjunct }
//! disjunct   = unary { "OR" unary }
//! unary      = ["NOT" | "-"] ( "(" conjunct ")" | comparison )
//! comparison = field ["." member] operator value
//! ```

use store::Filter;

use super::fields::{Field, check_pattern};
use super::scanner::Scanner;
use super::{BYTES_MAX, COMPARISONS_MAX, DEPTH_MAX, Error};

/// Reads a filter; an empty one lets everything through.
pub(crate) fn parse<F: Field>(text: &str) -> Result<Filter<F>, Error> {
    let mut scanner = Scanner::new(text);
    if text.len() > BYTES_MAX {
        let found = format!("{} bytes", text.len());
        return Err(Error {
            position: 1,
            expected: format!("at most {BYTES_MAX} bytes"),
            found,
        });
    }
    if scanner.is_at_end() {
        return Ok(Filter::all());
    }
    let mut parser = Parser {
        scanner,
        depth: 0,
        comparisons: 0,
    };
    let filter = parser.conjunct()?;
    if !parser.scanner.is_at_end() {
        let offset = parser.scanner.offset();
        return Err(parser.scanner.error_at(offset, "AND, OR or the end"));
    }
    Ok(filter)
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
    comparisons: usize,
}

impl Parser<'_> {
    fn conjunct<F: Field>(&mut self) -> Result<Filter<F>, Error> {
        let mut parts = vec![self.disjunct()?];
        while self.scanner.take_keyword("AND") {
            parts.push(self.disjunct()?);
        }
        Ok(single_or(parts, Filter::And))
    }

    fn disjunct<F: Field>(&mut self) -> Result<Filter<F>, Error> {
        let mut parts = vec![self.unary()?];
        while self.scanner.take_keyword("OR") {
            parts.push(self.unary()?);
        }
        Ok(single_or(parts, Filter::Or))
    }

    fn unary<F: Field>(&mut self) -> Result<Filter<F>, Error> {
        let offset = self.scanner.offset();
        if self.depth == DEPTH_MAX {
            let expected = format!("at most {DEPTH_MAX} levels of parentheses and NOT");
            return Err(self.scanner.error_at(offset, expected));
        }
        self.depth += 1;
        let filter = if self.scanner.take_keyword("NOT") || self.scanner.take('-') {
            Filter::Not(Box::new(self.unary()?))
        } else if self.scanner.take('(') {
            let inner = self.conjunct()?;
            if !self.scanner.take(')') {
                let offset = self.scanner.offset();
                return Err(self.scanner.error_at(offset, "AND, OR or )"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison<F: Field>(&mut self) -> Result<Filter<F>, Error> {
        let (name, member, start) = self.scanner.take_field()?;
        self.comparisons += 1;
        if self.comparisons > COMPARISONS_MAX {
            let expected = format!("at most {COMPARISONS_MAX} comparisons");
            return Err(self.scanner.error_at(start, expected));
        }
        let (operator, operator_at) = self.scanner.take_operator()?;
        let literal = self.scanner.take_value()?;
        let refuse = |offset: usize, expected: String| self.scanner.error_at(offset, expected);
        let (field, kind) = match F::find(&name, member, operator, &literal.text()) {
            Some((field, _, Some(value))) => {
                return Ok(Filter::Compare {
                    field,
                    operator,
                    value,
                });
            }
            Some((field, kind, None)) => (field, kind),
            None => return Err(refuse(start, format!("one of the fields {}", F::NAMES))),
        };
        kind.check_operator(operator)
            .map_err(|expected| refuse(operator_at, expected))?;
        let value = kind
            .value(&literal)
            .map_err(|expected| refuse(literal.start, expected))?;
        check_pattern(operator, &value).map_err(|expected| refuse(operator_at, expected))?;
        Ok(Filter::Compare {
            field,
            operator,
            value,
        })
    }
}

fn single_or<F>(mut parts: Vec<Filter<F>>, join: fn(Vec<Filter<F>>) -> Filter<F>) -> Filter<F> {
    if parts.len() == 1 {
        parts.remove(0)
    } else {
        join(parts)
    }
}
