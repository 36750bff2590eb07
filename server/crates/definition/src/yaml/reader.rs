//! Events of the parser to a tree of nodes: duplicate and merge keys, limits, refusals.

use std::sync::Arc;

use expr::Value;
use expr::YamlMask as Mask;
use expr::yaml_scalar::{self as resolve, DIGITS_MAX, Malformed, Resolved};
use indexmap::map::Entry as Slot;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::layout::Layout;
use super::limits::{BYTES_MAX, DEPTH_MAX, NODES_MAX};
use super::node::{Content, Entry, Mapping, Node};
use super::tabs;
use crate::diagnostic::Rule;
use crate::position::{Position, Span};

/// Why a text cannot be read. Reading stops at the first fault.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Which rule it breaks.
    pub(crate) rule: Rule,
    /// Where.
    pub(crate) span: Span,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// A key that occurs again in the same mapping.
#[derive(Clone, Debug)]
pub(crate) struct Duplicate {
    /// The key as text.
    pub(crate) key: String,
    /// The occurrence that counts.
    pub(crate) span: Span,
    /// The occurrence that is lost.
    pub(crate) earlier: Span,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Read {
    /// The value, if the text holds one.
    pub(crate) root: Option<Node>,
    /// Keys that were lost.
    pub(crate) duplicates: Vec<Duplicate>,
    /// Plain texts that begin with `&`, `*` or `@`.
    pub(crate) sigils: Vec<Span>,
    /// Bytes that were read more than once.
    pub(crate) reread: usize,
}

/// Reads a text with at most one document. Without any there is no node.
pub(crate) fn read(source: &str) -> Result<Read, Fault> {
    if source.len() > BYTES_MAX {
        return Err(Fault {
            rule: Rule::DocumentTooLarge,
            span: Span::at(Position::START),
            message: format!(
                "the document has {} bytes; {BYTES_MAX} are read",
                source.len()
            ),
            help: None,
        });
    }
    let source = source.strip_prefix('\u{FEFF}').unwrap_or(source);
    // Blanks after the last line break are no line: the parser would take them for one of a text.
    let source = match source.trim_end_matches(' ') {
        whole_lines if whole_lines.ends_with('\n') => whole_lines,
        _ => source,
    };
    refuse_control_characters(source)?;
    let Some((mask, hidden)) = Mask::apply(source) else {
        return Err(syntax(
            Span::at(Position::START),
            "the document uses every private use character of Unicode".to_owned(),
        ));
    };
    let mut layout = Layout::new(hidden);
    let reader = loop {
        let mut reader = Reader::new(&mask);
        match reader.read(&layout) {
            Ok(()) => break reader,
            Err(Stop::Fault(fault)) => return Err(fault),
            Err(Stop::Scan(error)) => {
                if !layout.accepts(&error) {
                    return Err(scan_fault(source, &error, &layout));
                }
            }
        }
    };
    tabs::refuse(source, &reader.quoted)?;
    Ok(Read {
        root: reader.root,
        duplicates: reader.duplicates,
        sigils: reader.sigils,
        reread: layout.reread(),
    })
}

/// Why reading ended early.
enum Stop {
    Fault(Fault),
    Scan(ScanError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

struct Reader<'m> {
    mask: &'m Mask,
    stack: Vec<Frame>,
    root: Option<Node>,
    nodes: usize,
    duplicates: Vec<Duplicate>,
    sigils: Vec<Span>,
    /// Where quoted and block scalars stand, in order: within them tabs are text.
    quoted: Vec<Span>,
}

/// A list or mapping that has begun and not ended.
struct Frame {
    start: Position,
    open: Open,
    /// Within `[…]` or `{…}`.
    is_in_flow: bool,
}

enum Open {
    List(Vec<Node>),
    Map {
        mapping: Mapping,
        key: Option<Key>,
        /// Entries of mappings under `<<`, which give way to the mapping's own.
        merged: Vec<(Value, Entry)>,
    },
}

impl Open {
    fn is_flow_map(&self) -> bool {
        matches!(self, Self::Map { mapping, .. } if mapping.is_flow)
    }
}

enum Key {
    Plain(Value, Span),
    Merge(Span),
}

impl<'m> Reader<'m> {
    fn new(mask: &'m Mask) -> Self {
        Self {
            mask,
            stack: Vec::new(),
            root: None,
            nodes: 0,
            duplicates: Vec::new(),
            sigils: Vec::new(),
            quoted: Vec::new(),
        }
    }

