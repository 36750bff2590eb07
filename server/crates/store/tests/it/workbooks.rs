//! Workbooks: one change with their members.

use store::{ApplyMode, DefinitionChange, Entity, Page};

use crate::definitions::{deletion, kind_of, latest, revisions, workbook};
use crate::support::{PROJECT, on_each};

#[test]
fn a_workbook_and_its_members_are_one_change() {
    use ApplyMode::{Create, Update};
    on_each(|subject| {
        let mut apply = |change: &DefinitionChange| subject.writer.apply_definitions(change);
        let missing = apply(&workbook("0", Update, &["book.act"], 1)).unwrap_err();
        assert_eq!(kind_of(&missing), ("missing", Entity::Workbook, "book"));
        let first = apply(&workbook("1", Create, &["book.act", "book.one"], 1)).unwrap();
        let exists = apply(&workbook("2", Create, &["book.act"], 2)).unwrap_err();
        assert_eq!(kind_of(&exists), ("exists", Entity::Workbook, "book"));
        let book = first.workbook.unwrap();
        assert_eq!((book.revision, book.created_us, book.updated_us), (1, 1, 1));
        assert_eq!(
            (&*book.action_names[0], &*book.workflow_names[0]),
            ("book.act", "book.one")
        );
        assert_eq!(first.definitions[1].workbook.as_deref(), Some("book"));

        let mut update = workbook("2", Update, &["book.act", "book.two"], 3);
        update.expected_etag = Some("stale".into());
        let stale = apply(&update).unwrap_err();
        assert_eq!(kind_of(&stale), ("etag", Entity::Workbook, "book"));
        update.expected_etag = Some(book.etag().into());
        let second = apply(&update).unwrap();
        assert_eq!(revisions(&second), [("book.act", 2), ("book.two", 1)]);
        let same = apply(&workbook("2", Update, &["book.act", "book.two"], 4)).unwrap();
        assert_eq!(same, second);
        let book = second.workbook.unwrap();
        assert_eq!((book.revision, book.created_us, book.updated_us), (2, 1, 3));
        let found = subject.read(|reader| reader.find_workbook(PROJECT, "", "book"));
        assert_eq!(found.as_ref(), Some(&book));
        // Members that the document no longer has stay.
        assert_eq!(latest(subject, "book.one"), Some(1));

        let list = subject.read(|reader| reader.list_workbooks(PROJECT, None, &Page::first(9)));
        assert_eq!((list.rows, list.more), (vec![book], false));
        let none = subject.read(|r| r.list_workbooks(PROJECT, Some("space"), &Page::first(9)));
        assert!(none.rows.is_empty());
        subject
            .writer
            .delete_workbook(&deletion("book", None))
            .unwrap();
        assert!(
            subject
                .writer
                .delete_workbook(&deletion("book", None))
                .is_err()
        );
        assert_eq!(latest(subject, "book.two"), Some(1));
    });
}
