//! Parses YAQL by operator precedence: tokens in, tree out. Functions are looked up here once;
//! whether arguments fit them is left to `functions::dispatch`.

use std::ops::Range;
use std::sync::Arc;

use crate::ast::{Arg, Call, Expr, Node, NodeKind};
use crate::functions::{self, Form};
use crate::lexer::{self, SyntaxError};
use crate::limits::{NESTING_MAX, SOURCE_BYTES_MAX};
use crate::template::count_compilation;
use crate::token::{Operator, Token, TokenKind};

/// Parses one expression.
pub(crate) fn parse(text: &str) -> Result<Expr> {
    count_compilation();
    if text.len() > SOURCE_BYTES_MAX {
        let message = format!("the expression is longer than {SOURCE_BYTES_MAX} bytes");
        return Err(SyntaxError {
            message,
            span: 0..text.len(),
            too_large: true,
        });
    }
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        end: text.len(),
    };
    let expr = parser.value(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    end: usize,
}

type Result<T> = std::result::Result<T, SyntaxError>;

impl Parser {
    /// A value with the operators that bind tighter than `level`.
    fn value(&mut self, level: u8) -> Result<Expr> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(self.too_deep());
        }
        let mut left = self.operand()?;
        loop {
            left = match self.peek() {
                Some(TokenKind::OpenBracket) if level < 10 => self.index(left)?,
                Some(&TokenKind::Operator(operator)) => {
                    let Some(binds) = operator.binary_level().filter(|binds| *binds > level) else {
                        break;
                    };
                    self.at += 1;
                    // The arrow groups to the right, all others to the left.
                    let right_level = if operator == Operator::Arrow {
                        binds - 1
                    } else {
                        binds
                    };
                    let right = self.value(right_level)?;
                    self.join(operator, left, right)?
                }
                _ => break,
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Expr> {
        let Some(token) = self.tokens.get(self.at).cloned() else {
            return Err(self.unexpected("a value"));
        };
        self.at += 1;
        let start = token.span.start;
        let kind = match token.kind {
            TokenKind::Constant(value) => NodeKind::Constant(value),
            TokenKind::Keyword(word) => NodeKind::Keyword(word),
            TokenKind::Variable(name) => variable(&name),
            TokenKind::Function(name) => {
                let args = self.args(&TokenKind::CloseParenthesis)?;
                let overloads = functions::find(&name, Form::Function);
                NodeKind::Function(Call {
                    name,
                    overloads,
                    args,
                })
            }
            TokenKind::OpenBracket => NodeKind::List(self.args(&TokenKind::CloseBracket)?),
            TokenKind::OpenBrace => NodeKind::Map(self.args(&TokenKind::CloseBrace)?),
            TokenKind::OpenParenthesis => {
                let inner = self.value(0)?;
                self.expect(&TokenKind::CloseParenthesis)?;
                NodeKind::Wrap(inner)
            }
            TokenKind::Operator(operator) => {
                let Some(level) = operator.unary_level() else {
                    self.at -= 1;
                    return Err(self.unexpected("a value"));
                };
                NodeKind::Unary(operator, self.value(level)?)
            }
            _ => {
                self.at -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        self.node(kind, start)
    }

    fn index(&mut self, target: Expr) -> Result<Expr> {
        self.at += 1;
        let start = target.span.start;
        let args = self.args(&TokenKind::CloseBracket)?;
        self.node(NodeKind::Index(target, args), start)
    }

    fn join(&mut self, operator: Operator, left: Expr, right: Expr) -> Result<Expr> {
        let start = left.span.start;
        let safe = operator == Operator::SafeDot;
        let kind = match operator {
            Operator::Dot | Operator::SafeDot => match &right.kind {
                NodeKind::Keyword(key) => NodeKind::Member {
                    target: left,
                    key: Arc::clone(key),
                    safe,
                },
                NodeKind::Function(_) => {
                    let node = Arc::into_inner(right).expect("the parser made it just now");
                    let NodeKind::Function(mut call) = node.kind else {
                        unreachable!("the kind was matched above")
                    };
                    call.overloads = functions::find(&call.name, Form::Method);
                    NodeKind::Method {
                        target: left,
                        call,
                        safe,
                    }
                }
                _ => NodeKind::BadMember { target: left, safe },
            },
            _ => NodeKind::Binary(operator, left, right),
        };
        self.node(kind, start)
    }

    /// Arguments up to `close`: positional ones, where a slot may be empty, then named ones.
    fn args(&mut self, close: &TokenKind) -> Result<Vec<Arg>> {
        let mut args = Vec::new();
        if self.take(close) {
            return Ok(args);
        }
        let mut named = false;
        loop {
            if !named && self.take(&TokenKind::Comma) {
                args.push(Arg::Empty);
                continue;
            }
            let value = self.value(0)?;
            if self.take(&TokenKind::Mapping) {
                named = true;
                let mapped = self.value(0)?;
                args.push(Arg::Rule(value, mapped));
            } else if named {
                return Err(self.unexpected("'=>', as after all named arguments"));
            } else {
                args.push(Arg::Value(value));
            }
            if self.take(close) {
                return Ok(args);
            }
            if !self.take(&TokenKind::Comma) {
                return Err(self.unexpected(&format!("',' or {}", close.describe())));
            }
        }
    }

    fn node(&self, kind: NodeKind, start: usize) -> Result<Expr> {
        let height = 1 + height(&kind);
        if height > NESTING_MAX {
            return Err(self.too_deep());
        }
        let end = self.tokens[self.at - 1].span.end;
        Ok(Arc::new(Node {
            kind,
            span: start..end,
            height,
        }))
    }

    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, kind: &TokenKind) -> Result<()> {
        if self.take(kind) {
            Ok(())
        } else {
            Err(self.unexpected(&kind.describe()))
        }
    }

    fn span(&self) -> Range<usize> {
        self.tokens
            .get(self.at)
            .map_or(self.end..self.end, |token| token.span.clone())
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let found = self
            .peek()
            .map_or_else(|| "the end".into(), TokenKind::describe);
        SyntaxError::new(format!("expected {wanted}, found {found}"), self.span())
    }

    fn too_deep(&self) -> SyntaxError {
        let message = format!("the expression is nested deeper than {NESTING_MAX} levels");
        SyntaxError {
            message,
            span: self.span(),
            too_large: true,
        }
    }
}

fn height(kind: &NodeKind) -> usize {
    let of = |args: &[Arg]| args.iter().map(Arg::height).max().unwrap_or(0);
    match kind {
        NodeKind::Constant(_)
        | NodeKind::Keyword(_)
        | NodeKind::Argument(_)
        | NodeKind::Variable(_) => 0,
        NodeKind::Wrap(inner) | NodeKind::Unary(_, inner) => inner.height,
        NodeKind::Binary(_, left, right) => left.height.max(right.height),
        NodeKind::Member { target, .. } | NodeKind::BadMember { target, .. } => target.height,
        NodeKind::Method { target, call, .. } => target.height.max(of(&call.args)),
        NodeKind::Function(call) => of(&call.args),
        NodeKind::Index(target, args) => target.height.max(of(args)),
        NodeKind::List(args) | NodeKind::Map(args) => of(args),
    }
}

/// `$` is another way to write `$1`.
fn variable(name: &Arc<str>) -> NodeKind {
    if name.is_empty() {
        return NodeKind::Argument(0);
    }
    // "01" and the like are names as any other, which nothing ever binds.
    match name.parse::<usize>() {
        Ok(number) if number > 0 && !name.starts_with('0') => NodeKind::Argument(number - 1),
        _ => NodeKind::Variable(Arc::clone(name)),
    }
}