    fn read(&mut self, layout: &Layout<'_>) -> Result<(), Stop> {
        for event in Parser::new_from_str(layout.text()) {
            let (mut event, span) = event.map_err(Stop::Scan)?;
            if let Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) = &mut event
                && layout.ends_at(span.end)
                && text.ends_with('\n')
            {
                // The last line of a block ends as it does in the text.
                text.to_mut().pop();
            }
            let span = Span::new(layout.position(span.start), layout.position(span.end));
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err(syntax(
                span,
                "a second document begins here; one is expected".to_owned(),
            )),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            // Cannot happen while sigils are hidden; refused rather than trusted.
            Event::Alias(_) => Err(syntax(span, "aliases are not supported".to_owned())),
            Event::Scalar(text, style, _, tag) => {
                let text = self.mask.remove(&text).into_owned();
                self.scalar(&text, style, tag.as_deref(), span)
            }
            Event::SequenceStart(_, tag) => {
                expect_tag(tag.as_deref(), "seq", span)?;
                self.open(span, Open::List(Vec::new()))
            }
            Event::MappingStart(_, tag) => {
                expect_tag(tag.as_deref(), "map", span)?;
                let mapping = Mapping {
                    // Block mappings begin with no character of their own.
                    is_flow: span.start != span.end,
                    ..Mapping::default()
                };
                let (key, merged) = (None, Vec::new());
                self.open(
                    span,
                    Open::Map {
                        mapping,
                        key,
                        merged,
                    },
                )
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result<(), Fault> {
        self.count(span)?;
        if style == ScalarStyle::Plain {
            self.refuse_plain(text, tag, span)?;
            if text.starts_with(['&', '*', '@']) {
                self.sigils.push(span);
            }
        } else {
            self.quoted.push(span);
        }
        let resolved = match tag {
            None if style == ScalarStyle::Plain => resolve::plain(text),
            None => Ok(Resolved::Value(Value::from(text))),
            Some(tag) if tag.is_yaml_core_schema() => resolve::tagged(&tag.suffix, text),
            Some(tag) if is_non_specific(tag) && style == ScalarStyle::Plain => {
                resolve::plain(text)
            }
            Some(tag) if is_non_specific(tag) => Ok(Resolved::Value(Value::from(text))),
            Some(_) => Err(Malformed::UnknownTag),
        };
        let resolved = resolved.map_err(|reason| malformed(text, tag, reason, span))?;
        let is_key = self.expects_key();
        let value = match resolved {
            Resolved::Value(value) => value,
            Resolved::Date if is_key => Value::from(text),
            Resolved::Date => {
                let content = Content::Date(Arc::from(text));
                return self.add(Node { span, content });
            }
            Resolved::Default if is_key => Value::from("="),
            Resolved::Merge if is_key => {
                self.set_key(Key::Merge(span));
                return Ok(());
            }
            Resolved::Merge | Resolved::Default | Resolved::Indicator => {
                return Err(Fault {
                    help: Some(format!("quote it: '{text}'")),
                    ..syntax(span, format!("`{text}` has a special meaning in YAML 1.1"))
                });
            }
        };
        if is_key {
            self.set_key(Key::Plain(value, span));
            return Ok(());
        }
        let content = Content::Scalar(value);
        self.add(Node { span, content })
    }

    /// Plain scalars that the parser accepts and PyYAML does not.
    fn refuse_plain(&self, text: &str, tag: Option<&Tag>, span: Span) -> Result<(), Fault> {
        if text.is_empty() && tag.is_none() && self.expects_key() && span.start == span.end {
            return Err(syntax(span, "a key is missing before `:`".to_owned()));
        }
        let is_in_flow = self.stack.last().is_some_and(|frame| frame.is_in_flow);
        if is_in_flow && (text.contains('?') || text.starts_with(':')) {
            let message = "a plain text within brackets may not contain `?` or begin with `:`";
            return Err(Fault {
                help: Some("quote it".to_owned()),
                ..syntax(span, message.to_owned())
            });
        }
        Ok(())
    }

    /// Whether the next value is a key of the innermost mapping.
    fn expects_key(&self) -> bool {
        matches!(
            self.stack.last().map(|frame| &frame.open),
            Some(Open::Map { key: None, .. })
        )
    }

    fn count(&mut self, span: Span) -> Result<(), Fault> {
        self.nodes += 1;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        Err(Fault {
            rule: Rule::TooManyNodes,
            span,
            message: format!("the document has more than {NODES_MAX} values"),
            help: None,
        })
    }

    fn open(&mut self, span: Span, open: Open) -> Result<(), Fault> {
        self.count(span)?;
        if self.stack.len() >= DEPTH_MAX {
            return Err(Fault {
                rule: Rule::DocumentTooDeep,
                span,
                message: format!("the document is nested deeper than {DEPTH_MAX} levels"),
                help: None,
            });
        }
        if self.expects_key() {
            return Err(self.complex_key(&open, span));
        }
        let is_within = self.stack.last().is_some_and(|frame| frame.is_in_flow);
        self.stack.push(Frame {
            start: span.start,
            open,
            // Block collections begin with no character of their own.
            is_in_flow: is_within || span.start != span.end,
        });
        Ok(())
    }

    fn complex_key(&self, key: &Open, span: Span) -> Fault {
        let outer = self.stack.last().filter(|frame| {
            frame.open.is_flow_map() && key.is_flow_map() && frame.start.right(1) == span.start
        });
        if let Some(outer) = outer {
            return Fault {
                rule: Rule::UnquotedExpression,
                span: Span::new(outer.start, span.start.right(1)),
                message: "YAML reads `{{` as a mapping within a mapping".to_owned(),
                help: Some("put the expression into quotes: \"{{ … }}\"".to_owned()),
            };
        }
        syntax(
            span,
            "a key must be a single value, not a list or a mapping".to_owned(),
        )
    }

    fn close(&mut self, end: Span) -> Result<(), Fault> {
        let frame = self
            .stack
            .pop()
            .expect("the parser balances starts and ends");
        let span = Span::new(frame.start, end.end.max(frame.start));
        let content = match frame.open {
            Open::List(items) => Content::List(items),
            Open::Map {
                mapping, merged, ..
            } => Content::Map(merge(mapping, merged)),
        };
        self.add(Node { span, content })
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame {
            open: Open::Map { key, .. },
            ..
        }) = self.stack.last_mut()
        {
            *key = Some(new);
        }
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map {
                mapping,
                key,
                merged,
            } => match key.take() {
                Some(Key::Plain(key, key_span)) => {
                    let entry = Entry {
                        key_span,
                        value: node,
                    };
                    if let Some(duplicate) = insert(mapping, key, entry) {
                        self.duplicates.push(duplicate);
                    }
                }
                Some(Key::Merge(key_span)) => collect_merged(node, key_span, merged)?,
                None => unreachable!("keys that are not scalars are refused when they open"),
            },
        }
        Ok(())
    }
}

fn insert(mapping: &mut Mapping, key: Value, entry: Entry) -> Option<Duplicate> {
    match mapping.entries.entry(key) {
        Slot::Vacant(slot) => {
            slot.insert(entry);
            None
        }
        Slot::Occupied(mut slot) => {
            let duplicate = Duplicate {
                key: slot.key().to_text(),
                span: entry.key_span,
                earlier: slot.get().key_span,
            };
            slot.insert(entry);
            Some(duplicate)
        }
    }
}

/// Takes what stands under `<<`: a mapping, or a list of mappings of which earlier ones win.
fn collect_merged(
    node: Node,
    key_span: Span,
    merged: &mut Vec<(Value, Entry)>,
) -> Result<(), Fault> {
    let not_a_mapping = || {
        syntax(
            key_span,
            "`<<` merges a mapping or a list of mappings; anchors and aliases are not supported"
                .to_owned(),
        )
    };
    match node.content {
        Content::Map(mapping) => merged.extend(mapping.entries),
        Content::List(items) => {
            for item in items.into_iter().rev() {
                let Content::Map(mapping) = item.content else {
                    return Err(not_a_mapping());
                };
                merged.extend(mapping.entries);
            }
        }
        Content::Scalar(_) | Content::Date(_) => return Err(not_a_mapping()),
    }
    Ok(())
}

fn merge(own: Mapping, merged: Vec<(Value, Entry)>) -> Mapping {
    if merged.is_empty() {
        return own;
    }
    let mut mapping = Mapping {
        is_flow: own.is_flow,
        ..Mapping::default()
    };
    mapping.entries.extend(merged);
    mapping.entries.extend(own.entries);
    mapping
}

/// The tag `!` alone: "whatever is usual", which for scalars is text.
fn is_non_specific(tag: &Tag) -> bool {
    (tag.handle.is_empty() && tag.suffix == "!") || (tag.handle == "!" && tag.suffix.is_empty())
}

fn expect_tag(tag: Option<&Tag>, wanted: &str, span: Span) -> Result<(), Fault> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == wanted => Ok(()),
        Some(tag) if is_non_specific(tag) => Ok(()),
        Some(tag) => Err(unknown_tag(tag, span)),
        None => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, span: Span) -> Fault {
    let name = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        format!("{}{}", tag.handle, tag.suffix)
    };
    Fault {
        rule: Rule::UnknownTag,
        span,
        message: format!("the tag `{name}` is not supported here"),
        help: None,
    }
}

