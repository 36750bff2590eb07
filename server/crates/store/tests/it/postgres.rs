//! PostgreSQL that goes away and comes back: what was committed stays, nothing is there twice.

use std::time::{Duration, Instant};

use postgres_fixture::{Proxy, Server, execute, shared};
use store::{Config, Error, Store};

use crate::support::{END_WRITERS, add, advance, assert_whole, execution, postgres_store};

/// Opens a store that does not wait long.
fn open(url: &str) -> Store {
    let config = Config {
        busy_timeout: Duration::from_millis(300),
        ..Config::new(url)
    };
    Store::open(&config).unwrap()
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
        execute(&url, END_WRITERS).unwrap();
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
fn what_is_not_ours_is_refused_clearly() {
    let Some(server) = shared() else { return };
    for (sql, expected) in [
        (
            "CREATE TABLE films (title TEXT)",
            "database has schema \"\", this version works with \"0016\"",
        ),
        (
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
             INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')",
            "database has schema \"9999\", this version works with \"0016\"",
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

#[test]
fn what_is_said_to_be_encrypted_is() {
    if shared().is_none() {
        return;
    }
    let (server, trusted) = Server::start_encrypted().unwrap();
    let trusted = trusted.display();
    let local = server.url().replace("127.0.0.1", "localhost");
    let sessions = |is_encrypted: bool| {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name LIKE 'autan%' AND ssl = {is_encrypted}"
        );
        postgres_fixture::number(&server.url(), &sql).unwrap() > 0.0
    };
    for (url, encrypted) in [
        (format!("{}?sslmode=require", server.url()), true),
        (server.url(), true),
        (
            format!("{local}?sslmode=verify-full&sslrootcert={trusted}"),
            true,
        ),
        (format!("{}?sslmode=disable", server.url()), false),
    ] {
        let store = open(&url);
        let writer = store.writer().unwrap();
        assert_eq!(
            (sessions(true), sessions(false)),
            (encrypted, !encrypted),
            "{url}"
        );
        drop((writer, store));
        // Sessions end some time after their connections.
        let until = Instant::now() + Duration::from_secs(30);
        while (sessions(true) || sessions(false)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let plain = shared().unwrap().url();
    for url in [
        // It is not the name in the certificate, nor one that the system trusts, nor encrypted.
        format!("{}?sslmode=verify-full&sslrootcert={trusted}", server.url()),
        format!("{local}?sslmode=verify-full"),
        format!("{plain}?sslmode=require"),
    ] {
        let refused = Store::open(&Config::new(&url));
        assert!(
            matches!(refused, Err(Error::Connect { .. })),
            "{url}: {refused:?}"
        );
    }
}
