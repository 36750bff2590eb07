//! Makes random expressions that mean something more often than not: of the kind that a place
//! wants, and now and then of another.

use expr::FunctionDoc;

use super::dice::Dice;
use super::forms::{Class, Form, forms, hole, is_left_out};
use super::leaves::{ITEMS, Item, KINDS, Kind, literal, path};

/// Makes expressions.
pub(crate) struct Generator {
    forms: Vec<(Form, Class)>,
    /// What `$1`, `$2` … are at this place.
    args: Vec<Kind>,
    /// How the data is written at this place, if it can be.
    root: Option<&'static str>,
    /// The kind of the items that lambdas of the present call get.
    item: Item,
}

/// How often a part is of another kind than wanted, in percent.
const WRONG: usize = 4;

impl Generator {
    pub(crate) fn new() -> Self {
        Self {
            forms: forms(),
            args: Vec::new(),
            root: Some("$"),
            item: Item::Any,
        }
    }

    /// A whole expression.
    pub(crate) fn expression(&mut self, dice: &mut Dice) -> String {
        self.args = Vec::new();
        let depth = dice.pick(&[1, 1, 2, 2, 3]);
        if dice.chance(20) {
            self.root = Some("$r");
            return format!("let(r => $) -> {}", self.form(dice, Kind::Any, depth));
        }
        self.root = Some("$");
        self.form(dice, Kind::Any, depth)
    }

    fn value(&mut self, dice: &mut Dice, kind: Kind, depth: usize) -> String {
        let kind = if dice.chance(WRONG) {
            dice.pick(KINDS)
        } else {
            kind
        };
        if depth == 0 || dice.chance(25) {
            return self.leaf(dice, kind);
        }
        self.form(dice, kind, depth - 1)
    }

    fn leaf(&mut self, dice: &mut Dice, kind: Kind) -> String {
        let fitting: Vec<usize> = (0..self.args.len())
            .filter(|at| kind == Kind::Any || fits(self.args[*at], kind))
            .collect();
        if !fitting.is_empty() && dice.chance(60) {
            return match dice.pick(&fitting) {
                0 => "$".into(),
                at => format!("${}", at + 1),
            };
        }
        let found = match self.root {
            Some(root) if dice.chance(45) => path(dice, root, kind),
            _ => None,
        };
        found.unwrap_or_else(|| literal(dice, kind))
    }

    fn form(&mut self, dice: &mut Dice, kind: Kind, depth: usize) -> String {
        let serving: Vec<Form> = self
            .forms
            .iter()
            .filter(|(_, class)| class.serves(kind))
            .map(|(form, _)| *form)
            .collect();
        if serving.is_empty() {
            return self.leaf(dice, kind);
        }
        let outer = self.item;
        self.item = match kind {
            Kind::List(item) | Kind::Set(item) | Kind::Seq(item) | Kind::Items(item) => item,
            _ => dice.pick(ITEMS),
        };
        let text = match dice.pick(&serving) {
            Form::Template(template) => self.fill(dice, template, depth),
            Form::Builtin(doc) => self.call(dice, doc, depth),
        };
        self.item = outer;
        text
    }