fn malformed(text: &str, tag: Option<&Tag>, reason: Malformed, span: Span) -> Fault {
    match (reason, tag) {
        (Malformed::UnknownTag, Some(tag)) => unknown_tag(tag, span),
        (Malformed::TooLong, _) => syntax(
            span,
            format!("a number may have at most {DIGITS_MAX} digits"),
        ),
        (Malformed::Tag, Some(tag)) => syntax(
            span,
            format!("`{text}` is no value of the type !!{}", tag.suffix),
        ),
        _ => syntax(span, format!("`{text}` is not a number")),
    }
}

/// A fault of the text itself.
pub(super) fn syntax(span: Span, message: String) -> Fault {
    Fault {
        rule: Rule::YamlSyntax,
        span,
        message,
        help: None,
    }
}

/// The parser's own error, with a hint where the line shows a usual slip.
fn scan_fault(source: &str, error: &ScanError, layout: &Layout<'_>) -> Fault {
    let at = layout.position(*error.marker());
    let line = source.lines().nth(at.line as usize - 1).unwrap_or("");
    let indent = &line[..line.len() - line.trim_start().len()];
    let help = if indent.contains('\t') {
        Some("YAML is indented with spaces, not with tabs".to_owned())
    } else if line.contains("{{") || line.contains("{%") || line.contains("<%") {
        Some("if this is an expression, put the whole value into quotes".to_owned())
    } else {
        None
    };
    Fault {
        help,
        ..syntax(Span::at(at), error.info().to_owned())
    }
}

/// YAML has no control characters; a NUL would also end the text for the parser.
fn refuse_control_characters(source: &str) -> Result<(), Fault> {
    let is_refused = |c: char| {
        let blank = matches!(c, '\t' | '\n' | '\r' | '\u{85}');
        (c.is_control() && !blank) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    let Some(offset) = source.find(is_refused) else {
        return Ok(());
    };
    let before = &source[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let at = Position {
        line: u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX),
        column: 1,
    }
    .right(before[line_start..].chars().count());
    let character = source[offset..].chars().next().map_or(0, u32::from);
    Err(syntax(
        Span::at(at),
        format!("the character U+{character:04X} is not allowed"),
    ))
}
