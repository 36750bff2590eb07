//! The words of YAQL. Cutting text into them is left to `lexer`.

use std::ops::Range;
use std::sync::Arc;

use crate::Value;

/// One word and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// A number, string, `true`, `false` or `null`.
    Constant(Value),
    /// A bare word, which stands for itself as a string or names a key.
    Keyword(Arc<str>),
    /// A name that touches its opening parenthesis; both are one word.
    Function(Arc<str>),
    /// `$name`, without the `$`.
    Variable(Arc<str>),
    /// An operator.
    Operator(Operator),
    /// `=>`
    Mapping,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `(`
    OpenParenthesis,
    /// `)`
    CloseParenthesis,
    /// `,`
    Comma,
}

/// The operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Dot,
    SafeDot,
    Match,
    NotMatch,
    Multiply,
    Divide,
    Modulo,
    Plus,
    Minus,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    NotEqual,
    Equal,
    In,
    Not,
    And,
    Or,
    Arrow,
}

impl Operator {
    /// The operator as written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Dot => ".",
            Self::SafeDot => "?.",
            Self::Match => "=~",
            Self::NotMatch => "!~",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "mod",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterEqual => ">=",
            Self::LessEqual => "<=",
            Self::NotEqual => "!=",
            Self::Equal => "=",
            Self::In => "in",
            Self::Not => "not",
            Self::And => "and",
            Self::Or => "or",
            Self::Arrow => "->",
        }
    }

    /// How tightly it binds between two values; `None` if it never stands there.
    pub(crate) fn binary_level(self) -> Option<u8> {
        Some(match self {
            Self::Arrow => 1,
            Self::Or => 2,
            Self::And => 3,
            Self::Greater
            | Self::Less
            | Self::GreaterEqual
            | Self::LessEqual
            | Self::NotEqual
            | Self::Equal
            | Self::In => 5,
            Self::Plus | Self::Minus => 6,
            Self::Multiply | Self::Divide | Self::Modulo => 7,
            Self::Match | Self::NotMatch => 8,
            Self::Dot | Self::SafeDot => 11,
            Self::Not => return None,
        })
    }

    /// How tightly it binds before one value; `None` if it never stands there.
    pub(crate) fn unary_level(self) -> Option<u8> {
        match self {
            Self::Not => Some(4),
            Self::Plus | Self::Minus => Some(9),
            _ => None,
        }
    }
}

impl TokenKind {
    /// The word as an error message names it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Constant(value) => format!("{} {}", value.type_name(), crate::value::repr(value)),
            Self::Keyword(name) => format!("'{name}'"),
            Self::Function(name) => format!("'{name}('"),
            Self::Variable(name) => format!("'${name}'"),
            Self::Operator(operator) => format!("'{}'", operator.symbol()),
            Self::Mapping => "'=>'".into(),
            Self::OpenBracket => "'['".into(),
            Self::CloseBracket => "']'".into(),
            Self::OpenBrace => "'{'".into(),
            Self::CloseBrace => "'}'".into(),
            Self::OpenParenthesis => "'('".into(),
            Self::CloseParenthesis => "')'".into(),
            Self::Comma => "','".into(),
        }
    }
}
