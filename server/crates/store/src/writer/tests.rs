//! What cannot be brought about from outside: a disk that is full.

use super::*;
use crate::batch::RequestRecord;
use crate::config::Config;
use crate::store::Store;

fn requests(first: i64, count: i64) -> Batch<'static> {
    let request = |number: i64| RequestRecord {
        project: "default".into(),
        request_id: format!("{number}").into(),
        method: "x".repeat(1000).into(),
        body_hash: [0; 32],
        target: "".into(),
        created_us: number,
    };
    let requests = (first..first + count).map(request).collect();
    Batch {
        requests,
        ..Batch::default()
    }
}

#[test]
fn a_full_disk_refuses_whole_commits_and_is_survived() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("autan.db");
    let config = Config::new(format!("sqlite:{}", path.display()));
    let store = Store::open(&config).unwrap();
    let mut writer = store.writer().unwrap();
    writer.commit(&requests(0, 10)).unwrap();
    writer
        .reader
        .conn
        .run("PRAGMA max_page_count = 100")
        .unwrap();
    for _ in 0..3 {
        let refused = writer.commit(&requests(10, 1000));
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert!(
            writer
                .read()
                .find_request("default", "10")
                .unwrap()
                .is_none()
        );
        assert!(
            writer
                .read()
                .find_request("default", "9")
                .unwrap()
                .is_some()
        );
    }
    // What is small enough still goes in.
    writer.commit(&requests(5000, 1)).unwrap();
    writer
        .reader
        .conn
        .run("PRAGMA max_page_count = 100000")
        .unwrap();
    writer.commit(&requests(10, 1000)).unwrap();
}

/// The plan that the database chooses for a query, in its own words.
#[test]
fn questions_of_every_day_use_an_index() {
    use diesel::deserialize::QueryableByName;
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Plan {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let store = Store::open(&Config::new("sqlite::memory:")).unwrap();
    let mut writer = store.writer().unwrap();
    for (query, index) in [
        (
            "project = 'p' AND uid < x'ff' ORDER BY uid DESC LIMIT 9",
            "executions_by_uid",
        ),
        (
            "(executions.state <> 'SUCCESS' AND executions.state <> 'ERROR' \
             AND executions.state <> 'CANCELLED' AND executions.state <> 'ROLLED_BACK') AND \
             project = 'p' AND workflow_name = 'w'",
            "executions_unfinished",
        ),
        (
            "executions.depth > 0 AND (parent_uid IS NOT NULL AND parent_uid = x'00') AND \
             (parent_task IS NOT NULL AND parent_task = 1) AND project = 'p'",
            "executions_by_parent",
        ),
        ("shard = 0 AND uid = x'00'", "PRIMARY KEY"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM executions WHERE {query}");
        let Conn::Sqlite(conn) = &mut writer.reader.conn else {
            unreachable!("opened as such");
        };
        let plan: Vec<Plan> = diesel::sql_query(sql).load(conn).unwrap();
        assert!(
            plan[0].detail.contains(index),
            "{query}: {}",
            plan[0].detail
        );
        assert_eq!(
            plan.len(),
            1,
            "{query}: needs a second step, such as sorting"
        );
    }
}
