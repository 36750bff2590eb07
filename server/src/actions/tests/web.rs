//! What the tests of `std.http` share: a site, a runner that may reach it, and checks of results.

use engine::Outcome;

use super::site::Site;
use super::{Bench, error_text};

/// A site and a runner that may reach it.
pub(super) struct Web {
    pub(super) site: Site,
    pub(super) bench: Bench,
}

impl Web {
    pub(super) async fn start() -> Self {
        Self {
            site: Site::start().await,
            bench: Bench::open(),
        }
    }

    /// Runs a request; `BASE` in the input stands for the URL of the site.
    pub(super) async fn run(&self, input: &str) -> Outcome {
        self.bench
            .run("std.http", &input.replace("BASE", &self.site.base))
            .await
    }

    /// Runs a request that succeeds, and checks parts of its result, each named by a JSON pointer
    /// and given as JSON.
    pub(super) async fn check(&self, input: &str, expected: &[(&str, &str)]) {
        match self.run(input).await {
            Outcome::Success(data) => self.compare(input, data.text(), expected),
            other => panic!("{input}: {other:?}"),
        }
    }

    /// The same for one that ends in an error with a result.
    pub(super) async fn check_error_result(&self, input: &str, expected: &[(&str, &str)]) {
        match self.run(input).await {
            Outcome::Error(data) => self.compare(input, data.text(), expected),
            other => panic!("{input}: {other:?}"),
        }
    }

    /// Runs a request that fails without a result.
    pub(super) async fn check_failure(&self, input: &str, expected: &str) {
        let text = error_text(&self.run(input).await);
        assert_eq!(text.replace(&self.site.base, "BASE"), expected, "{input}");
    }

    #[track_caller]
    pub(super) fn compare(&self, input: &str, result: &str, expected: &[(&str, &str)]) {
        let result = result.replace(&self.site.base, "BASE");
        let result: serde_json::Value = serde_json::from_str(&result).unwrap();
        for (pointer, wanted) in expected {
            let wanted: Option<serde_json::Value> = match *wanted {
                "absent" => None,
                text => Some(serde_json::from_str(text).unwrap()),
            };
            assert_eq!(
                result.pointer(pointer),
                wanted.as_ref(),
                "{input}: {pointer} in {result}"
            );
        }
    }
}
