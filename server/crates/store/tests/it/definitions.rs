//! Definitions: revisions, etags, and sources that stay as long as they are needed.

use std::sync::Arc;

use engine::{DefinitionRef, ExecutionState, PinnedAction, TaskRecord};
use store::{
    Applied, ApplyMode, Batch, DefinitionChange, DefinitionKind, Deletion, Entity, Error,
    NewDefinition, Page, RequestRecord, Source, SourceHash, SourceKind, WorkbookChange,
};

use crate::support::{PROJECT, Subject, assert_same, execution, on_each, removal, task};

pub(crate) fn member(name: &str) -> NewDefinition {
    NewDefinition {
        kind: DefinitionKind::Workflow,
        name: name.into(),
        description: format!("about {name}").into(),
        tags: Vec::new(),
        details: "{}".into(),
    }
}

pub(crate) fn change(text: &str, mode: ApplyMode, names: &[&str], now_us: i64) -> DefinitionChange {
    DefinitionChange {
        project: PROJECT.into(),
        namespace: "".into(),
        source: Source {
            kind: SourceKind::Workflows,
            text: text.into(),
        },
        mode,
        workbook: None,
        members: names.iter().map(|name| member(name)).collect(),
        expected_etag: None,
        request: None,
        now_us,
    }
}

pub(crate) fn deletion(name: &str, etag: Option<&str>) -> Deletion {
    Deletion {
        project: PROJECT.into(),
        namespace: "".into(),
        name: name.into(),
        expected_etag: etag.map(Into::into),
        request: None,
    }
}

pub(crate) fn revisions(applied: &Applied) -> Vec<(&str, i32)> {
    applied
        .definitions
        .iter()
        .map(|row| (&*row.name, row.revision))
        .collect()
}

pub(crate) fn latest(subject: &Subject, name: &str) -> Option<i32> {
    let found = subject
        .read(|reader| reader.find_definition(PROJECT, DefinitionKind::Workflow, "", name, None));
    found.map(|row| row.revision)
}

