//! Actions, environments, expressions and single runs: what is sent, and how answers are read.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proto::v1;
use proto::v1::action_service_server::{ActionService, ActionServiceServer};
use proto::v1::environment_service_server::{EnvironmentService, EnvironmentServiceServer};
use proto::v1::evaluate_expression_response::Result as Outcome;
use proto::v1::workflow_service_server::{WorkflowService, WorkflowServiceServer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::error::{Code, Error};
use crate::{ActionKind, Client, ExecutionKind, ExpressionLanguage, Payload};

/// A server that keeps the debug form of the last request, and answers from a few fixed things.
#[derive(Clone, Default)]
struct Things(Arc<Mutex<String>>);

impl Things {
    async fn start(&self) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tonic::transport::Server::builder()
            .add_service(ActionServiceServer::new(self.clone()))
            .add_service(EnvironmentServiceServer::new(self.clone()))
            .add_service(WorkflowServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let client = Client::builder(address).project("shop");
        client.connect_lazy().unwrap()
    }

    /// Asserts that the last request says all of this.
    fn sent(&self, parts: &[&str]) {
        let sent = self.0.lock().unwrap();
        assert!(sent.contains("project: \"shop\""), "{sent}");
        for part in parts {
            assert!(sent.contains(part), "{part} is not in {sent}");
        }
    }
}

/// Implements a service from its methods: what each answers to a request.
macro_rules! service {
    (
        $trait:ident {
            $($name:ident($request:ident: $query:ident) -> $answer:ident $body:block)+
        }
    ) => {
        #[tonic::async_trait]
        impl $trait for Things {
            $(async fn $name(
                &self,
                request: Request<v1::$query>,
            ) -> Result<Response<v1::$answer>, Status> {
                let $request = request.into_inner();
                *self.0.lock().unwrap() = format!("{:?}", $request);
                let answer: Result<v1::$answer, Status> = $body;
                answer.map(Response::new)
            })+
        }
    };
}

fn greet() -> v1::Action {
    v1::Action {
        name: "greet".to_owned(),
        kind: v1::ActionKind::Adhoc.into(),
        base: "std.echo".to_owned(),
        revision: 2,
        ..v1::Action::default()
    }
}

fn prod() -> v1::Environment {
    v1::Environment {
        name: "prod".to_owned(),
        variables: Some(text("{\"region\":\"eu\"}")),
        ..v1::Environment::default()
    }
}

fn text(json: &str) -> v1::Payload {
    Payload::from_json_text(json).into_proto()
}

fn none<T>() -> Result<T, Status> {
    Err(Status::unimplemented("not in this fake"))
}

service! { ActionService {
    create_action(_request: CreateActionRequest) -> CreateActionResponse {
        let actions = vec![greet()];
        Ok(v1::CreateActionResponse { actions, warnings: Vec::new() })
    }
    update_action(_request: UpdateActionRequest) -> UpdateActionResponse {
        let actions = vec![greet()];
        Ok(v1::UpdateActionResponse { actions, warnings: Vec::new() })
    }
    get_action(_request: GetActionRequest) -> GetActionResponse {
        Ok(v1::GetActionResponse { action: Some(greet()) })
    }
    list_actions(_request: ListActionsRequest) -> ListActionsResponse {
        let actions = vec![greet()];
        Ok(v1::ListActionsResponse { actions, next_page_token: String::new() })
    }
    list_action_revisions(_request: ListActionRevisionsRequest) -> ListActionRevisionsResponse {
        let actions = vec![greet()];
        Ok(v1::ListActionRevisionsResponse { actions, next_page_token: String::new() })
    }
    delete_action(_request: DeleteActionRequest) -> DeleteActionResponse {
        Ok(v1::DeleteActionResponse {})
    }
    validate_action(_request: ValidateActionRequest) -> ValidateActionResponse {
        Ok(v1::ValidateActionResponse { valid: true, diagnostics: Vec::new() })
    }
    run_action(request: RunActionRequest) -> RunActionResponse {
        let (state, output) = match request.action_name.as_str() {
            "bad" => (v1::ExecutionState::Error, "\"why\""),
            _ => (v1::ExecutionState::Success, "42"),
        };
        Ok(v1::RunActionResponse {
            execution: Some(v1::Execution {
                execution_id: "r1".to_owned(),
                kind: v1::ExecutionKind::Action.into(),
                state: state.into(),
                ..v1::Execution::default()
            }),
            action_execution: Some(v1::ActionExecution {
                output: Some(text(output)),
                ..v1::ActionExecution::default()
            }),
            finished: true,
            started: true,
        })
    }
} }

service! { EnvironmentService {
    create_environment(_request: CreateEnvironmentRequest) -> CreateEnvironmentResponse {
        Ok(v1::CreateEnvironmentResponse { environment: Some(prod()) })
    }
    update_environment(_request: UpdateEnvironmentRequest) -> UpdateEnvironmentResponse {
        Ok(v1::UpdateEnvironmentResponse { environment: Some(prod()) })
    }
    get_environment(_request: GetEnvironmentRequest) -> GetEnvironmentResponse {
        Ok(v1::GetEnvironmentResponse { environment: Some(prod()) })
    }
    list_environments(_request: ListEnvironmentsRequest) -> ListEnvironmentsResponse {
        let environments = vec![prod()];
        Ok(v1::ListEnvironmentsResponse { environments, next_page_token: String::new() })
    }
    delete_environment(_request: DeleteEnvironmentRequest) -> DeleteEnvironmentResponse {
        Ok(v1::DeleteEnvironmentResponse {})
    }
} }

service! { WorkflowService {
    create_workflow(_request: CreateWorkflowRequest) -> CreateWorkflowResponse { none() }
    update_workflow(_request: UpdateWorkflowRequest) -> UpdateWorkflowResponse { none() }
    get_workflow(_request: GetWorkflowRequest) -> GetWorkflowResponse { none() }
    list_workflows(_request: ListWorkflowsRequest) -> ListWorkflowsResponse { none() }
    list_workflow_revisions(_request: ListWorkflowRevisionsRequest)
        -> ListWorkflowRevisionsResponse { none() }
    delete_workflow(_request: DeleteWorkflowRequest) -> DeleteWorkflowResponse { none() }
    validate_workflow(_request: ValidateWorkflowRequest) -> ValidateWorkflowResponse { none() }
    evaluate_expression(request: EvaluateExpressionRequest) -> EvaluateExpressionResponse {
        let error = v1::ExpressionError {
            message: "no such function".to_owned(),
            offset: 3,
            length: 2,
            line: 1,
            column: 4,
            ..v1::ExpressionError::default()
        };
        let result = match request.expression.as_str() {
            "bad" => Outcome::Error(error),
            _ => Outcome::Value(text("3")),
        };
        Ok(v1::EvaluateExpressionResponse { result: Some(result) })
    }
} }

#[tokio::test]
async fn actions_are_defined_and_found() {
    let things = Things::default();
    let actions = things.start().await.actions();
    let saved = actions.create("s").allow_existing().strict().await.unwrap();
    assert_eq!(saved.actions[0].kind, ActionKind::Adhoc);
    things.sent(&[
        "source: \"s\"",
        "allow_existing: true",
        "strict: true",
        "request_id: \"",
    ]);
    actions.update("s").etag("e").validate_only().await.unwrap();
    things.sent(&["etag: \"e\"", "validate_only: true"]);
    let found = actions.get("greet").await.unwrap();
    assert_eq!(
        (found.base.as_deref(), found.revision),
        (Some("std.echo"), 2)
    );
    let scoped = actions.clone().in_namespace("n");
    scoped
        .list_of(ActionKind::System, "x")
        .full()
        .collect()
        .await
        .unwrap();
    things.sent(&[
        "kind: System",
        "namespace: Some(\"n\")",
        "filter: \"x\"",
        "view: Full",
    ]);
    assert_eq!(actions.list("").collect().await.unwrap().len(), 1);
    things.sent(&["kind: Unspecified", "namespace: None", "view: Basic"]);
    assert_eq!(actions.revisions("greet").collect().await.unwrap().len(), 1);
    actions
        .delete("greet")
        .etag("e")
        .allow_missing()
        .await
        .unwrap();
    things.sent(&["name: \"greet\"", "etag: \"e\"", "allow_missing: true"]);
    assert!(actions.validate("s").strict().await.unwrap().valid);
}

#[tokio::test]
async fn environments_change_whole_or_in_part() {
    let things = Things::default();
    let environments = things.start().await.environments();
    let region = json!({"region": "eu"});
    let made = environments
        .create("prod", &region)
        .unwrap()
        .description("d")
        .allow_existing();
    let made = made.await.unwrap();
    assert_eq!(made.variables.unwrap().to_value().unwrap(), region);
    things.sent(&["description: \"d\"", "allow_existing: true", "region"]);

    environments
        .update("prod")
        .description("")
        .etag("e")
        .await
        .unwrap();
    things.sent(&["paths: [\"description\"]", "etag: \"e\"", "variables: None"]);
    environments
        .update("prod")
        .variables(&region)
        .unwrap()
        .await
        .unwrap();
    things.sent(&["paths: [\"variables\"]"]);
    let single = environments
        .update("prod")
        .set("a", &1)
        .unwrap()
        .remove("b");
    single.await.unwrap();
    things.sent(&[
        "paths: [\"variables.a\", \"variables.b\"]",
        "Json(\"{\\\"a\\\":1}\")",
    ]);
    let both = environments
        .update("prod")
        .variables(&region)
        .unwrap()
        .remove("b");
    let error = both.await.unwrap_err();
    assert_eq!(error.rpc().unwrap().code, Code::InvalidArgument);

    assert_eq!(environments.get("prod").await.unwrap().name, "prod");
    assert_eq!(environments.list("x").collect().await.unwrap().len(), 1);
    environments
        .delete("prod")
        .etag("e")
        .allow_missing()
        .await
        .unwrap();
    things.sent(&["etag: \"e\"", "allow_missing: true"]);
}

#[tokio::test]
async fn single_actions_end_in_a_result() {
    let things = Things::default();
    let client = things.start().await;
    let run = client
        .run_action("good")
        .id("r1")
        .input(&json!({"b": 2}))
        .unwrap();
    let run = run.environment("prod").send().await.unwrap();
    things.sent(&[
        "wait_timeout: Some(Duration { seconds: 0",
        "save: None",
        "\"prod\"",
    ]);
    assert_eq!(
        (run.id(), run.is_new(), run.is_finished()),
        ("r1", true, true)
    );
    let kind = run.execution().snapshot().unwrap().kind;
    assert_eq!(
        (run.result::<i32>().await.unwrap(), kind),
        (42, ExecutionKind::Action)
    );

    let brief = client
        .run_action("good")
        .discard()
        .env(&json!({"a": 1}))
        .unwrap();
    assert_eq!(brief.result::<Value>().await.unwrap(), 42);
    things.sent(&[
        "wait_timeout: None",
        "save: Some(false)",
        "EnvironmentVariables",
    ]);
    let waiting = client
        .run_action("good")
        .wait(Duration::from_secs(2))
        .timeout(Duration::from_millis(1500))
        .target("gpu")
        .synchronous();
    waiting.send().await.unwrap();
    things.sent(&[
        "wait_timeout: Some(Duration { seconds: 2",
        " timeout: Some(Duration { seconds: 1, nanos: 500000000 })",
        "target: \"gpu\"",
        "synchronous: true",
    ]);
    client
        .run_action("good")
        .namespace("n")
        .validate()
        .await
        .unwrap();
    things.sent(&["validate_only: true", "namespace: \"n\""]);

    let Err(Error::Execution(failed)) = client.run_action("bad").result::<Value>().await else {
        panic!("it should fail");
    };
    assert_eq!(failed.output.unwrap().json_text(), Some("\"why\""));
}

#[tokio::test]
async fn expressions_have_a_value_or_a_place() {
    let things = Things::default();
    let client = things.start().await;
    let call = client.evaluate("$.a").language(ExpressionLanguage::Yaql);
    let call = call
        .context(&json!({"a": 3}))
        .unwrap()
        .env(&json!({}))
        .unwrap();
    assert_eq!(call.await.unwrap().to::<i32>().unwrap(), 3);
    things.sent(&["expression: \"$.a\"", "language: Yaql", "env: Some("]);
    let error = client.evaluate("bad").await.unwrap_err();
    assert_eq!(error.to_string(), "1:4: no such function");
    let Error::Expression(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!((error.offset, error.length, error.syntax), (3, 2, false));
}
