//! Workflows and workbooks: revisions, conditions, repeated requests.

use proto::v1::{self, Severity, View};

use super::{ASYNC, Api, ECHO, REQUEST_ID, create, reason, refusal};

const BOOK: &str = "
version: '2.0'
name: book
description: Two members.
workflows:
  main:
    tasks:
      t: {action: book.shout}
actions:
  shout: {base: std.noop}
";

fn update(source: &str, etag: &str) -> v1::UpdateWorkflowRequest {
    v1::UpdateWorkflowRequest {
        source: source.into(),
        etag: etag.into(),
        ..Default::default()
    }
}

fn get(name: &str, revision: i32) -> v1::GetWorkflowRequest {
    v1::GetWorkflowRequest {
        name: name.into(),
        revision,
        ..Default::default()
    }
}

#[tokio::test]
async fn workflows_are_kept_in_revisions() {
    let mut api = Api::start().await;
    let created = api
        .workflows
        .create_workflow(create(ECHO))
        .await
        .unwrap()
        .into_inner();
    let [first] = created.workflows.as_slice() else {
        panic!("{created:?}")
    };
    assert_eq!(
        (&*first.name, first.revision, &*first.source),
        ("echo", 1, ECHO)
    );
    assert_eq!(
        (&*first.r#type, &*first.description),
        ("direct", "Says what it hears.")
    );
    assert_eq!(
        (&*first.tags, &*first.output_keys),
        (&["small".into()][..], &["said".into()][..])
    );
    assert_eq!(first.task_names, ["say", "check"]);
    assert_eq!(
        first.input.iter().map(|i| i.required).collect::<Vec<_>>(),
        [true, false]
    );

    assert_eq!(
        reason(api.workflows.create_workflow(create(ECHO)).await),
        "WORKFLOW_ALREADY_EXISTS"
    );
    let again = v1::CreateWorkflowRequest {
        allow_existing: true,
        ..create(ECHO)
    };
    let again = api
        .workflows
        .create_workflow(again)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        again.workflows[0].revision, 1,
        "an equal text adds no revision"
    );
    api.stop().await;
}

