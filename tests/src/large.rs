//! Figures of large executions: what a task costs as an execution grows, and how long verbs take.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use proto::v1::{self, ExecutionState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::Api;
use crate::server::TestServer;

/// Tasks of a large execution, and of the small ones that it is compared with.
const LARGE: usize = 10_000;
const SMALL: usize = 100;

/// Small executions that are timed together.
const SMALL_ONES: usize = 40;

/// How long one execution may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// One task that runs again and again, and at last one that waits if it is asked to. Each pass
/// publishes, and can be undone.
const LOOP: &str = "
version: '2.0'
loop:
  input: [count, hold]
  vars: {n: 0}
  tasks:
    begin:
      on-success: pass
    pass:
      action: std.echo output=<% $.n + 1 %>
      publish: {n: <% task().result %>}
      rollback: {action: std.noop}
      on-success:
        - pass: <% $.n < $.count %>
        - wait: <% $.n >= $.count and $.hold %>
    wait:
      action: std.async_noop
";

/// Tasks side by side that all wait.
fn wide(tasks: usize) -> String {
    let mut text = format!("version: '2.0'\nwide{tasks}:\n  tasks:\n");
    for task in 1..=tasks {
        let _ = writeln!(text, "    t{task}: {{action: std.async_noop}}");
    }
    text
}

/// Tasks side by side, with one after all of them.
fn fan(tasks: usize) -> String {
    let mut text = format!("version: '2.0'\nfan{tasks}:\n  tasks:\n");
    for task in 1..tasks {
        let _ = writeln!(text, "    t{task}: {{action: std.noop, on-success: last}}");
    }
    text + "    last: {join: all}\n"
}

/// The figures, each a JSON object.
pub async fn figures() -> Result<Vec<Value>> {
    let server = TestServer::start().await?;
    let api = server.api("bench");
    let mut figures = Vec::new();

    api.create_workflow(LOOP).await?;
    let small = Instant::now();
    for _ in 0..SMALL_ONES {
        run(&api, "loop", &json!({"count": SMALL, "hold": false})).await?;
    }
    let small = per_task(small.elapsed(), SMALL * SMALL_ONES);
    let large = Instant::now();
    run(&api, "loop", &json!({"count": LARGE, "hold": false})).await?;
    let large = per_task(large.elapsed(), LARGE);
    figures.extend(compared(
        "one after the other, each publishes",
        small,
        large,
    ));

    let nothing = json!({});
    let mut costs = Vec::new();
    for (tasks, times) in [(SMALL, SMALL_ONES), (LARGE, 1)] {
        api.create_workflow(&fan(tasks)).await?;
        let name = format!("fan{tasks}");
        // The first one reads the definition.
        run(&api, &name, &nothing).await?;
        let begin = Instant::now();
        for _ in 0..times {
            run(&api, &name, &nothing).await?;
        }
        costs.push(per_task(begin.elapsed(), tasks * times));
    }
    figures.extend(compared("side by side, then a join", costs[0], costs[1]));

    api.create_workflow(&wide(SMALL)).await?;
    api.create_workflow(&wide(LARGE)).await?;
    start(&api, &format!("wide{SMALL}"), &json!({})).await?;
    let small = Instant::now();
    for _ in 0..SMALL_ONES {
        start(&api, &format!("wide{SMALL}"), &json!({})).await?;
    }
    let small = per_task(small.elapsed(), SMALL * SMALL_ONES);
    // The first start of each reads the definition.
    start(&api, &format!("wide{LARGE}"), &json!({})).await?;
    let begin = Instant::now();
    let uid = start(&api, &format!("wide{LARGE}"), &json!({})).await?;
    until_running(&api, &uid, LARGE).await?;
    let large = per_task(begin.elapsed(), LARGE);
    figures.extend(compared("side by side, all wait", small, large));
    verbs(&api, &uid, "side by side, all wait", &mut figures).await?;

    let uid = start(&api, "loop", &json!({"count": LARGE, "hold": true})).await?;
    until_running(&api, &uid, 1).await?;
    verbs(
        &api,
        &uid,
        "one after the other, the last waits",
        &mut figures,
    )
    .await?;
    Ok(figures)
}

