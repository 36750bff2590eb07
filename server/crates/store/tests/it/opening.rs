//! Opening: what is made, what is refused, and how that is said.

use std::fs;
use std::path::Path;

use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use store::{Config, Error, Store};
use tempfile::TempDir;

use crate::support::{assert_same, execution, file_store, on_each, task};

fn open(path: &Path) -> Result<Store, Error> {
    Store::open(&Config::new(format!("sqlite:{}", path.display())))
}

fn run(path: &Path, sql: &str) {
    let mut conn = SqliteConnection::establish(&path.display().to_string()).unwrap();
    diesel::sql_query(sql).execute(&mut conn).unwrap();
}

#[test]
fn a_store_keeps_what_it_has_when_opened_again() {
    let (mut subject, path) = file_store();
    let mut whole = execution(1);
    whole.tasks = vec![task(1, 2)];
    subject.add(std::slice::from_ref(&whole));
    let crate::support::Subject {
        writer,
        store,
        _folder: folder,
        ..
    } = subject;
    drop((writer, store));
    for _ in 0..2 {
        let store = open(&path).unwrap();
        let found = store.writer().unwrap().load(whole.key()).unwrap().unwrap();
        assert_same(&found.execution, &whole.record);
        assert_same(&found.tasks, &whole.tasks);
    }
    drop(folder);
}

/// Puts something where the database should be.
type Prepare = fn(&Path);

#[test]
fn what_cannot_be_opened_is_refused_clearly() {
    let cases: &[(&str, Prepare, &str)] = &[
        (
            "no database",
            |path| fs::write(path, "not a database ".repeat(99)).unwrap(),
            "damaged",
        ),
        (
            "folder",
            |path| fs::create_dir(path).unwrap(),
            "it is a folder",
        ),
        (
            "read-only file",
            |path| {
                drop(open(path).unwrap());
                let mut permissions = fs::metadata(path).unwrap().permissions();
                permissions.set_readonly(true);
                fs::set_permissions(path, permissions).unwrap();
            },
            "read-only",
        ),
        (
            "foreign tables",
            |path| run(path, "CREATE TABLE films (title TEXT)"),
            "database has schema \"\", this version works with \"0016\"",
        ),
        (
            "newer schema",
            |path| {
                drop(open(path).unwrap());
                run(
                    path,
                    "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
                );
            },
            "database has schema \"9999\", this version works with \"0016\"",
        ),
        (
            "cut off in the middle",
            |path| {
                drop(open(path).unwrap());
                let bytes = fs::read(path).unwrap();
                fs::write(path, &bytes[..4096 * 3]).unwrap();
            },
            "damaged",
        ),
        (
            "half-made schema",
            |path| {
                drop(open(path).unwrap());
                run(path, "DROP TABLE executions");
                run(path, "DELETE FROM __diesel_schema_migrations");
            },
            "unexpected",
        ),
    ];
    for (name, prepare, expected) in cases {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("autan.db");
        prepare(&path);
        let error = open(&path).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file.join("autan.db")).unwrap_err();
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
}

#[test]
fn a_database_has_one_store() {
    let (subject, path) = file_store();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, Error::InUse { .. }), "{error:?}");
    drop(subject.writer);
    // Readers that are still around keep it open.
    let readers = subject.store.readers().clone();
    drop(subject.store);
    assert!(matches!(open(&path), Err(Error::InUse { .. })));
    drop(readers);
    open(&path).unwrap();
}

#[test]
fn a_store_has_one_writer() {
    on_each(|subject| {
        assert!(matches!(subject.store.writer(), Err(Error::WriterTaken)));
    });
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    for _ in 0..3 {
        drop(store.writer().unwrap());
    }
}

#[test]
fn stores_in_memory_have_nothing_in_common() {
    on_each(|subject| {
        subject.add(&[execution(1)]);
        let other = Store::open(&Config::new("sqlite::memory:")).unwrap();
        let found = other
            .readers()
            .read(|reader| reader.standing(execution(1).key()))
            .unwrap();
        assert!(found.is_none());
    });
}

#[test]
fn odd_urls_are_refused() {
    for url in [
        "",
        "autan.db",
        "sqlite:",
        "mysql://here",
        "postgres:here/db",
        "postgres://here/db?color=red",
        "sqlite:a\0b",
    ] {
        let error = Store::open(&Config::new(url)).unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{url}: {error:?}");
    }
}

#[test]
fn a_row_that_makes_no_sense_is_named() {
    for (sql, place) in [
        ("UPDATE executions SET state = 'ODD'", "executions.state"),
        ("UPDATE executions SET uid = x'00'", "executions.uid"),
        (
            "UPDATE executions SET progress = '[1]'",
            "executions.progress",
        ),
        ("UPDATE executions SET labels = '[1]'", "executions.labels"),
        ("DELETE FROM execution_payloads", "execution_payloads"),
        ("UPDATE tasks SET runtime = '{'", "tasks.runtime"),
        ("UPDATE tasks SET global_order = -1", "tasks.global_order"),
        ("DELETE FROM tasks", "tasks"),
        ("UPDATE actions SET runner = 'nobody'", "actions.runner"),
        (
            "UPDATE tasks SET action_runner = 'nobody'",
            "actions.runner",
        ),
    ] {
        let (mut subject, path) = file_store();
        let mut whole = execution(1);
        whole.tasks = vec![task(1, 2)];
        subject.add(std::slice::from_ref(&whole));
        run(&path, sql);
        let Err(Error::Corrupt { place: found, .. }) =
            subject.writer.load_unfinished(&[0], &mut |_| {})
        else {
            panic!("{sql}: not found out");
        };
        assert_eq!(found, place, "{sql}");
    }
}