/// In a word: what an error is about.
pub(crate) fn kind_of(error: &Error) -> (&'static str, Entity, &str) {
    match error {
        Error::Conflict { entity, name } => ("exists", *entity, name),
        Error::NotFound { entity, name } => ("missing", *entity, name),
        Error::EtagMismatch { entity, name, .. } => ("etag", *entity, name),
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn modes_say_what_may_exist() {
    use ApplyMode::{Create, Update, Upsert};
    on_each(|subject| {
        let mut apply = |text, mode, names: &[&str]| {
            subject
                .writer
                .apply_definitions(&change(text, mode, names, 1))
        };
        assert_eq!(
            revisions(&apply("1", Create, &["a", "b"]).unwrap()),
            [("a", 1), ("b", 1)]
        );
        let refused = apply("2", Create, &["c", "b", "a"]).unwrap_err();
        assert_eq!(kind_of(&refused), ("exists", Entity::Workflow, "b"));
        let refused = apply("2", Update, &["a", "c"]).unwrap_err();
        assert_eq!(kind_of(&refused), ("missing", Entity::Workflow, "c"));
        assert_eq!(
            revisions(&apply("2", Update, &["b", "a"]).unwrap()),
            [("b", 2), ("a", 2)]
        );
        assert_eq!(
            revisions(&apply("2", Upsert, &["a", "c"]).unwrap()),
            [("a", 2), ("c", 1)]
        );
        assert_eq!(revisions(&apply("1", Upsert, &["a"]).unwrap()), [("a", 3)]);
        assert_eq!(
            (latest(subject, "a"), latest(subject, "d")),
            (Some(3), None)
        );
    });
}

#[test]
fn revisions_stay_as_they_were() {
    on_each(|subject| {
        let texts = ["one", "two", "three"];
        for (text, now_us) in texts.iter().zip([10, 20, 30]) {
            let mut change = change(text, ApplyMode::Upsert, &["a"], now_us);
            change.members[0].tags = vec!["x".into(), format!("tag \"{text}\"\n").into()];
            change.members[0].details = format!("{{\"text\": \"{text}\"}}").into();
            subject.writer.apply_definitions(&change).unwrap();
        }
        let kind = DefinitionKind::Workflow;
        for (text, revision) in texts.iter().zip(1..) {
            let row = subject
                .read(|reader| reader.find_definition(PROJECT, kind, "", "a", Some(revision)))
                .unwrap();
            assert_eq!(
                (row.first_created_us, row.created_us),
                (10, i64::from(revision) * 10)
            );
            assert_eq!(
                *row.tags,
                [Arc::from("x"), format!("tag \"{text}\"\n").into()]
            );
            assert_eq!(&*row.details, format!("{{\"text\": \"{text}\"}}"));
            let source = subject
                .read(|reader| reader.load_source(&row.source_hash))
                .unwrap();
            assert_eq!((source.kind, &*source.text), (SourceKind::Workflows, *text));
            assert_eq!(source.hash(), row.source_hash);
        }
        let mut page = Page::first(2);
        let mut found = Vec::new();
        loop {
            let slice = subject.read(|reader| reader.list_revisions(PROJECT, kind, "", "a", &page));
            page.after = slice.rows.last().map(|row| row.revision);
            found.extend(slice.rows.iter().map(|row| row.revision));
            if !slice.more {
                break;
            }
        }
        assert_eq!(found, [3, 2, 1]);
    });
}

#[test]
fn numbers_go_on_after_a_deletion() {
    on_each(|subject| {
        let mut create = |text| {
            let change = change(text, ApplyMode::Create, &["a"], 1);
            subject
                .writer
                .apply_definitions(&change)
                .unwrap()
                .definitions
                .remove(0)
        };
        let first = create("one");
        subject
            .writer
            .delete_definition(DefinitionKind::Workflow, &deletion("a", None))
            .unwrap();
        assert_eq!(latest(subject, "a"), None);
        let gone = subject.read(|reader| {
            reader.find_definition(PROJECT, DefinitionKind::Workflow, "", "a", Some(1))
        });
        assert!(gone.is_none());
        let again = subject
            .writer
            .delete_definition(DefinitionKind::Workflow, &deletion("a", None))
            .unwrap_err();
        assert_eq!(kind_of(&again), ("missing", Entity::Workflow, "a"));
        // What runs it still finds its text.
        assert!(
            subject
                .read(|reader| reader.load_source(&first.source_hash))
                .is_some()
        );
        let change = change("one", ApplyMode::Create, &["a"], 9);
        let second = subject
            .writer
            .apply_definitions(&change)
            .unwrap()
            .definitions
            .remove(0);
        assert_eq!((second.revision, second.first_created_us), (2, 9));
        assert_ne!(first.etag(), second.etag());
    });
}

#[test]
fn etags_guard_against_lost_updates() {
    on_each(|subject| {
        let mut with_etag = |text, etag: Option<&str>| {
            let mut change = change(text, ApplyMode::Upsert, &["a"], 1);
            change.expected_etag = etag.map(Into::into);
            subject.writer.apply_definitions(&change)
        };
        let etag = |applied: Result<Applied, Error>| applied.unwrap().definitions[0].etag();
        assert_eq!(kind_of(&with_etag("1", Some("x")).unwrap_err()).0, "etag");
        let first = etag(with_etag("1", None));
        let second = etag(with_etag("2", Some(&first)));
        assert_ne!(first, second);
        let stale = with_etag("3", Some(&first)).unwrap_err();
        assert_eq!(kind_of(&stale), ("etag", Entity::Workflow, "a"));
        assert_eq!(etag(with_etag("2", Some(&second))), second);
        let mut delete = |etag: &str| {
            let deletion = deletion("a", Some(etag));
            subject
                .writer
                .delete_definition(DefinitionKind::Workflow, &deletion)
        };
        assert_eq!(kind_of(&delete(&first).unwrap_err()).0, "etag");
        delete(&second).unwrap();
        let mut two = change("1", ApplyMode::Upsert, &["a", "b"], 1);
        two.expected_etag = Some("x".into());
        let refused = subject.writer.apply_definitions(&two);
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    });
}

#[test]
fn a_refused_document_leaves_nothing() {
    on_each(|subject| {
        subject
            .writer
            .apply_definitions(&change("1", ApplyMode::Create, &["b"], 1))
            .unwrap();
        let mut refused = change("2", ApplyMode::Create, &["a", "b"], 1);
        refused.request = Some(request("r"));
        subject.writer.apply_definitions(&refused).unwrap_err();
        assert_eq!(latest(subject, "a"), None);
        assert!(
            subject
                .read(|reader| reader.load_source(&refused.source.hash()))
                .is_none()
        );
        assert!(
            subject
                .read(|reader| reader.find_request(PROJECT, "r"))
                .is_none()
        );
        let mut accepted = change("2", ApplyMode::Create, &["a"], 1);
        accepted.request = Some(request("r"));
        subject.writer.apply_definitions(&accepted).unwrap();
        let found = subject.read(|reader| reader.find_request(PROJECT, "r"));
        assert_eq!(found, accepted.request);
    });
}

fn request(id: &str) -> RequestRecord {
    RequestRecord {
        project: PROJECT.into(),
        request_id: id.into(),
        method: "CreateWorkflow".into(),
        body_hash: [3; 32],
        target: "a".into(),
        created_us: 5,
    }
}

pub(crate) fn workbook(
    text: &str,
    mode: ApplyMode,
    names: &[&str],
    now_us: i64,
) -> DefinitionChange {
    let mut change = change(text, ApplyMode::Upsert, names, now_us);
    change.source.kind = SourceKind::Workbook;
    change.members[0].kind = DefinitionKind::Action;
    change.workbook = Some(WorkbookChange {
        mode,
        name: "book".into(),
        description: "a book".into(),
        tags: vec!["t".into()],
    });
    change
}

/// Documents that nothing refers to, asked for in steps of one.
fn unused(subject: &mut Subject) -> Vec<SourceHash> {
    let mut found = Vec::new();
    let mut after: Option<SourceHash> = None;
    loop {
        let step = subject.read(|reader| reader.list_undefined_sources(after.as_ref(), 1));
        let Some(&hash) = step.first() else { break };
        after = Some(hash);
        found.push(hash);
    }
    let mut place = None;
    loop {
        let uses = subject.read(|reader| reader.source_uses(place, 1));
        found.retain(|hash| !uses.hashes.contains(hash));
        place = uses.next;
        if place.is_none() {
            return found;
        }
    }
}

/// A task that was the first of its execution to call an ad-hoc action.
fn pinning(hash: SourceHash) -> TaskRecord {
    let mut task = task(1, 0);
    let chain = vec![DefinitionRef {
        name: "pinned".into(),
        namespace: "".into(),
        revision: 1,
        source_hash: hash,
        workbook: None,
    }];
    let call = "pinned".into();
    task.runtime.pins.push(PinnedAction { call, chain });
    task
}

#[test]
fn sources_go_when_nobody_needs_them() {
    on_each(|subject| {
        let mut hashes = Vec::new();
        for name in [
            "defined",
            "running",
            "finished",
            "unused",
            "taken up again",
            "pinned",
        ] {
            let change = change(name, ApplyMode::Create, &[name], 1);
            hashes.push(change.source.hash());
            subject.writer.apply_definitions(&change).unwrap();
            if name != "defined" {
                let kind = DefinitionKind::Workflow;
                subject
                    .writer
                    .delete_definition(kind, &deletion(name, None))
                    .unwrap();
            }
        }
        let book = workbook("book", ApplyMode::Create, &["book.a"], 1);
        subject.writer.apply_definitions(&book).unwrap();
        let (mut running, mut finished) = (execution(1), execution(2));
        running.record.definition.source_hash = hashes[1];
        finished.record.definition.source_hash = hashes[2];
        finished.record.state = ExecutionState::Success;
        finished.tasks = vec![pinning(hashes[5])];
        subject.add(&[running, finished.clone()]);

        let mut expected = vec![hashes[3], hashes[4]];
        expected.sort_unstable();
        let found = unused(subject);
        assert_eq!(found, expected);
        // Between looking and deleting somebody takes one up.
        let again = change("taken up again", ApplyMode::Create, &["taken up again"], 1);
        subject.writer.apply_definitions(&again).unwrap();
        assert_eq!(subject.writer.delete_unused_sources(&found).unwrap(), 1);
        // Nor does one go that was never unused.
        assert_eq!(
            subject.writer.delete_unused_sources(&hashes[..2]).unwrap(),
            0
        );
        let left: Vec<bool> = hashes
            .iter()
            .map(|hash| subject.read(|reader| reader.load_source(hash)).is_some())
            .collect();
        assert_eq!(left, [true, true, true, false, true, true]);

        let batch = Batch {
            deleted: vec![removal(finished.key())],
            ..Batch::default()
        };
        subject.writer.commit(&batch).unwrap();
        let mut expected = vec![hashes[2], hashes[5]];
        expected.sort_unstable();
        assert_same(&unused(subject), &expected);
    });
}