fn per_task(elapsed: Duration, tasks: usize) -> f64 {
    let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
    elapsed.as_secs_f64() * 1e6 / f64::from(tasks)
}

fn compared(shape: &str, small: f64, large: f64) -> Vec<Value> {
    let figure = |name: &str, value: f64, unit: &str| {
        let value = (value * 100.0).round() / 100.0;
        let conditions = json!({"tasks": shape, "clients": 1});
        json!({"name": name, "value": value, "unit": unit, "conditions": conditions})
    };
    vec![
        figure(&format!("cost of a task of {SMALL}"), small, "µs"),
        figure(&format!("cost of a task of {LARGE}"), large, "µs"),
        figure("cost of a task, large to small", large / small, "ratio"),
    ]
}

async fn start(api: &Api, workflow: &str, input: &Value) -> Result<String> {
    let mut request = api.start_request(workflow, input);
    request.request_id = Uuid::now_v7().to_string();
    let answer = api.executions().start_execution(request).await?;
    Ok(answer.into_inner().execution.unwrap_or_default().uid)
}

async fn run(api: &Api, workflow: &str, input: &Value) -> Result<()> {
    let uid = start(api, workflow, input).await?;
    let done = api.finished(&uid, PATIENCE).await?;
    ensure!(
        done.state() == ExecutionState::Success,
        "{workflow} ended in {:?}",
        done.state()
    );
    Ok(())
}

/// Waits until so many actions are under way.
async fn until_running(api: &Api, uid: &str, actions: usize) -> Result<()> {
    let begin = Instant::now();
    loop {
        let request = v1::GetExecutionRequest {
            project: api.project(),
            execution_id: uid.to_owned(),
            view: v1::View::Basic.into(),
            ..Default::default()
        };
        let answer = api.executions().get_execution(request).await?;
        let execution = answer.into_inner().execution.unwrap_or_default();
        let progress = execution.progress.unwrap_or_default();
        if usize::try_from(progress.running_actions).unwrap_or(0) >= actions {
            return Ok(());
        }
        ensure!(begin.elapsed() < PATIENCE, "it is still at {progress:?}");
    }
}

/// Times the verbs on an execution that waits.
async fn verbs(api: &Api, uid: &str, shape: &str, figures: &mut Vec<Value>) -> Result<()> {
    let (project, id) = (api.project(), uid.to_owned());
    let mut client = api.executions();
    let mut timed = |name: &str, begin: Instant| {
        let value = (begin.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        let conditions = json!({"tasks": format!("{LARGE} {shape}")});
        let name = format!("{name} a large execution");
        figures.push(json!({"name": name, "value": value, "unit": "ms", "conditions": conditions}));
    };
    let begin = Instant::now();
    let request = v1::PauseExecutionRequest {
        project: project.clone(),
        execution_id: id.clone(),
        ..Default::default()
    };
    client.pause_execution(request).await.context("pausing")?;
    timed("pause", begin);
    let begin = Instant::now();
    let request = v1::ExplainExecutionRequest {
        project: project.clone(),
        execution_id: id.clone(),
        ..Default::default()
    };
    client
        .explain_execution(request)
        .await
        .context("explaining")?;
    timed("explain", begin);
    let begin = Instant::now();
    let request = v1::ResumeExecutionRequest {
        project: project.clone(),
        execution_id: id.clone(),
        ..Default::default()
    };
    client.resume_execution(request).await.context("resuming")?;
    timed("resume", begin);
    let begin = Instant::now();
    let request = v1::CancelExecutionRequest {
        project: project.clone(),
        execution_id: id.clone(),
        ..Default::default()
    };
    client
        .cancel_execution(request)
        .await
        .context("cancelling")?;
    timed("cancel", begin);
    let begin = Instant::now();
    let request = v1::RollbackExecutionRequest {
        project,
        execution_id: id,
        ..Default::default()
    };
    client
        .rollback_execution(request)
        .await
        .context("rolling back")?;
    timed("roll back", begin);
    let done = api.finished(uid, PATIENCE).await?;
    ensure!(
        done.state() == ExecutionState::RolledBack,
        "the rollback ended in {:?}",
        done.state()
    );
    timed("roll back, to its end,", begin);
    Ok(())
}
