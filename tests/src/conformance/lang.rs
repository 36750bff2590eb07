//! Documents and the verdict of Mistral over them.

use anyhow::Result;
use proto::v1;
use serde::Deserialize;

use super::{Options, Outcome, Ran, read_lines, run_all};
use crate::api::Api;
use crate::server::TestServer;

/// One recorded verdict.
#[derive(Debug, Deserialize)]
struct Case {
    kind: Kind,
    yaml: String,
    valid: bool,
    #[serde(default)]
    message: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Workflows,
    Workbook,
    Actions,
}

impl Kind {
    fn of_document(self) -> v1::DocumentKind {
        match self {
            Self::Workflows => v1::DocumentKind::Workflows,
            Self::Workbook => v1::DocumentKind::Workbook,
            Self::Actions => v1::DocumentKind::Actions,
        }
    }
}

pub(super) async fn run(server: &TestServer, options: &Options) -> Result<Vec<Ran>> {
    let cases = read_lines::<Case>(&options.folder, "lang", options)?;
    let api = server.api("lang");
    run_all(cases, options.jobs, move |(id, case)| {
        let api = api.clone();
        async move {
            let outcome = check(&api, &case).await;
            Ran {
                id,
                group: "",
                outcome,
            }
        }
    })
    .await
}

async fn check(api: &Api, case: &Case) -> Outcome {
    let request = v1::ValidateWorkflowRequest {
        project: api.project(),
        source: case.yaml.clone(),
        kind: case.kind.of_document().into(),
        ..Default::default()
    };
    let answer = match api.workflows().validate_workflow(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Outcome::Failed(format!("the call failed: {status}")),
    };
    if answer.valid == case.valid {
        return Outcome::Passed;
    }
    let document = format!("{:?}:\n{}", case.kind, case.yaml.trim_end());
    if case.valid {
        let found: Vec<String> = answer
            .diagnostics
            .iter()
            .filter(|found| found.severity() == v1::Severity::Error)
            .map(|found| format!("{}: {}", found.rule, found.message))
            .collect();
        return Outcome::Failed(format!("refused: {}\n{document}", found.join("; ")));
    }
    let message = case.message.lines().next().unwrap_or_default();
    Outcome::Failed(format!("accepted; Mistral says: {message}\n{document}"))
}
