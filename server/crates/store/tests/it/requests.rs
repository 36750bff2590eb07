//! Answered requests, and what the server remembers of itself.

use store::{Batch, RequestRecord};

use crate::support::{PROJECT, on_each};

fn request(id: &str, created_us: i64) -> RequestRecord {
    RequestRecord {
        project: PROJECT.into(),
        request_id: id.into(),
        method: "StartExecution".into(),
        body_hash: [1; 32],
        target: format!("made by {id}").into(),
        created_us,
    }
}

#[test]
fn a_request_keeps_its_first_answer() {
    on_each(|subject| {
        let mut second = request("a", 9);
        second.target = "something else".into();
        for requests in [vec![request("a", 1)], vec![second, request("b", 2)]] {
            subject
                .writer
                .commit(&Batch {
                    requests,
                    ..Batch::default()
                })
                .unwrap();
        }
        let found =
            |project: &str, id: &str| subject.read(|reader| reader.find_request(project, id));
        assert_eq!(found(PROJECT, "a"), Some(request("a", 1)));
        assert_eq!(found(PROJECT, "b"), Some(request("b", 2)));
        assert_eq!(found(PROJECT, "c"), None);
        assert_eq!(found("other", "a"), None);
        let some = |project: &str, ids: &[&str]| {
            let mut some = subject.read(|reader| reader.find_requests(project, ids));
            some.sort_by(|one, other| one.request_id.cmp(&other.request_id));
            some
        };
        let both = [request("a", 1), request("b", 2)];
        assert_eq!(some(PROJECT, &["b", "c", "a"]), both);
        assert_eq!(some(PROJECT, &[]), []);
        assert_eq!(some("other", &["a", "b"]), []);
    });
}

#[test]
fn old_requests_are_forgotten_in_small_steps() {
    on_each(|subject| {
        let requests = (1..=10)
            .map(|time| request(&time.to_string(), time))
            .collect();
        subject
            .writer
            .commit(&Batch {
                requests,
                ..Batch::default()
            })
            .unwrap();
        for (before_us, limit, expected) in [
            (0, 5, 0),
            (8, 0, 0),
            (8, 5, 5),
            (8, 5, 2),
            (8, 5, 0),
            (100, 100, 3),
        ] {
            let done = subject.writer.expire_requests(before_us, limit).unwrap();
            assert_eq!(done, expected, "before {before_us}, at most {limit}");
        }
    });
}

#[test]
fn meta_remembers_the_first() {
    on_each(|subject| {
        assert_eq!(subject.read(|reader| reader.find_meta("secret")), None);
        for value in ["one", "two", "one"] {
            let kept = subject.writer.keep_meta("secret", value).unwrap();
            let found = subject.read(|reader| reader.find_meta("secret"));
            assert_eq!((&*kept, found.as_deref()), ("one", Some("one")));
        }
    });
}
