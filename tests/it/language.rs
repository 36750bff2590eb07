//! The examples of the language reference that have an output give it.

use e2e::api::value;
use e2e::server::TestServer;
use proto::v1::ExecutionState;
use serde_json::Value;

use crate::support::PATIENCE;

const PAGE: &str = include_str!("../../docs/language.md");

/// One example: input, document and output.
struct Example {
    input: Value,
    source: String,
    output: Value,
}

/// The body of the next fenced block of a language.
fn block<'p>(lines: &mut impl Iterator<Item = &'p str>, fence: &str) -> String {
    lines
        .by_ref()
        .skip_while(|line| *line != fence)
        .skip(1)
        .take_while(|line| *line != "```")
        .fold(String::new(), |text, line| text + line + "\n")
}

fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let input = line
            .strip_prefix("<!-- run ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(input) = input {
            let source = block(&mut lines, "```yaml");
            let output = block(&mut lines, "```json");
            found.push(Example {
                input: serde_json::from_str(input).unwrap(),
                source,
                output: serde_json::from_str(&output).unwrap(),
            });
        }
    }
    found
}

#[tokio::test]
async fn examples_give_the_output_that_is_printed() {
    let server = TestServer::start().await.unwrap();
    let api = server.api("language");
    let examples = examples();
    assert!(examples.len() >= 8, "the page has examples to run");
    for example in examples {
        let created = api.create_workflow(&example.source).await.unwrap();
        let name = &created[0].name;
        let started = api.start(name, &example.input).await.unwrap();
        let done = api.finished(&started.uid, PATIENCE).await.unwrap();
        assert_eq!(done.state(), ExecutionState::Success, "{name}");
        let output = value(done.output.as_ref()).unwrap();
        assert_eq!(output, example.output, "{name}");
    }
}
