//! An expression for each overload of YAQL's operators and properties, all over the same data.

/// What `$` is.
pub(crate) const DATA: &str = r#"{"l": [{"k": 1}, {"k": 2}], "d": {"k": 5}, "n": 2, "s": "abc"}"#;

/// The expressions of an operator.
pub(crate) fn of(name: &str) -> Option<&'static [&'static str]> {
    let mut found = OPERATORS.iter().filter(|(other, _)| *other == name);
    found.next().map(|(_, uses)| *uses)
}

/// For each name at least as many as it has overloads.
pub(crate) const OPERATORS: &[(&str, &[&str])] = &[
    (
        // Three of the overloads here and below are for objects of Python; dicts stand for them.
        "#operator_.",
        &[
            "$.d.k",
            "$.l.k",
            "datetime(2020, 1, 1).year",
            "$.s.toUpper()",
            "$.l.select($.k)",
            "$.l.len()",
            "{a => {b => 1}}.a.b",
        ],
    ),
    ("#operator_?.", &["null?.len()", "$.s?.len()"]),
    ("#operator_->", &["let(x => 1) -> $x + $.n"]),
    ("#get_context_data", &["let(x => 3) -> $x"]),
    (
        "#indexer",
        &["$.l[0]", "$.d[k]", "$.d[nope, 7]", "{a => [7]}[a][0]"],
    ),
    ("#list", &["[1, $.n, [3]]", "[]"]),
    ("#map", &["{a => 1, $.s => 2}", "{}"]),
    ("#iter", &["range(3)"]),
    ("#finalize", &["$.l.select({v => $.k})"]),
    ("*equal", &["$.n = 2", "$.d = {k => 5}", "$.s = null"]),
    ("*not_equal", &["$.n != 2", "[1] != [1, 2]"]),
    (
        "#operator_<",
        &[
            "$.n < 2.5",
            "$.s < 'abd'",
            "null < 1",
            "1 < null",
            "null < null",
            "set(1) < set(1, 2)",
            "timespan(1) < timespan(2)",
            "datetime(2020, 1, 1) < datetime(2021, 1, 1)",
        ],
    ),
    (
        "#operator_<=",
        &[
            "$.n <= 2",
            "$.s <= 'ab'",
            "null <= 1",
            "1 <= null",
            "null <= null",
            "set(1, 2) <= set(1, 2)",
            "timespan(1) <= timespan(hours => 24)",
            "datetime(2020, 1, 1) <= datetime(2019, 1, 1)",
        ],
    ),
    (
        "#operator_>",
        &[
            "$.n > 2",
            "$.s > 'ab'",
            "null > 1",
            "1 > null",
            "null > null",
            "set(1, 2) > set(1)",
            "timespan(1) > timespan(2)",
            "datetime(2020, 1, 1) > datetime(2019, 1, 1)",
        ],
    ),
    (
        "#operator_>=",
        &[
            "$.n >= 2",
            "$.s >= 'abd'",
            "null >= 1",
            "1 >= null",
            "null >= null",
            "set(1) >= set(1, 2)",
            "timespan(1) >= timespan(1)",
            "datetime(2020, 1, 1) >= datetime(2020, 1, 1)",
        ],
    ),
    ("#operator_and", &["$.n and $.s", "0 and 1"]),
    ("#operator_or", &["$.n or $.s", "0 or ''"]),
    ("#unary_operator_not", &["not $.n", "not []"]),
    (
        "#operator_+",
        &[
            "$.n + 1",
            "$.s + 'd'",
            "$.l.k + [3]",
            "$.d + {m => 1}",
            "timespan(1) + timespan(1) = timespan(2)",
            "datetime(2020, 1, 1) + timespan(1)",
            "timespan(1) + datetime(2020, 1, 1)",
        ],
    ),
    (
        "#operator_*",
        &[
            "$.n * 1.5",
            "$.s * 2",
            "2 * $.s",
            "[1] * 2",
            "2 * [1]",
            "(timespan(1) * 2).days",
            "(2 * timespan(1)).days",
        ],
    ),
    ("#operator_in", &["'b' in $.s", "2 in $.l.k"]),
    (
        "#operator_-",
        &[
            "$.n - 3",
            "set(1, 2) - set(1)",
            "(timespan(2) - timespan(1)).days",
            "datetime(2020, 1, 2) - timespan(1)",
            "(datetime(2020, 1, 2) - datetime(2020, 1, 1)).days",
        ],
    ),
    (
        "#operator_/",
        &[
            "7 / $.n",
            "(timespan(2) / 2).days",
            "timespan(2) / timespan(1)",
            "(timespan(microseconds => 9007199254740993) / 3).microseconds",
            "timespan(microseconds => 9007199254740993) / timespan(microseconds => 3)",
        ],
    ),
    ("#operator_mod", &["-7 mod $.n", "7.5 mod 2"]),
    ("#unary_operator_+", &["+$.n", "(+timespan(1)).days"]),
    ("#unary_operator_-", &["-$.n", "(-timespan(1)).days"]),
    (
        "#operator_=~",
        &["$.s =~ '^a'", "$.s =~ regex('B', ignoreCase => true)"],
    ),
    ("#operator_!~", &["$.s !~ '^b'", "$.s !~ regex('B')"]),
    ("#property#year", &["datetime(2020, 1, 2).year"]),
    ("#property#month", &["datetime(2020, 1, 2).month"]),
    ("#property#day", &["datetime(2020, 1, 2).day"]),
    ("#property#hour", &["datetime(2020, 1, 2, 3).hour"]),
    ("#property#minute", &["datetime(2020, 1, 2, 3, 4).minute"]),
    (
        "#property#second",
        &["datetime(2020, 1, 2, 3, 4, 5).second"],
    ),
    (
        "#property#microsecond",
        &["datetime(2020, 1, 2, 3, 4, 5, 6).microsecond"],
    ),
    ("#property#weekday", &["datetime(2020, 1, 2).weekday"]),
    (
        "#property#offset",
        &["datetime(2020, 1, 2, offset => timespan(hours => 2)).offset.hours"],
    ),
    ("#property#timestamp", &["datetime(2020, 1, 2).timestamp"]),
    ("#property#date", &["datetime(2020, 1, 2, 3).date"]),
    ("#property#time", &["datetime(2020, 1, 2, 3).time.hours"]),
    ("#property#utc", &["datetime(2020, 1, 2, 3).utc"]),
    ("#property#days", &["timespan(1, 12).days"]),
    ("#property#hours", &["timespan(1, 12).hours"]),
    ("#property#minutes", &["timespan(1, 12).minutes"]),
    ("#property#seconds", &["timespan(1, 12).seconds"]),
    ("#property#milliseconds", &["timespan(1, 12).milliseconds"]),
    ("#property#microseconds", &["timespan(1, 12).microseconds"]),
];
