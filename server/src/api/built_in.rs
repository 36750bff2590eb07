//! The actions that come with the server, as the API shows and filters them.

use engine::{BUILTINS, Builtin, Data};
use proto::v1::{self, PayloadFormat};
use store::{DefinitionField, Filter, FilterValue, Operator};

use super::convert::payload;

/// The built-in action of this name.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    engine::catalog::builtin(name)
}

/// The built-in actions that pass a filter and come after a name, by name.
pub(super) fn list(
    filter: &Filter<DefinitionField>,
    after: &str,
) -> impl Iterator<Item = &'static Builtin> {
    let later = BUILTINS.iter().filter(move |action| action.name > after);
    later.filter(|action| passes(filter, action.name))
}

/// A built-in action on the wire.
pub(super) fn wire(action: &Builtin) -> v1::Action {
    let input = action.parameters.iter().map(|parameter| {
        let default = parameter.default.map(Data::from_checked_text);
        v1::InputParameter {
            name: parameter.name.to_owned(),
            required: parameter.is_required(),
            default_value: payload::wire_optional(default.as_ref(), PayloadFormat::Json),
        }
    });
    v1::Action {
        name: action.name.to_owned(),
        kind: v1::ActionKind::System.into(),
        description: action.doc.to_owned(),
        input: input.collect(),
        asynchronous: action.is_asynchronous(),
        ..v1::Action::default()
    }
}

/// What the store does with rows: beside its name and an empty namespace it has nothing.
pub(super) fn passes(filter: &Filter<DefinitionField>, name: &str) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes(part, name)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, name)),
        Filter::Not(part) => !passes(part, name),
        Filter::Compare {
            field,
            operator,
            value,
        } => {
            let text = match field {
                DefinitionField::Name => Some(name),
                DefinitionField::Namespace => Some(""),
                DefinitionField::Workbook
                | DefinitionField::Tag
                | DefinitionField::CreateTime
                | DefinitionField::UpdateTime => None,
            };
            let is_not = *operator == Operator::NotEqual;
            text.is_some_and(|text| compare(text, *operator, value)) != is_not
        }
    }
}

/// Whether a text compares so; `!=` as `=`.
fn compare(text: &str, operator: Operator, value: &FilterValue) -> bool {
    match value {
        FilterValue::Text(wanted) => {
            let order = text.as_bytes().cmp(wanted.as_bytes());
            match operator {
                Operator::Equal | Operator::NotEqual | Operator::Has => order.is_eq(),
                Operator::Less => order.is_lt(),
                Operator::LessOrEqual => order.is_le(),
                Operator::Greater => order.is_gt(),
                Operator::GreaterOrEqual => order.is_ge(),
            }
        }
        FilterValue::StartsWith(part) => text.starts_with(&**part),
        FilterValue::EndsWith(part) => text.ends_with(&**part),
        FilterValue::Contains(part) => text.contains(&**part),
        FilterValue::Present => true,
        FilterValue::Time(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_actions_are_filtered_like_rows() {
        for (filter, after, expected) in [
            (
                "name = \"std.ec*\" OR name = std.noop",
                "",
                vec!["std.echo", "std.noop"],
            ),
            ("name = std.echo", "std.echo", vec![]),
            ("name > std.t", "", vec!["std.test_dict"]),
            ("workbook = book OR tag : nightly", "", vec![]),
            ("NOT name = \"std.*\"", "", vec![]),
            ("workbook != book AND name = std.noop", "", vec!["std.noop"]),
            (
                "name = \"*noop\" AND name <= std.noop",
                "std.b",
                vec!["std.noop"],
            ),
        ] {
            let filter_tree =
                super::super::filter::parse(filter).expect("the filter is well formed");
            let names: Vec<_> = list(&filter_tree, after)
                .map(|action| action.name)
                .collect();
            assert_eq!(names, expected, "{filter}");
        }
    }

    #[test]
    fn defaults_are_json() {
        let http = wire(find("std.http").expect("it is built in"));
        let required: Vec<_> = http.input.iter().filter(|one| one.required).collect();
        assert_eq!(required.len(), 1);
        for action in BUILTINS {
            for input in wire(action).input.iter().filter(|one| !one.required) {
                let given = input.default_value.clone();
                let data = payload::any("default", given, 1000);
                assert!(data.is_ok(), "{}.{}", action.name, input.name);
            }
        }
    }
}
