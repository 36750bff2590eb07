//! Lists of definitions: order, pages, filters.

use store::{
    ApplyMode, DefinitionField as F, DefinitionKind, DefinitionName, Filter, FilterValue as V,
    Operator as O, Page,
};

use crate::definitions::change;
use crate::support::{PROJECT, Subject, on_each};

fn fill(subject: &mut Subject) {
    for (namespace, name, tags, now_us) in [
        ("", "b", vec!["red", ","], 1),
        ("space", "a", vec!["redder"], 2),
        ("", "a", vec![], 3),
        ("space", "c", vec!["say \"red\""], 4),
    ] {
        let mut change = change(name, ApplyMode::Create, &[name], now_us);
        change.namespace = namespace.into();
        change.members[0].tags = tags.into_iter().map(Into::into).collect();
        subject.writer.apply_definitions(&change).unwrap();
    }
    let newer = change("newer", ApplyMode::Update, &["a"], 9);
    subject.writer.apply_definitions(&newer).unwrap();
    let mut action = change("action", ApplyMode::Create, &["a"], 5);
    action.members[0].kind = DefinitionKind::Action;
    subject.writer.apply_definitions(&action).unwrap();
}

type Case = (Option<&'static str>, Filter<F>, &'static [&'static str]);

fn cases() -> Vec<Case> {
    let is = |field, operator, value| Filter::Compare {
        field,
        operator,
        value,
    };
    let tag = |text: &str| is(F::Tag, O::Has, V::Text(text.to_owned()));
    let starts = |text: &str| is(F::Tag, O::Has, V::StartsWith(text.to_owned()));
    vec![
        (None, Filter::all(), &["/a", "space/a", "/b", "space/c"]),
        (Some("space"), Filter::all(), &["space/a", "space/c"]),
        (Some(""), Filter::all(), &["/a", "/b"]),
        (None, tag("red"), &["/b"]),
        (None, tag(","), &["/b"]),
        (None, starts("red"), &["space/a", "/b"]),
        (
            None,
            Filter::Not(Box::new(tag("red"))),
            &["/a", "space/a", "space/c"],
        ),
        (None, tag("say \"red\""), &["space/c"]),
        (None, is(F::Tag, O::NotEqual, V::Present), &["/a"]),
        (
            None,
            is(F::Name, O::Less, V::Text("b".into())),
            &["/a", "space/a"],
        ),
        (None, is(F::Workbook, O::Has, V::Present), &[]),
        (
            None,
            is(F::CreateTime, O::Greater, V::Time(2)),
            &["/a", "space/c"],
        ),
        (None, is(F::UpdateTime, O::Greater, V::Time(4)), &["/a"]),
    ]
}

#[test]
fn definitions_are_listed_by_name_and_filtered() {
    on_each(|subject| {
        fill(subject);
        for (namespace, filter, expected) in cases() {
            for limit in [1, 3, 100] {
                let found = names(subject, namespace, &filter, limit);
                assert_eq!(
                    found, expected,
                    "{namespace:?} {filter:?}, pages of {limit}"
                );
            }
        }
    });
}

fn names(
    subject: &Subject,
    namespace: Option<&str>,
    filter: &Filter<F>,
    limit: u32,
) -> Vec<String> {
    let kind = DefinitionKind::Workflow;
    let mut page = Page::first(limit);
    let mut found = Vec::new();
    loop {
        let slice =
            subject.read(|reader| reader.list_definitions(PROJECT, kind, namespace, filter, &page));
        found.extend(
            slice
                .rows
                .iter()
                .map(|row| format!("{}/{}", row.namespace, row.name)),
        );
        page.after = slice.rows.last().map(|row| DefinitionName {
            name: row.name.clone(),
            namespace: row.namespace.clone(),
        });
        if !slice.more {
            return found;
        }
    }
}
