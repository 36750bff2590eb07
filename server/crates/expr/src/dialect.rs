//! Translates patterns of Python's `re` into the dialect of `fancy-regex`.
//!
//! What differs: `$` matches before a final line feed, too; `\Z` is the very end; in a class `[`,
//! `&&`, `--` and `~~` mean themselves and a `]` that comes first, too; a `{` that begins no
//! repetition is a brace; escaped punctuation is that punctuation; codes are written otherwise.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use crate::fault::{Fault, Result};

/// The longest pattern, in bytes.
const LENGTH_MAX: usize = 16 << 10;

/// Translates a pattern.
pub(crate) fn translate(pattern: &str, multi_line: bool) -> Result<String> {
    if pattern.len() > LENGTH_MAX {
        return Err(Fault::value(format!(
            "the pattern is longer than {LENGTH_MAX} bytes"
        )));
    }
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len()),
        last: Last::Nothing,
    };
    translator.run(multi_line)?;
    Ok(translator.out)
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    last: Last,
}

/// What stands before a place, which tells whether a repetition may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The start of the pattern, of a group or of an alternative, or a place such as `^`.
    Nothing,
    Item,
    Repetition,
}

impl Translator<'_> {
    fn run(&mut self, multi_line: bool) -> Result<()> {
        while let Some(c) = self.rest.next() {
            let place = matches!(self.rest.peek(), Some('A' | 'Z' | 'b' | 'B'));
            let mut last = Last::Item;
            match c {
                '\\' => {
                    self.escape(false)?;
                    if place {
                        last = Last::Nothing;
                    }
                }
                '[' => self.class()?,
                '$' => {
                    let end = if multi_line { "$" } else { "(?=\\n?\\z)" };
                    self.out.push_str(end);
                    last = Last::Nothing;
                }
                '{' => last = self.brace()?,
                '}' => self.out.push_str("\\}"),
                '*' | '+' | '?' => last = self.repetition(&c.to_string())?,
                '(' => last = self.group()?,
                '^' | '|' => {
                    self.out.push(c);
                    last = Last::Nothing;
                }
                c => self.out.push(c),
            }
            self.last = last;
        }
        Ok(())
    }

    /// A repetition with the mark behind it that makes it lazy or possessive.
    fn repetition(&mut self, written: &str) -> Result<Last> {
        match self.last {
            Last::Nothing => Err(Fault::value("the pattern has nothing to repeat")),
            Last::Repetition => Err(Fault::value("the pattern repeats a repetition")),
            Last::Item => {
                self.out.push_str(written);
                let mark = self.rest.next_if(|mark| matches!(mark, '?' | '+'));
                self.out.extend(mark);
                Ok(Last::Repetition)
            }
        }
    }

    /// `{2}`, `{2,}`, `{,3}` and `{2,3}` repeat; any other brace is itself.
    fn brace(&mut self) -> Result<Last> {
        let mut body = String::new();
        let mut ahead = self.rest.clone();
        let closed = loop {
            match ahead.next() {
                Some('}') => break true,
                Some(c) if c.is_ascii_digit() || c == ',' => body.push(c),
                _ => break false,
            }
        };
        if !closed || body.is_empty() || body.matches(',').count() > 1 {
            self.out.push_str("\\{");
            return Ok(Last::Item);
        }
        self.rest = ahead;
        let from = if body.starts_with(',') { "0" } else { "" };
        self.repetition(&format!("{{{from}{body}}}"))
    }

    /// `(?#…)` is a comment; all else is alike.
    fn group(&mut self) -> Result<Last> {
        let mut ahead = self.rest.clone();
        if ahead.next() == Some('?') && ahead.next() == Some('#') {
            self.rest = ahead;
            while self.rest.next().is_some_and(|c| c != ')') {}
            return Ok(self.last);
        }
        let flags: String = self
            .rest
            .clone()
            .skip(1)
            .take_while(|c| *c != ')')
            .collect();
        let is_flags = self.rest.peek() == Some(&'?')
            && !flags.is_empty()
            && flags.chars().all(|c| "aiLmsux".contains(c));
        if is_flags && !self.out.is_empty() {
            return Err(Fault::value("the flags of a pattern stand at its start"));
        }
        self.out.push('(');
        // This mark belongs to the parenthesis and repeats nothing.
        let mark = self.rest.next_if_eq(&'?');
        self.out.extend(mark);
        Ok(Last::Nothing)
    }

    fn class(&mut self) -> Result<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.rest.next() {
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '[' | ']' | '&' | '~' | '^' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                // A range of dashes would be a difference of classes.
                '-' if self.rest.peek() == Some(&'-') => self.out.push_str("\\-"),
                c => self.out.push(c),
            }
            first = false;
        }
        Err(Fault::value("a '[' of the pattern is not closed"))
    }

    fn escape(&mut self, in_class: bool) -> Result<()> {
        let Some(c) = self.rest.next() else {
            return Err(Fault::value("the pattern ends in a backslash"));
        };
        match c {
            'Z' if !in_class => self.out.push_str("\\z"),
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            'x' => self.code(2)?,
            '0' => self.octal(String::from("0")),
            '1'..='9' if in_class => self.octal(c.to_string()),
            'b' if in_class => self.out.push_str("\\x08"),
            'a' => self.out.push_str("\\x07"),
            'd'
            | 'D'
            | 's'
            | 'S'
            | 'w'
            | 'W'
            | 'b'
            | 'B'
            | 'A'
            | 'f'
            | 'n'
            | 'r'
            | 't'
            | 'v'
            | '1'..='9' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c if c.is_ascii_alphabetic() => {
                return Err(Fault::value(format!(
                    "the pattern has an unknown escape \\{c}"
                )));
            }
            c if c.is_ascii_punctuation() && c != '_' => {
                write!(self.out, "\\x{:02x}", u32::from(c)).expect("a String accepts all text");
            }
            c => self.out.push(c),
        }
        Ok(())
    }

    fn code(&mut self, digits: usize) -> Result<()> {
        let code: String = self.rest.by_ref().take(digits).collect();
        let valid = code.len() == digits && code.bytes().all(|b| b.is_ascii_hexdigit());
        if !valid {
            return Err(Fault::value(
                "the pattern has an incomplete code of a character",
            ));
        }
        write!(self.out, "\\x{{{code}}}").expect("a String accepts all text");
        Ok(())
    }

    fn octal(&mut self, mut digits: String) {
        while digits.len() < 3
            && let Some(digit) = self.rest.next_if(|c| ('0'..='7').contains(c))
        {
            digits.push(digit);
        }
        let code = u32::from_str_radix(&digits, 8).unwrap_or(0);
        write!(self.out, "\\x{{{code:x}}}").expect("a String accepts all text");
    }
}
