//! What generated expressions are built of: every builtin of the table, by the kind of its
//! result, and templates for operators and for what must be written with care.
//!
//! In a template `%` and a letter stand for a part; see [`hole`].

use expr::FunctionDoc;

use super::leaves::{Item, Kind};

/// One way to make an expression.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    Builtin(&'static FunctionDoc),
    Template(&'static str),
}

/// The kind of a form's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Any,
    Bool,
    Number,
    Str,
    Regex,
    Time,
    Span,
    List,
    Set,
    Seq,
    Dict,
}

impl Class {
    /// Whether results of this class are of a kind.
    pub(crate) fn serves(self, kind: Kind) -> bool {
        match kind {
            Kind::Any | Kind::Null => true,
            Kind::Bool => self == Self::Bool,
            Kind::Small => false,
            Kind::Int | Kind::Float | Kind::Number => self == Self::Number,
            Kind::Str => self == Self::Str,
            Kind::Regex => self == Self::Regex,
            Kind::Time => self == Self::Time,
            Kind::Span => self == Self::Span,
            Kind::List(_) => self == Self::List,
            Kind::Set(_) => self == Self::Set,
            Kind::Seq(_) => self == Self::Seq,
            Kind::Items(_) => matches!(self, Self::List | Self::Seq | Self::Set),
            Kind::Dict => self == Self::Dict,
        }
    }
}

/// Functions that no generated expression calls as their signature says, and why.
pub(crate) const LEFT_OUT: &[(&str, &str)] = &[
    ("now", "knows the time"),
    ("random", "draws by chance"),
    ("localtz", "depends on the machine"),
    ("yaml_parse", "is compared in `yaml`"),
    ("yaml_dump", "is compared in `yaml`"),
    ("json_pp", "was removed from Mistral"),
];

/// Functions that do not end by themselves, or fill the memory: only templates call them.
const WITH_CARE: &[&str] = &[
    "sequence",
    "cycle",
    "repeat",
    "generate",
    "generateMany",
    "range",
    "pow",
    "shiftBitsLeft",
    "call",
    "let",
    "with",
    "def",
    "json_parse",
    "unpack",
    "format",
];

/// Whether no generated expression calls a function.
pub(crate) fn is_left_out(name: &str) -> bool {
    LEFT_OUT.iter().any(|(other, _)| *other == name)
}

/// Every form and the class of its result.
pub(crate) fn forms() -> Vec<(Form, Class)> {
    let callable = |doc: &&FunctionDoc| {
        let first = doc.name.split('|').next().unwrap_or_default();
        !is_left_out(first) && !WITH_CARE.contains(&first)
    };
    let builtins = expr::functions()
        .iter()
        .filter(|doc| doc.group != "workflow")
        .filter(callable);
    let builtins = builtins.map(|doc| (Form::Builtin(doc), class_of(doc)));
    let templates = TEMPLATES
        .iter()
        .flat_map(|(class, texts)| texts.iter().map(|text| (Form::Template(text), *class)));
    builtins.chain(templates).collect()
}

fn class_of(doc: &FunctionDoc) -> Class {
    let name = doc.name.split('|').next().unwrap_or_default();
    let first = doc.signature.split(", ").next().unwrap_or_default();
    match name {
        "any" | "all" | "contains" | "containsKey" | "containsValue" | "startsWith"
        | "endsWith" | "matches" | "bool" | "isEmpty" => Class::Bool,
        _ if name.starts_with("is") => Class::Bool,
        "len" | "count" | "indexOf" | "lastIndexOf" | "int" | "float" | "indexWhere"
        | "lastIndexWhere" | "bitwiseAnd" | "bitwiseOr" | "bitwiseXor" | "bitwiseNot"
        | "shiftBitsRight" | "sign" | "abs" | "round" => Class::Number,
        "str" | "substring" | "toLower" | "toUpper" | "trim" | "trimLeft" | "trimRight"
        | "norm" | "hex" | "escapeRegex" | "json_dump" | "replaceBy" => Class::Str,
        "concat" | "join" | "replace" if doc.signature.contains("string") => Class::Str,
        "replace" | "datetime" if !first.contains("iterable") => Class::Time,
        "timespan" | "utctz" => Class::Span,
        "regex" => Class::Regex,
        "set" | "delete" if first.contains("dict") => Class::Dict,
        "set"
        | "toSet"
        | "keys"
        | "union"
        | "intersect"
        | "difference"
        | "symmetricDifference"
        | "add"
        | "remove" => Class::Set,
        "dict" | "toDict" | "deleteAll" | "mergeWith" => Class::Dict,
        "toList" | "list" | "split" | "rightSplit" | "toCharArray" => Class::List,
        _ if first.contains("iterable") && doc.group == "queries" => match name {
            "first" | "last" | "single" | "sum" | "max" | "min" | "aggregate|reduce" => Class::Any,
            _ => Class::Seq,
        },
        _ => Class::Any,
    }
}

