//! The page about actions says of each what the table of the engine says: every action has a
//! section, and every parameter a row with its types and default.

use std::collections::BTreeMap;

use engine::catalog::{BUILTINS, Parameter};

const PAGE: &str = include_str!("../../../../docs/actions.md");

/// The first three cells of the rows of each section's table of parameters.
fn documented() -> BTreeMap<&'static str, Vec<[&'static str; 3]>> {
    let mut sections: BTreeMap<&str, Vec<[&str; 3]>> = BTreeMap::new();
    let (mut section, mut is_table) = ("", false);
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
            sections.entry(section).or_default();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", "parameter", "type", "default", ..] => is_table = true,
            ["", name, kinds, default, _, ""] if is_table && name.starts_with('`') => {
                let rows = sections.entry(section).or_default();
                rows.push([name, kinds, default].map(|cell| cell.trim_matches('`')));
            }
            ["", ..] if is_table && line.starts_with('|') => {}
            _ => is_table = false,
        }
    }
    sections
}

fn row_of(parameter: &Parameter) -> [String; 3] {
    let kinds: Vec<String> = parameter.kinds.iter().map(ToString::to_string).collect();
    let default = match parameter.default {
        None => "required",
        Some("null") => "",
        Some(json) => json,
    };
    [parameter.name.into(), kinds.join(", "), default.into()]
}

#[test]
fn the_page_says_what_the_table_says() {
    let documented = documented();
    for action in BUILTINS {
        let rows = documented.get(action.name);
        let rows = rows.unwrap_or_else(|| panic!("no section about {}", action.name));
        let expected: Vec<[String; 3]> = action.parameters.iter().map(row_of).collect();
        assert_eq!(*rows, expected, "{}", action.name);
        let overview = format!("| [`{}`](#", action.name);
        let listed = PAGE.lines().filter(|line| line.starts_with(&overview));
        assert_eq!(listed.count(), 1, "{overview}");
    }
}

#[test]
fn the_table_is_sound() {
    assert!(BUILTINS.is_sorted_by(|a, b| a.name < b.name));
    for action in BUILTINS {
        for parameter in action.parameters {
            assert!(!parameter.kinds.is_empty() && parameter.doc.ends_with('.'));
            let default = parameter
                .default
                .map(serde_json::from_str::<serde_json::Value>);
            assert!(default.is_none_or(|json| json.is_ok()), "{parameter:?}");
        }
    }
}
