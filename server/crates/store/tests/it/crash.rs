//! Power cuts: whatever of the log reached the disk, what is found are whole commits.

use std::fs;
use std::path::Path;

use engine::TaskChange;
use store::{Batch, Config, Store};
use tempfile::TempDir;

use crate::support::{all_events, assert_same, event, execution, file_store, task};

const COMMITS: i64 = 12;

/// Commits that each touch every table, beginning with the second.
fn fill(subject: &mut crate::support::Subject) {
    let mut whole = execution(1);
    subject.add(std::slice::from_ref(&whole));
    for sequence in 1..=COMMITS {
        let number = u32::try_from(sequence).unwrap();
        whole.record.last_sequence = sequence;
        whole.record.progress.total = number;
        let new = task(number, 2);
        let events = [event(sequence)];
        let mut changed = whole.as_changed(false);
        changed.tasks = vec![(&new, TaskChange::New)];
        changed.actions = new
            .actions
            .iter()
            .filter(|action| !action.in_task_row)
            .map(|action| (number, action, true))
            .collect();
        changed.history = &events;
        subject
            .writer
            .commit(&Batch {
                executions: vec![changed],
                ..Batch::default()
            })
            .unwrap();
    }
}

/// What a machine finds that lost power when this much of the log was on the disk.
fn found_after_cut(database: &Path, log: &[u8], length: usize) -> i64 {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("autan.db");
    fs::copy(database, &path).unwrap();
    fs::write(folder.path().join("autan.db-wal"), &log[..length]).unwrap();
    let store = Store::open(&Config::new(format!("sqlite:{}", path.display()))).unwrap();
    let mut writer = store.writer().unwrap();
    let mut found = 0;
    let mut count = 0;
    writer
        .load_unfinished(&[0], &mut |loaded| {
            count += 1;
            found = loaded.execution.last_sequence;
            assert_same(&loaded.execution.progress.total, &found);
            assert_same(&loaded.tasks.len(), &found);
            assert!(loaded.tasks.iter().all(|task| task.actions.len() == 2));
        })
        .unwrap();
    if count == 0 {
        return -1;
    }
    let key = execution(1).key();
    let events = store
        .readers()
        .read(|reader| reader.list_history(key, &all_events()))
        .unwrap();
    assert_same(&events.rows.len(), &found);
    found
}

#[test]
fn a_cut_log_gives_a_prefix_of_the_commits() {
    let (mut subject, path) = file_store();
    fill(&mut subject);
    let log = fs::read(path.with_file_name("autan.db-wal")).unwrap();
    assert_eq!(found_after_cut(&path, &log, log.len()), COMMITS);
    let mut before = -1;
    // Prime steps, so that cuts fall on, before and after every boundary of the log.
    for length in (0..log.len()).step_by(2477) {
        let found = found_after_cut(&path, &log, length);
        assert!(found >= before, "more of the log gave less");
        before = found;
    }
    assert!(before >= COMMITS - 1);
}

#[test]
fn a_damaged_log_never_gives_half_a_commit() {
    let (mut subject, path) = file_store();
    fill(&mut subject);
    let log = fs::read(path.with_file_name("autan.db-wal")).unwrap();
    for place in (100..log.len()).step_by(log.len() / 15) {
        let mut damaged = log.clone();
        damaged[place] ^= 0x55;
        found_after_cut(&path, &damaged, damaged.len());
    }
}
