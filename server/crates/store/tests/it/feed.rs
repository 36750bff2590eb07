//! The order of commits: what each has changed, and how old ones are forgotten.

use store::{Batch, Filter};

use crate::support::{Whole, execution, on_each, removal};

#[test]
fn watchers_read_on_from_any_commit() {
    on_each(|subject| {
        assert_eq!(subject.writer.last_position().unwrap(), 0);
        assert_eq!(subject.read(store::Reader::spans_of_changes), [].into());
        let executions = [execution(1), execution(2), execution(3)];
        for (time_us, whole) in (1..).zip(&executions) {
            let batch = Batch {
                executions: vec![whole.as_new()],
                time_us,
                ..Batch::default()
            };
            subject.writer.commit(&batch).unwrap();
        }
        let keys: Vec<_> = executions.iter().map(Whole::key).collect();
        let deletion = Batch {
            deleted: vec![removal(keys[1]), removal(keys[1])],
            time_us: 4,
            ..Batch::default()
        };
        subject.writer.commit(&deletion).unwrap();
        // Nothing was changed by this one.
        subject.writer.commit(&deletion).unwrap();
        assert_eq!(subject.writer.last_position().unwrap(), 4);
        let spans = subject.read(store::Reader::spans_of_changes);
        assert_eq!(spans, [(0, (1, 4))].into());
        let rows = subject.read(|reader| reader.list_changes(0, 1, 10));
        let positions: Vec<_> = rows.iter().map(|row| row.position).collect();
        assert_eq!(positions, [2, 3, 4]);
        assert_eq!(rows[0].changed.len(), 1);
        let changed = rows[0].changed[0];
        assert_eq!((rows[0].time_us, changed.uid), (2, keys[1].uid));
        // What the row says is enough to find the events of the commit.
        let last = changed.last_sequence.unwrap();
        let events = subject.read(|reader| reader.list_commits_of_history(keys[1], &[last]));
        assert_eq!(events, executions[1].history);
        let none = subject.read(|reader| reader.list_commits_of_history(keys[1], &[last + 1]));
        assert_eq!(none, []);
        assert_eq!(rows[2].deleted.len(), 1);
        assert_eq!(rows[2].deleted[0].uid, keys[1].uid);
        assert_eq!(rows[2].deleted[0].caller, removal(keys[1]).caller);
        let uids: Vec<_> = keys.iter().map(|key| key.uid).collect();
        let project = &executions[0].record.project;
        let found = subject.read(|reader| reader.match_executions(project, &Filter::all(), &uids));
        assert_eq!(found.len(), 2);

        for (before_us, limit, forgotten, first) in [
            (1, 10, 0, 1),
            (9, 1, 1, 2),
            (3, 10, 1, 3),
            (9, 10, 1, 4),
            (9, 10, 0, 4),
        ] {
            let count = subject.writer.trim_changes(before_us, limit).unwrap();
            assert_eq!(count, forgotten, "before {before_us}");
            let spans = subject.read(store::Reader::spans_of_changes);
            assert_eq!(spans, [(0, (first, 4))].into(), "the last one stays");
        }
    });
}
