//! What was committed is what is loaded, whatever it was.

use proptest::prelude::*;
use store::{Batch, Payloads};

use crate::changes::{change, created};
use crate::support::{Whole, assert_same, on_each};

fn check(before: &Whole, after: &Whole) {
    on_each(|subject| {
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
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn records_survive(
        (before, after) in created().prop_flat_map(|before| (Just(before.clone()), change(before)))
    ) {
        check(&before, &after);
    }
}
