//! What holds for every call: limits, unknown methods, health, reflection, headers.
//!
//! Deadlines are tested with their layer: a client has a timer of its own for them.

use http::Uri;
use proto::v1;
use proto::v1::workflow_service_client::WorkflowServiceClient;
use tonic::body::Body;
use tonic::{Code, Request};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tower::ServiceBuilder;

use super::{Api, create, reason};

#[tokio::test]
async fn the_server_says_what_it_is() {
    let mut api = Api::start().await;
    let request = v1::GetServerInfoRequest::default();
    let response = api.system.get_server_info(request).await.unwrap();
    assert!(response.metadata().contains_key("x-request-id"));
    let info = response.into_inner();
    assert_eq!(
        (&*info.version, &*info.storage),
        (env!("CARGO_PKG_VERSION"), "memory")
    );
    assert_eq!(info.limits["payload_bytes_max"], 1 << 20);
    assert_eq!(info.limits["wait_ms_max"], 10_000);
    api.stop().await;
}

#[tokio::test]
async fn a_request_keeps_its_id() {
    let mut api = Api::start().await;
    let mut request = Request::new(v1::GetExecutionRequest::default());
    request
        .metadata_mut()
        .insert("x-request-id", "call-7".parse().unwrap());
    let status = api.executions.get_execution(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.metadata().get("x-request-id").unwrap(), "call-7");
    api.stop().await;
}

#[tokio::test]
async fn errors_of_the_transport_have_reasons() {
    let mut api = Api::start().await;
    let status = api
        .workflows
        .create_workflow(create(&"x".repeat(5 << 20)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        reason(Err::<tonic::Response<()>, _>(status)),
        "PAYLOAD_TOO_LARGE"
    );

    for (path, code, expected) in [
        (
            "/autan.v1.SystemService/Reboot",
            Code::Unimplemented,
            "NOT_SUPPORTED",
        ),
        ("/other.Service/Do", Code::Unimplemented, "NOT_SUPPORTED"),
        // A text in the place of a number: not the message of that method.
        (
            "/autan.v1.ExecutionService/ListExecutions",
            Code::InvalidArgument,
            "INVALID_FIELD",
        ),
    ] {
        let channel = ServiceBuilder::new()
            .map_request(move |mut request: http::Request<Body>| {
                *request.uri_mut() = Uri::from_static(path);
                request
            })
            .service(api.channel.clone());
        let mut client = WorkflowServiceClient::new(channel);
        let request = v1::GetWorkflowRequest {
            name: "wf".into(),
            ..Default::default()
        };
        let status = client.get_workflow(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert_eq!(reason(Err::<tonic::Response<()>, _>(status)), expected);
    }
    api.stop().await;
}

#[tokio::test]
async fn health_is_told_by_service() {
    let api = Api::start().await;
    let mut health = HealthClient::new(api.channel.clone());
    let check = |service: &str| HealthCheckRequest {
        service: service.into(),
    };
    for service in [
        "",
        "liveness",
        "autan.v1.ExecutionService",
        "autan.v1.SystemService",
    ] {
        let status = health
            .check(check(service))
            .await
            .unwrap()
            .into_inner()
            .status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    let unknown = health.check(check("autan.v1.None")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    let mut watched = health.watch(check("")).await.unwrap().into_inner();
    let mut seen = Vec::new();
    seen.push(watched.message().await.unwrap().unwrap().status());
    api.server.stop_token().cancel();
    seen.push(watched.message().await.unwrap().unwrap().status());
    assert_eq!(seen, [ServingStatus::Serving, ServingStatus::NotServing]);
    drop((watched, health));
    api.stop().await;
}

#[tokio::test]
async fn services_describe_themselves() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let api = Api::start().await;
    let mut client = ServerReflectionClient::new(api.channel.clone());
    let ask = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let asked = tokio_stream::iter([ask]);
    let mut answers = client
        .server_reflection_info(asked)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    for name in [
        "autan.v1.ExecutionService",
        "autan.v1.WorkflowService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    drop((answers, client));
    api.stop().await;
}