/// What the letter of a hole stands for, if it stands for a value.
pub(crate) fn hole(letter: char) -> Option<Kind> {
    Some(match letter {
        'a' => Kind::Any,
        'b' => Kind::Bool,
        'i' => Kind::Int,
        'j' => Kind::Small,
        'f' => Kind::Float,
        'u' => Kind::Number,
        's' => Kind::Str,
        'r' => Kind::Regex,
        't' => Kind::Time,
        'p' => Kind::Span,
        'd' => Kind::Dict,
        'l' => Kind::List(Item::Int),
        'L' => Kind::List(Item::Any),
        'e' => Kind::List(Item::Dict),
        'c' => Kind::Items(Item::Int),
        'C' => Kind::Items(Item::Any),
        'S' => Kind::Set(Item::Int),
        _ => return None,
    })
}

/// Operators, and calls that need care. `%B` is a predicate, `%A` a selector, `%M` a lambda of
/// two arguments.
const TEMPLATES: &[(Class, &[&str])] = &[
    (
        Class::Number,
        &[
            "(%u + %u)",
            "(%u - %u)",
            "(%u * %u)",
            "(%u / %u)",
            "(%u mod %u)",
            "%j + %j * %j",
            "(-%u)",
            "(+%u)",
            "-%j mod %j",
            "(%p / %p)",
            "max(%u, %u)",
            "min(%u, %u)",
            "pow(%u, %j)",
            "pow(%i, %j, %i)",
            "pow(%j, %f)",
            "shiftBitsLeft(%i, %j)",
            "%l[%j]",
            "%t.year",
            "%t.month",
            "%t.weekday",
            "%t.timestamp",
            "%t.microsecond",
            "%p.days",
            "%p.hours",
            "%p.seconds",
            "%p.microseconds",
            "%c.sum()",
            "%c.sum(%u)",
            "%c.max()",
            "%c.min(%u)",
            "call(len, [%L], {})",
            "range(%j).sum()",
            "%c.aggregate($1 + $2, %j)",
            "%d.get(v, %j)",
            "switch(%b => %u, %b => %u)",
            "coalesce(null, %u)",
            "%e.v.sum()",
            "%j - %j - %j",
            "%j * (%j + %j)",
            "%e.select($.v).sum()",
            "%t.hour + %t.day",
        ],
    ),
    (
        Class::Bool,
        &[
            "(%a = %a)",
            "(%a != %a)",
            "(%u < %u)",
            "(%u <= %u)",
            "(%u > %u)",
            "(%u >= %u)",
            "(%s < %s)",
            "(%s >= %s)",
            "(%a < null)",
            "(null <= %a)",
            "(%a > %a)",
            "(not %a)",
            "(%b and %b)",
            "(%b or %b)",
            "not %b and %b or %b",
            "(%s in %s)",
            "(%a in %C)",
            "(%j in %c)",
            "(%s =~ %r)",
            "(%s !~ %r)",
            "(%s =~ %s)",
            "(%t < %t)",
            "(%t = %t)",
            "(%p >= %p)",
            "(%S < %S)",
            "(%S <= %S)",
            "(%S > %S)",
            "%j < %j = %b",
            "%j + %j > %j",
            "%j in %c and not %b",
            "(%d = %d)",
            "(%L = %L)",
            "%s.matches(%s)",
            "%s != %s and %b",
        ],
    ),
    (
        Class::Str,
        &[
            "(%s + %s)",
            "(%s * %j)",
            "(%j * %s)",
            "%s.join(%C)",
            "%c.join(%s)",
            "str(%a)",
            "%d.get(k, %s)",
            "'{0}-{1}'.replace('{0}', %s)",
            "%t.format('%%Y-%%m-%%d %%H:%%M:%%S')",
            "str(%t)",
            "str(%p)",
            "str(%L)",
            "str(%d)",
            "str(%u)",
            "%s.toUpper().toLower()",
            "call(toUpper, [], {}, %s)",
            "%e.k.join(',')",
            "%s + str(%u)",
            "str(%t.date)",
        ],
    ),
    (
        Class::List,
        &[
            "[%a, %a]",
            "[%j, %j, %j]",
            "[%C]",
            "(%L + %L)",
            "(%l * %j)",
            "(%j * %l)",
            "%C.toList()",
            "range(%j).toList()",
            "range(%j, %j).toList()",
            "[%s, %s]",
            "range(%j, %j, %j).toList()",
            "sequence(%i, %j).take(3).toList()",
            "%e.toList()",
            "json_parse('[1, {\"a\": null}, 2.50, \"x\"]')",
            "json_parse(json_dump(%L))",
        ],
    ),
    (
        Class::Seq,
        &[
            "range(%j)",
            "range(%j, %j)",
            "range(%j, %j, %j)",
            "sequence().skip(%j).limit(2)",
            "sequence(%j, %j).take(4)",
            "%C.cycle().take(5)",
            "%a.repeat(%j)",
            "%a.repeat().limit(2)",
            "generate(%j, $ < 9, $ + 2)",
            "(%C + %C)",
            "%e.k",
            "%e.v",
            "generate(%j, $ < 9, $ + 3, str($))",
            "generate(0, true, ($ + %j) mod 3, $, true)",
            "generateMany(%j, [$ + 1, $ * 2].where($ < 6 and $ > 0))",
            "generateMany(1, [$ + 1, $ + 3].where($ < 8), $ * 2, true)",
            "generateMany(1, [$ + 2, $ + 3].where($ < 8), $, true, true)",
            "generateMany(1, [$ + 2].where($ < 8), depthFirst => true)",
            "%C.where(%B)",
            "%C.select(%A)",
            "%e.where($.v > %j).select($.k)",
            "%e.groupBy($.k, $.v, $.sum())",
            "%c.where(%B).select(%A).take(3)",
            "%e.groupBy($.k)",
            "%c.orderBy($).thenBy(-$)",
            "%e.orderBy($.k).thenByDescending($.v)",
            "%e.orderByDescending($.v).select($.k)",
            "%c.join(%c, $1 > $2, [$1, $2])",
            "%e.toDict($.k).values()",
            "%C.zip(%C)",
        ],
    ),
    (
        Class::Set,
        &[
            "(%S - %S)",
            "(%S + %S)",
            "%d.keys()",
            "%c.toSet()",
            "set(%j, %j, %j)",
        ],
    ),
    (
        Class::Dict,
        &[
            "(%d + %d)",
            "{k => %a, v => %a}",
            "{%s => %a}",
            "dict(k => %s, v => %j)",
            "%e.toDict($.k, $.v)",
            "dict(%e.select([$.k, $.v]))",
            "%d.set(x, %a)",
            "%d.items()",
            "%e.first({})",
            "%c.toDict($)",
            "%c.toDict(str($), $ * 2)",
            "{%a => %a}",
            "json_parse('{\"a\": [1, 2], \"b\": {\"c\": 1.0}}')",
            "%d.mergeWith(%d)",
            "%d.mergeWith(%d, $1 + $2)",
            "%d.mergeWith(%d, null, $1 + $2)",
            "%d.delete(k)",
            "dict(%d.items().where($[0] != k))",
        ],
    ),
    (
        Class::Time,
        &[
            "(%t + %p)",
            "(%p + %t)",
            "(%t - %p)",
            "%t.replace(year => 2001)",
            "%t.utc",
            "%t.date",
        ],
    ),
    (
        Class::Span,
        &[
            "(%t - %t)",
            "(%p + %p)",
            "(%p - %p)",
            "(%p * %u)",
            "(%u * %p)",
            "(%p / %u)",
            "(-%p)",
            "(+%p)",
            "%t.offset",
            "%t.time",
        ],
    ),
    (
        Class::Any,
        &[
            "%a.k",
            "%d.k",
            "%d.v",
            "%a?.k",
            "%d?.get(k)",
            "null?.foo()",
            "%e.k",
            "%d[%s]",
            "%d[k, %a]",
            "%L[%j]",
            "%a[%a]",
            "(%b and %a)",
            "(%a or %a)",
            "let(x => %a) -> [$x]",
            "let(%a, %a) -> [$1, $2, $]",
            "with(%a) -> [$]",
            "let(x => %j, y => %j) -> $x + $y",
            "def(f, $ * 2) -> f(%j)",
            "def(f, $1 + $x) -> let(x => %j) -> f(%j)",
            "%l.unpack(p, q) -> $p",
            "[%a, %a].unpack(p, q) -> [$q, $p]",
            "[%a].unpack() -> $1",
            "let(x => %l) -> $x.select($ + $x.len())",
            "%s.len() + %s",
            "(%a + %a)",
            "(%a * %a)",
            "(%a - %a)",
            "(%a / %a)",
            "(%a mod %a)",
            "(-%a)",
            "(%a in %a)",
            "(%a < %a)",
            "switch(%a => %a, %a => %a)",
            "%j.switchCase(%a, %a, %a)",
            "coalesce(%a, %a)",
            "%C.aggregate(%M)",
            "%C.accumulate(%M, %a)",
            "%C.first()",
            "%C.last(%a)",
            "call(%s, [%a], {})",
            "call(replace, [a, b], {count => 1}, %s)",
            "$.missing",
            "$foo",
            "regex('(a)(b)?').search(%s, [$.value, $2.start, $3])",
            "%a.nosuch()",
            "nosuch(%a)",
            "regex('[a-z]').searchAll(%s, $.start)",
            "%r.split(%s, %j)",
            "%s.split(%r)",
            "%s.replaceBy(%r, $.value + '!')",
            "%s.search(%r)",
            "%r.search(%s)",
            "[%a, %a].a",
        ],
    ),
];