#[tokio::test]
async fn a_changed_text_adds_a_revision() {
    let mut api = Api::start().await;
    let created = api
        .workflows
        .create_workflow(create(ECHO))
        .await
        .unwrap()
        .into_inner();
    let first = &created.workflows[0];
    let changed = ECHO.replace("small", "tiny");
    assert_eq!(
        reason(api.workflows.update_workflow(update(&changed, "7-x")).await),
        "ETAG_MISMATCH"
    );
    let updated = api
        .workflows
        .update_workflow(update(&changed, &first.etag))
        .await
        .unwrap();
    assert_eq!(updated.into_inner().workflows[0].revision, 2);
    assert_eq!(
        reason(api.workflows.update_workflow(update(ASYNC, "")).await),
        "WORKFLOW_NOT_FOUND"
    );

    for (revision, tag) in [(0, "tiny"), (1, "small"), (2, "tiny")] {
        let found = api
            .workflows
            .get_workflow(get("echo", revision))
            .await
            .unwrap();
        assert_eq!(found.into_inner().workflow.unwrap().tags, [tag]);
    }
    assert_eq!(
        reason(api.workflows.get_workflow(get("echo", 3)).await),
        "WORKFLOW_NOT_FOUND"
    );
    let list = v1::ListWorkflowRevisionsRequest {
        name: "echo".into(),
        ..Default::default()
    };
    let listed = api
        .workflows
        .list_workflow_revisions(list)
        .await
        .unwrap()
        .into_inner();
    let revisions: Vec<_> = listed
        .workflows
        .iter()
        .map(|w| (w.revision, &*w.source))
        .collect();
    assert_eq!(revisions, [(2, ""), (1, "")]);
    api.stop().await;
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_outcome() {
    let mut api = Api::start().await;
    let request = v1::CreateWorkflowRequest {
        request_id: REQUEST_ID.into(),
        ..create(ECHO)
    };
    for _ in 0..2 {
        let created = api
            .workflows
            .create_workflow(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(created.workflows[0].revision, 1);
    }
    let other = v1::CreateWorkflowRequest {
        strict: true,
        ..request.clone()
    };
    assert_eq!(
        reason(api.workflows.create_workflow(other).await),
        "REQUEST_ID_REUSED"
    );
    let changed = ECHO.replace("small", "tiny");
    api.workflows
        .update_workflow(update(&changed, ""))
        .await
        .unwrap();
    let created = api
        .workflows
        .create_workflow(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        created.workflows[0].revision, 1,
        "the revision that the request made"
    );

    let delete = v1::DeleteWorkflowRequest {
        name: "echo".into(),
        request_id: REQUEST_ID.replace('1', "2"),
        ..Default::default()
    };
    for _ in 0..2 {
        api.workflows.delete_workflow(delete.clone()).await.unwrap();
    }
    let delete = v1::DeleteWorkflowRequest {
        request_id: String::new(),
        ..delete
    };
    assert_eq!(
        reason(api.workflows.delete_workflow(delete.clone()).await),
        "WORKFLOW_NOT_FOUND"
    );
    let delete = v1::DeleteWorkflowRequest {
        allow_missing: true,
        ..delete
    };
    api.workflows.delete_workflow(delete).await.unwrap();
    api.stop().await;
}

#[tokio::test]
async fn a_workflow_in_use_is_deleted_by_force_only() {
    let mut api = Api::with(&[ASYNC]).await;
    api.run("held", "e", "{}").await;
    let delete = v1::DeleteWorkflowRequest {
        name: "held".into(),
        ..Default::default()
    };
    let (found, metadata) = refusal(api.workflows.delete_workflow(delete.clone()).await);
    assert_eq!(
        (&*found, &*metadata["executions"]),
        ("DEFINITION_IN_USE", "1")
    );
    let forced = v1::DeleteWorkflowRequest {
        force: true,
        ..delete.clone()
    };
    api.workflows.delete_workflow(forced).await.unwrap();
    // Now there is nothing to delete, whatever still runs.
    assert_eq!(
        reason(api.workflows.delete_workflow(delete).await),
        "WORKFLOW_NOT_FOUND"
    );
    api.stop().await;
}

#[tokio::test]
async fn documents_are_tried_without_being_kept() {
    let mut api = Api::start().await;
    let tried = v1::CreateWorkflowRequest {
        validate_only: true,
        ..create(ECHO)
    };
    let answer = api
        .workflows
        .create_workflow(tried.clone())
        .await
        .unwrap()
        .into_inner();
    let workflow = &answer.workflows[0];
    assert_eq!(
        (&*workflow.name, workflow.revision, &*workflow.etag),
        ("echo", 0, "")
    );
    assert_eq!(
        reason(api.workflows.get_workflow(get("echo", 0)).await),
        "WORKFLOW_NOT_FOUND"
    );
    api.workflows.create_workflow(create(ECHO)).await.unwrap();
    assert_eq!(
        reason(api.workflows.create_workflow(tried).await),
        "WORKFLOW_ALREADY_EXISTS"
    );

    let faulty = create("version: '2.0'\nwf:\n  tasks: 1\n");
    let (found, metadata) = refusal(api.workflows.create_workflow(faulty).await);
    assert_eq!(
        (&*found, &*metadata["violations_total"]),
        ("INVALID_DEFINITION", "1")
    );
    let large = create(&format!("{ECHO}#{}", "x".repeat(1 << 20)));
    let (found, metadata) = refusal(api.workflows.create_workflow(large).await);
    assert_eq!(
        (&*found, &*metadata["limit"]),
        ("DEFINITION_TOO_LARGE", "1048576")
    );

    let validate = |source: &str| v1::ValidateWorkflowRequest {
        source: source.into(),
        ..Default::default()
    };
    let right = api
        .workflows
        .validate_workflow(validate(ECHO))
        .await
        .unwrap()
        .into_inner();
    assert!(right.valid && right.diagnostics.is_empty(), "{right:?}");
    let wrong = validate("version: '2.0'\nwf:\n  tasks:\n    t: {acton: x}\n");
    let wrong = api
        .workflows
        .validate_workflow(wrong)
        .await
        .unwrap()
        .into_inner();
    let found = &wrong.diagnostics[0];
    assert!(!wrong.valid && found.severity == i32::from(Severity::Error));
    assert_eq!((found.line, &*found.rule), (4, "unknown-key"));
    assert!(found.excerpt.contains("^^^^^"), "{}", found.excerpt);
    api.stop().await;
}

#[tokio::test]
async fn workflows_are_listed_in_pages_and_by_filter() {
    let mut api = Api::start().await;
    for number in 0..5 {
        let source = ECHO.replace("echo:", &format!("echo{number}:"));
        api.workflows
            .create_workflow(create(&source))
            .await
            .unwrap();
    }
    api.workflows.create_workflow(create(ASYNC)).await.unwrap();
    let mut names = Vec::new();
    let mut request = v1::ListWorkflowsRequest {
        page_size: 2,
        filter: "tag : small AND name = echo*".into(),
        view: View::Full.into(),
        ..Default::default()
    };
    loop {
        let page = api
            .workflows
            .list_workflows(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert!(page.workflows.len() <= 2 && page.workflows.iter().all(|w| !w.source.is_empty()));
        names.extend(page.workflows.into_iter().map(|workflow| workflow.name));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(names, ["echo0", "echo1", "echo2", "echo3", "echo4"]);
    let other = v1::ListWorkflowsRequest {
        filter: String::new(),
        ..request
    };
    assert_eq!(
        reason(api.workflows.list_workflows(other).await),
        "INVALID_PAGE_TOKEN"
    );
    let faulty = v1::ListWorkflowsRequest {
        filter: "tag".into(),
        ..Default::default()
    };
    let (found, metadata) = refusal(api.workflows.list_workflows(faulty).await);
    assert_eq!((&*found, &*metadata["position"]), ("INVALID_FILTER", "4"));
    api.stop().await;
}

#[tokio::test]
async fn workbooks_bring_their_members() {
    let mut api = Api::start().await;
    let create = v1::CreateWorkbookRequest {
        source: BOOK.into(),
        ..Default::default()
    };
    let created = api
        .workbooks
        .create_workbook(create.clone())
        .await
        .unwrap()
        .into_inner();
    let book = created.workbook.unwrap();
    assert_eq!(
        (&*book.name, &*book.source, &*book.description),
        ("book", BOOK, "Two members.")
    );
    assert_eq!(book.workflow_names, ["book.main"]);
    assert_eq!(book.action_names, ["book.shout"]);
    assert_eq!(
        reason(api.workbooks.create_workbook(create).await),
        "WORKBOOK_ALREADY_EXISTS"
    );
    let member = api
        .workflows
        .get_workflow(get("book.main", 0))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(member.workflow.unwrap().workbook, "book");
    api.run("book.main", "e", "{}").await;
    assert_eq!(api.finished("e").await.state(), v1::ExecutionState::Success);
    api.stop().await;
}

#[tokio::test]
async fn workbooks_are_replaced_and_deleted_without_their_members() {
    let mut api = Api::start().await;
    let create = v1::CreateWorkbookRequest {
        source: BOOK.into(),
        ..Default::default()
    };
    let created = api
        .workbooks
        .create_workbook(create)
        .await
        .unwrap()
        .into_inner();
    let book = created.workbook.unwrap();
    let update = v1::UpdateWorkbookRequest {
        source: BOOK.replace("main:", "other:"),
        etag: book.etag,
        ..Default::default()
    };
    let updated = api
        .workbooks
        .update_workbook(update.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(updated.workbook.unwrap().workflow_names, ["book.other"]);
    assert_eq!(
        reason(api.workbooks.update_workbook(update).await),
        "ETAG_MISMATCH"
    );

    let list = v1::ListWorkbooksRequest::default();
    let listed = api
        .workbooks
        .list_workbooks(list)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(listed.workbooks.len(), 1);
    let delete = v1::DeleteWorkbookRequest {
        name: "book".into(),
        ..Default::default()
    };
    api.workbooks.delete_workbook(delete.clone()).await.unwrap();
    assert_eq!(
        reason(api.workbooks.delete_workbook(delete).await),
        "WORKBOOK_NOT_FOUND"
    );
    let get_book = v1::GetWorkbookRequest {
        name: "book".into(),
        ..Default::default()
    };
    assert_eq!(
        reason(api.workbooks.get_workbook(get_book).await),
        "WORKBOOK_NOT_FOUND"
    );
    api.workflows
        .get_workflow(get("book.main", 0))
        .await
        .expect("members stay");
    api.stop().await;
}
