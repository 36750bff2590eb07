//! Cuts the text of a YAQL expression into tokens. What order they may have is left to `parser`.

use std::ops::Range;

use num_bigint::BigInt;

use crate::Value;
use crate::escape::{Escape, unescape};
use crate::token::{Operator, Token, TokenKind};

/// A mistake in the text, with the part that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
    /// The text is not wrong but more than is allowed.
    pub(crate) too_large: bool,
}

impl SyntaxError {
    pub(crate) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
            too_large: false,
        }
    }
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self) -> Result<Option<Token>, SyntaxError> {
        let rest = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
        self.at = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        let start = self.at;
        let kind = match first {
            '$' => {
                self.at += 1;
                TokenKind::Variable(self.word().into())
            }
            '0'..='9' => self.number()?,
            '\'' | '"' => TokenKind::Constant(Value::from(self.string(first)?)),
            '`' => TokenKind::Constant(Value::from(self.verbatim()?)),
            c if is_word(c) => self.name()?,
            _ => self.symbol()?,
        };
        Ok(Some(Token {
            kind,
            span: start..self.at,
        }))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        let whole = self.digits();
        let mut float = false;
        if self.rest().starts_with('.')
            && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            let point = self.at;
            self.at += 1;
            self.digits();
            // "1.5x" is no number, but "1.5" cut at the point would leave the name of a key.
            float = !self.rest().starts_with(is_word);
            if !float {
                self.at = point;
            }
        }
        if self.rest().starts_with(is_word) {
            self.word();
            return Err(self.error("a number may not touch a letter", start));
        }
        let text = &self.text[start..self.at];
        Ok(TokenKind::Constant(if float {
            Value::Float(
                text.parse()
                    .map_err(|_| self.error("not a number", start))?,
            )
        } else {
            match whole.parse::<i64>() {
                Ok(number) => Value::Int(number),
                Err(_) => Value::from_bigint(
                    whole
                        .parse::<BigInt>()
                        .map_err(|_| self.error("not a number", start))?,
                ),
            }
        }))
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn name(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        let word = self.word();
        if self.rest().starts_with('(') {
            self.at += 1;
            return Ok(TokenKind::Function(word.into()));
        }
        if word.starts_with("__") {
            return Err(self.error("a name may not begin with two underscores", start));
        }
        Ok(match word {
            "true" => TokenKind::Constant(Value::Bool(true)),
            "false" => TokenKind::Constant(Value::Bool(false)),
            "null" => TokenKind::Constant(Value::Null),
            "and" => TokenKind::Operator(Operator::And),
            "or" => TokenKind::Operator(Operator::Or),
            "not" => TokenKind::Operator(Operator::Not),
            "in" => TokenKind::Operator(Operator::In),
            "mod" => TokenKind::Operator(Operator::Modulo),
            _ => TokenKind::Keyword(word.into()),
        })
    }

    fn symbol(&mut self) -> Result<TokenKind, SyntaxError> {
        const SYMBOLS: &[(&str, TokenKind)] = &[
            ("=>", TokenKind::Mapping),
            ("->", TokenKind::Operator(Operator::Arrow)),
            ("?.", TokenKind::Operator(Operator::SafeDot)),
            ("=~", TokenKind::Operator(Operator::Match)),
            ("!~", TokenKind::Operator(Operator::NotMatch)),
            ("!=", TokenKind::Operator(Operator::NotEqual)),
            (">=", TokenKind::Operator(Operator::GreaterEqual)),
            ("<=", TokenKind::Operator(Operator::LessEqual)),
            (".", TokenKind::Operator(Operator::Dot)),
            ("*", TokenKind::Operator(Operator::Multiply)),
            ("/", TokenKind::Operator(Operator::Divide)),
            ("+", TokenKind::Operator(Operator::Plus)),
            ("-", TokenKind::Operator(Operator::Minus)),
            (">", TokenKind::Operator(Operator::Greater)),
            ("<", TokenKind::Operator(Operator::Less)),
            ("=", TokenKind::Operator(Operator::Equal)),
            ("[", TokenKind::OpenBracket),
            ("]", TokenKind::CloseBracket),
            ("{", TokenKind::OpenBrace),
            ("}", TokenKind::CloseBrace),
            ("(", TokenKind::OpenParenthesis),
            (")", TokenKind::CloseParenthesis),
            (",", TokenKind::Comma),
        ];
        let rest = self.rest();
        let Some((symbol, kind)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol))
        else {
            let start = self.at;
            let c = rest.chars().next().expect("the caller saw a character");
            self.at += c.len_utf8();
            return Err(self.error(format!("unexpected character {c:?}"), start));
        };
        self.at += symbol.len();
        Ok(kind.clone())
    }

    /// The text up to the closing quote, escapes as written, where a backslash hides a quote.
    fn quoted(&mut self, quote: char) -> Result<&'a str, SyntaxError> {
        let start = self.at;
        let body = &self.text[start + 1..];
        let mut chars = body.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = start + 1 + at + 1;
                return Ok(&body[..at]);
            }
            // The character after a backslash belongs to it, but a line feed may not.
            if c == '\\' && chars.next().is_none_or(|(_, escaped)| escaped == '\n') {
                break;
            }
        }
        self.at = self.text.len();
        Err(self.error("the string has no closing quote", start))
    }

    fn verbatim(&mut self) -> Result<String, SyntaxError> {
        Ok(self.quoted('`')?.replace("\\`", "`"))
    }

    fn string(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.at;
        let body = self.quoted(quote)?;
        let mut out = String::with_capacity(body.len());
        let mut rest = body;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let used = match unescape(rest) {
                Escape::Character(c, used) => {
                    out.push(c);
                    used
                }
                Escape::Text(used) => {
                    out.push_str(&rest[..used]);
                    used
                }
                Escape::Wrong(message, used) => {
                    let at = start + 1 + (body.len() - rest.len());
                    return Err(SyntaxError::new(message, at..at + used));
                }
            };
            rest = &rest[used..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn error(&self, message: impl Into<String>, start: usize) -> SyntaxError {
        SyntaxError::new(message, start..self.at)
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