    fn fill(&mut self, dice: &mut Dice, template: &str, depth: usize) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let letter = rest[at + 1..].chars().next().unwrap_or('%');
            rest = &rest[at + 1 + letter.len_utf8()..];
            match letter {
                'A' => out.push_str(&self.lambda(dice, Kind::Any, 1, depth)),
                'B' => out.push_str(&self.lambda(dice, Kind::Bool, 1, depth)),
                'M' => out.push_str(&self.lambda(dice, Kind::Any, 2, depth)),
                '%' => out.push('%'),
                letter => match hole(letter) {
                    Some(kind) => {
                        if let Kind::Items(item) | Kind::List(item) = kind {
                            self.item = item;
                        }
                        out.push_str(&self.value(dice, kind, depth));
                    }
                    None => unreachable!("a template has no %{letter}"),
                },
            }
        }
        out + rest
    }

    /// A call as the signature says, with optional arguments left out and names given by chance.
    fn call(&mut self, dice: &mut Dice, doc: &FunctionDoc, depth: usize) -> String {
        let names: Vec<&str> = doc
            .name
            .split('|')
            .filter(|name| !is_left_out(name))
            .collect();
        let name = dice.pick(&names);
        let mut args: Vec<String> = Vec::new();
        let mut by_name = false;
        let params: Vec<&str> = doc
            .signature
            .split(", ")
            .filter(|p| !p.is_empty())
            .collect();
        let rules = doc.signature.contains("pair") || matches!(name, "dict" | "set");
        for (index, text) in params.iter().enumerate() {
            if let Some(param) = text.strip_prefix("**") {
                if dice.chance(70) {
                    let value = self.argument(dice, param, depth);
                    args.push(format!("{} => {value}", parameter(param)));
                }
                continue;
            }
            if let Some(param) = text.strip_prefix('*') {
                for _ in 0..dice.pick(&[0, 1, 1, 2, 3]) {
                    args.push(self.argument(dice, param, depth));
                }
                continue;
            }
            let optional = text.contains(" = ");
            if optional && dice.chance(55) {
                by_name = true;
                continue;
            }
            if index > 0 && !rules && dice.chance(5) {
                by_name = true;
            }
            let value = self.argument(dice, text, depth);
            args.push(if by_name {
                format!("{} => {value}", parameter(text))
            } else {
                value
            });
        }
        let method = match doc.form {
            expr::Form::Function => false,
            expr::Form::Method => true,
            expr::Form::Both => dice.chance(60),
        };
        if dice.chance(1) {
            args.push(self.value(dice, Kind::Any, 0));
        }
        if method && !args.is_empty() && !args[0].contains("=> ") {
            let receiver = args.remove(0);
            return format!("{}.{name}({})", receiver_of(&receiver), args.join(", "));
        }
        format!("{name}({})", args.join(", "))
    }

    fn argument(&mut self, dice: &mut Dice, param: &str, depth: usize) -> String {
        let (name, kind) = param.split_once(": ").unwrap_or((param, "any"));
        let kind = kind.split(" = ").next().unwrap_or(kind);
        if kind.ends_with('?') && kind != "any?" && dice.chance(10) {
            return "null".into();
        }
        let item = self.item;
        let kind = match kind.trim_end_matches('?') {
            "lambda" => return self.selector(dice, name, depth),
            "pair" | "lazy pair" => {
                let key = self.value(dice, Kind::Any, depth);
                return format!("{key} => {}", self.value(dice, Kind::Any, depth));
            }
            "ordering" => {
                let items = self.value(dice, Kind::Items(item), depth);
                return format!(
                    "{}.orderBy({})",
                    receiver_of(&items),
                    self.selector(dice, name, 0)
                );
            }
            "iterable" | "ordered iterable" => Kind::Items(item),
            "iterator" => Kind::Seq(item),
            "list" => Kind::List(item),
            "set" => Kind::Set(item),
            "dict" => Kind::Dict,
            "string" => Kind::Str,
            "int" | "integer" if dice.chance(85) => Kind::Small,
            "int" | "integer" => Kind::Int,
            "number" => Kind::Number,
            "bool" => Kind::Bool,
            "datetime" => Kind::Time,
            "timespan" => Kind::Span,
            "regex" => Kind::Regex,
            _ => item.kind(),
        };
        self.value(dice, kind, depth)
    }

    fn selector(&mut self, dice: &mut Dice, name: &str, depth: usize) -> String {
        match name {
            "predicate" | "condition" | "conditions" => {
                let kind = dice.pick(&[Kind::Bool, Kind::Bool, Kind::Bool, Kind::Any]);
                self.lambda(dice, kind, 2, depth)
            }
            "keySelector" => {
                let kind = dice.pick(&[Kind::Number, Kind::Str, self.item.kind()]);
                self.lambda(dice, kind, 1, depth)
            }
            _ => self.lambda(dice, Kind::Any, 2, depth),
        }
    }

    /// The body of a lambda of so many arguments, each an item of the present collection.
    fn lambda(&mut self, dice: &mut Dice, kind: Kind, args: usize, depth: usize) -> String {
        let outer = std::mem::replace(&mut self.args, vec![self.item.kind(); args]);
        let root = self.root;
        if root == Some("$") {
            self.root = None;
        }
        let body = self.value(dice, kind, depth.min(1));
        self.root = root;
        self.args = outer;
        body
    }
}

fn fits(have: Kind, want: Kind) -> bool {
    have == want || matches!((have, want), (Kind::Int, Kind::Number))
}

fn parameter(text: &str) -> &str {
    text.split(": ").next().unwrap_or(text)
}

/// Puts a receiver in parentheses where the dot would bind only a part of it.
fn receiver_of(text: &str) -> String {
    let plain = text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '$' | '.' | '_'));
    let closed = (text.starts_with('[') || text.starts_with('(') || text.starts_with('{'))
        && text.len() > 1
        && closes_at_end(text);
    if plain && !text.starts_with(|c: char| c.is_ascii_digit()) || closed {
        text.into()
    } else {
        format!("({text})")
    }
}

fn closes_at_end(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && at + 1 < text.len() {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}
