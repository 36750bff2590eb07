//! What was committed is what is loaded, whatever it was.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::{Batch, Payloads};

use crate::changes::{change, created};
use crate::support::{Subject, Whole, assert_same, execution, on_each, removal};

fn check(subject: &mut Subject, before: &Whole, after: &Whole) {
    subject.add(std::slice::from_ref(before));
    assert_same(&subject.dump(before.key()), &Some(before));
    let batch = Batch {
        executions: vec![after.as_changed(false)],
        ..Batch::default()
    };
    subject.writer.commit(&batch).unwrap();
    assert_same(&subject.dump(before.key()), &Some(after));
    assert_same(
        &subject.writer.load(after.key()).unwrap().map(|l| l.tasks),
        &Some(&after.tasks),
    );

    let project = after.record.project.clone();
    let found = subject.read(|reader| {
        reader.find_execution(&project, &after.record.uid.to_string(), Payloads::Include)
    });
    assert_same(&found, &Some(&after.record));
    let missing = subject.read(|reader| {
        reader.find_execution(
            "elsewhere",
            &after.record.uid.to_string(),
            Payloads::Include,
        )
    });
    assert!(missing.is_none());

    let batch = Batch {
        deleted: vec![removal(before.key())],
        ..Batch::default()
    };
    subject.writer.commit(&batch).unwrap();
    assert!(subject.dump(before.key()).is_none());
}

#[test]
fn records_survive() {
    on_each(|subject| {
        let subject = RefCell::new(subject);
        let config = ProptestConfig {
            cases: 48,
            ..ProptestConfig::default()
        };
        let changed = created().prop_flat_map(|before| (Just(before.clone()), change(before)));
        let done = TestRunner::new(config).run(&changed, |(before, after)| {
            check(&mut subject.borrow_mut(), &before, &after);
            Ok(())
        });
        done.unwrap();
    });
}

/// The one character that a text of PostgreSQL cannot hold. It must never hold up a commit.
#[test]
fn a_nul_is_kept_or_replaced() {
    on_each(|subject| {
        let mut whole = execution(1);
        whole.record.state_info = Some("a\0b".into());
        whole.record.labels = [("key\0".into(), "value\0".into())].into();
        subject.add(std::slice::from_ref(&whole));
        let found = subject.dump(whole.key()).unwrap().record;
        let info = match subject.name {
            "postgres" => "a\u{FFFD}b",
            _ => "a\0b",
        };
        assert_eq!(found.state_info.as_deref(), Some(info));
        assert_eq!(found.labels, whole.record.labels);
    });
}
