//! PostgreSQL that goes away and comes back: what was committed stays, nothing is there twice.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use postgres_fixture::{Proxy, Server, execute, shared};
use store::{Batch, Config, Error, Store, Writer};

use crate::support::{Whole, all_events, assert_same, event, execution, postgres_store};

/// Opens a store that does not wait long.
fn open(url: &str) -> Store {
    let config = Config {
        busy_timeout: Duration::from_millis(300),
        ..Config::new(url)
    };
    Store::open(&config).unwrap()
}

/// Ends the session of the writer of the schema.
const END_WRITER: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE application_name LIKE 'autan %' AND pid IN ( \
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' \
    AND objid = hashtext(current_schema())::bit(32)::int8::oid)";

/// Adds one event to an execution.
fn advance(writer: &mut Writer, whole: &mut Whole) -> Result<(), Error> {
    static CLOCK: AtomicI64 = AtomicI64::new(1);
    whole.record.last_sequence += 1;
    whole.history = vec![event(whole.record.last_sequence)];
    let mut changed = whole.as_changed(false);
    changed.details_changed = false;
    let done = writer.commit(&Batch {
        executions: vec![changed],
        time_us: CLOCK.fetch_add(1, Ordering::Relaxed),
        ..Batch::default()
    });
    if done.is_err() {
        whole.record.last_sequence -= 1;
    }
    done
}

/// Every event is there once.
#[track_caller]
fn assert_whole(store: &Store, whole: &Whole) {
    let last = whole.record.last_sequence;
    let read = store.readers().read(|reader| {
        let standing = reader.standing(whole.key())?.unwrap();
        let events = reader.list_history(whole.key(), &all_events())?.rows;
        Ok((standing.last_sequence, events))
    });
    let (found, events) = read.unwrap();
    assert_eq!(found, last);
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_same(&sequences, &(1..=last).collect::<Vec<_>>());
}

fn add(writer: &mut Writer, whole: &Whole) {
    let batch = Batch {
        executions: vec![whole.as_new()],
        ..Batch::default()
    };
    writer.commit(&batch).unwrap();
}

#[test]
fn a_database_that_is_away_is_said_to_be_and_comes_back() {
    if shared().is_none() {
        return;
    }
    let mut server = Server::start(&[]).unwrap();
    let store = open(&server.url());
    let mut writer = store.writer().unwrap();
    let mut whole = execution(1);
    add(&mut writer, &whole);
    advance(&mut writer, &mut whole).unwrap();
    for stop in [Server::crash, Server::shut_down] {
        stop(&mut server).unwrap();
        for _ in 0..2 {
            let refused = advance(&mut writer, &mut whole);
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
            let refused = store
                .readers()
                .read(|reader| reader.standing(whole.key()).map(drop));
            assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        }
        server.resume().unwrap();
        assert_whole(&store, &whole);
        advance(&mut writer, &mut whole).unwrap();
        assert_whole(&store, &whole);
    }
}

#[test]
fn sessions_that_were_ended_are_not_noticed() {
    let Some((mut subject, url)) = postgres_store() else {
        return;
    };
    let mut whole = execution(1);
    add(&mut subject.writer, &whole);
    for _ in 0..3 {
        execute(&url, END_WRITER).unwrap();
        advance(&mut subject.writer, &mut whole).unwrap();
        assert_whole(&subject.store, &whole);
    }
}

#[test]
fn a_commit_whose_answer_was_lost_is_there_once() {
    let Some(server) = shared() else { return };
    let proxy = Proxy::start(server.port()).unwrap();
    let direct = server.new_schema().unwrap();
    let url = direct.replace(&server.port().to_string(), &proxy.port().to_string());
    let store = open(&url);
    let mut writer = store.writer().unwrap();
    let mut whole = execution(1);
    add(&mut writer, &whole);
    advance(&mut writer, &mut whole).unwrap();
    for _ in 0..5 {
        proxy.lose_next_answer();
        advance(&mut writer, &mut whole).unwrap();
        assert!(!proxy.is_waiting(), "no answer was lost");
        assert_whole(&store, &whole);
        advance(&mut writer, &mut whole).unwrap();
    }
    assert_whole(&store, &whole);
}

#[test]
fn what_others_wrote_meanwhile_is_not_written_over() {
    let Some(server) = shared() else { return };
    let url = server.new_schema().unwrap();
    let store = open(&url);
    let mut writer = store.writer().unwrap();
    let mut whole = execution(1);
    add(&mut writer, &whole);
    advance(&mut writer, &mut whole).unwrap();

    // The first server loses its session, and a second server comes and goes.
    execute(&url, END_WRITER).unwrap();
    let mut theirs = whole.clone();
    let second = open(&url);
    advance(&mut second.writer().unwrap(), &mut theirs).unwrap();
    for _ in 0..2 {
        let refused = advance(&mut writer, &mut whole);
        assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    }
    assert_whole(&second, &theirs);
}

#[test]
fn a_schema_has_one_writer() {
    let Some((subject, url)) = postgres_store() else {
        return;
    };
    let second = open(&url);
    let refused = second.writer();
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    // Who only reads is no trouble.
    let found = second
        .readers()
        .read(|reader| reader.standing(execution(1).key()));
    assert!(found.unwrap().is_none());
    drop(subject);
    Store::open(&Config::new(&url)).unwrap().writer().unwrap();
}

#[test]
fn what_is_not_ours_is_refused_clearly() {
    let Some(server) = shared() else { return };
    for (sql, expected) in [
        (
            "CREATE TABLE films (title TEXT)",
            "database has schema \"\", this version works with \"0008\"",
        ),
        (
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
             INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
            "database has schema \"9999\", this version works with \"0008\"",
        ),
    ] {
        let url = server.new_schema().unwrap();
        execute(&url, sql).unwrap();
        let error = Store::open(&Config::new(&url)).expect_err(sql).to_string();
        assert!(error.contains(expected), "{sql}: {error}");
    }
    let nowhere = format!("{}?options=-csearch_path%3Dnowhere", server.url());
    let error = Store::open(&Config::new(nowhere)).unwrap_err().to_string();
    assert!(
        error.contains("no schema of the search_path exists"),
        "{error}"
    );
    let away = Store::open(&Config::new("postgres://me:secret@127.0.0.1:1/autan")).unwrap_err();
    assert!(matches!(away, Error::Connect { .. }), "{away:?}");
    assert_eq!(
        away.to_string(),
        "database postgres://me@127.0.0.1:1/autan cannot be reached"
    );
}
