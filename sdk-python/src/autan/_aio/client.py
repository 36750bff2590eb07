"""The client: one connection to a server, seen by one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan import models
from autan._aio.actions import Actions
from autan._aio.batches import Batches
from autan._aio.environments import Environments
from autan._aio.executions import ExecutionHandle, Executions
from autan._aio.runs import ActionRun
from autan._aio.tasks import ActionExecutions, Tasks
from autan._aio.workers import Queues, Workers
from autan._aio.workflows import Workbooks, Workflows
from autan._core import actions, executions, expressions, system, workers
from autan._core.call import Scope
from autan._core.identity import caller
from autan._core.identity import new as new_identity
from autan._transport.aio import AioTransport
from autan._transport.options import TlsConfig, TransportOptions, parse_address
from autan._transport.retry import RetryPolicy
from autan.converter import Converter, DefaultConverter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType


class Client:
    """An asynchronous client of Autan.

    Use it as an async context manager, or call `close`. It connects when the first call is made.
    It must not be used after a fork.

    Args:
        address: "host:port" (default port 7233), "http://host:port", "https://host:port".
        project: Tenant; empty = "default".
        tls: Encrypts the connection: True for a server with a publicly trusted certificate, or a
            `TlsConfig`. An https address implies it.
        token: Bearer token sent with every call.
        metadata: Further headers sent with every call.
        identity: How this program names itself to people: what it starts and steers has that in
            its history. 1 to 200 printable ASCII characters; None = "user@host/pid".
        timeout: Deadline of each attempt of a call, in seconds; watches have none.
        retry: How calls are retried and watches resumed.
        converter: Turns Python values into JSON and back.

    Raises:
        ValueError: An argument is malformed.
    """

    def __init__(
        self,
        address: str = "localhost:7233",
        *,
        project: str = "",
        tls: TlsConfig | bool = False,
        token: str | None = None,
        metadata: Mapping[str, str] | None = None,
        identity: str | None = None,
        timeout: float = 10.0,
        retry: RetryPolicy | None = None,
        converter: Converter | None = None,
    ) -> None:
        self._transport = AioTransport(
            TransportOptions(
                target=parse_address(address, tls),
                project=project,
                token=token,
                metadata=metadata or {},
                identity=caller(identity),
                timeout=timeout,
                retry=retry or RetryPolicy(),
            )
        )
        self._scope = Scope(project, converter or DefaultConverter())

        self.workflows = Workflows(self._transport, self._scope)
        """Definitions of workflows."""
        self.workbooks = Workbooks(self._transport, self._scope)
        """Bundles of definitions."""
        self.executions = Executions(self._transport, self._scope)
        """Finding and counting executions."""
        self.tasks = Tasks(self._transport, self._scope)
        """Task executions by id."""
        self.action_executions = ActionExecutions(self._transport, self._scope)
        """Attempts of tasks by id, and completing those that run outside."""
        self.actions = Actions(self._transport, self._scope)
        """What tasks do: built-in and ad-hoc actions."""
        self.batches = Batches(self._transport, self._scope)
        """One verb for many executions."""
        self.environments = Environments(self._transport, self._scope)
        """Named sets of variables."""
        self.workers = Workers(self._transport, self._scope)
        """Programs that provide actions."""
        self.queues = Queues(self._transport, self._scope)
        """Where tasks wait for them."""
        self._worker = new_identity()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections; calls under way are cancelled."""
        await self._transport.close()

    async def start(
        self,
        name: str,
        input: object = None,
        *,
        id: str = "",
        namespace: str = "",
        revision: int = 0,
        params: Mapping[str, object] | None = None,
        priority: int | None = None,
        environment: str = "",
        env: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
        description: str = "",
        on_conflict: models.IdConflictPolicy = models.IdConflictPolicy.USE_EXISTING,
        validate_only: bool = False,
    ) -> ExecutionHandle:
        """Starts a workflow. When this returns, the start is durable.

        Safe to repeat: with the same `id` the existing execution is returned (its handle says
        `started` = False), unless `on_conflict` is FAIL. Retries of this call never start twice.

        Args:
            name: Full name of the workflow.
            input: What becomes a JSON object with the declared inputs: a dict, a dataclass, a
                model; at most 1 MiB. None = no inputs.
            id: Chosen id of the execution; empty = the server gives one. At most 255 bytes.
            namespace: Namespace of the workflow; empty = the default namespace.
            revision: Number of the revision; 0 = the latest.
            params: Start parameters, such as `task_name` of a reverse workflow.
            priority: Where calls wait for workers, those of executions with a higher one go first:
                -100 to 100, 0 if nothing is said. Sub-workflows have that of their parent.
            environment: Name of a stored environment: the execution gets a copy of it.
            env: Variables of an environment, instead of a stored one.
            labels: For filtering; at most 64, keys at most 63 bytes, values at most 255.
            description: Free text; at most 4 KiB.
            on_conflict: What to do if an execution of that id exists.
            validate_only: Checks workflow and input and starts nothing: the handle leads nowhere.

        Raises:
            WorkflowNotFound: There is no such workflow or revision.
            EnvironmentNotFound: There is no such environment.
            InputMismatch: The input does not fit the workflow.
            ExpressionFailed: What the workflow evaluates at its start fails with this input.
            ExecutionAlreadyExists: The id exists, and `on_conflict` is FAIL.
            PayloadError: The input cannot be sent as JSON.
            PayloadRefused: The input is too large.
            ValueError: `environment` and `env` are both given.
        """
        options = executions.Start(
            id=id,
            namespace=namespace,
            revision=revision,
            params=params if priority is None else {**(params or {}), "priority": priority},
            environment=environment,
            env=env,
            labels=labels or {},
            description=description,
            on_conflict=on_conflict,
            validate_only=validate_only,
        )
        answer = await self._transport.unary(executions.start(self._scope, name, input, options))
        return ExecutionHandle(
            self._transport,
            self._scope,
            answer.execution.execution_id,
            started=answer.started,
        )

    async def run_action(
        self,
        name: str,
        input: object = None,
        *,
        id: str = "",
        namespace: str = "",
        environment: str = "",
        env: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
        description: str = "",
        on_conflict: models.IdConflictPolicy = models.IdConflictPolicy.USE_EXISTING,
        wait: float = 0.0,
        timeout: float | None = None,
        target: str = "",
        synchronous: bool = False,
        discard: bool = False,
        validate_only: bool = False,
    ) -> ActionRun:
        """Runs one action without a workflow. When this returns, the start is durable.

        The run is an execution with one task, to be watched, cancelled and waited for like any
        other. Safe to repeat, as `start` is.

        Args:
            name: Name of the action, built-in or ad-hoc.
            input: What becomes a JSON object with its inputs; at most 1 MiB. No part of it is an
                expression. None = no inputs.
            id: Chosen id of the execution; empty = the server gives one. At most 255 bytes.
            namespace: Namespace of the action; empty = the default namespace.
            environment: Name of a stored environment, for the expressions of an ad-hoc action.
            env: Variables of an environment, instead of a stored one.
            labels: For filtering; at most 64, keys at most 63 bytes, values at most 255.
            description: Free text; at most 4 KiB.
            on_conflict: What to do if an execution of that id exists.
            wait: How long the server may wait for the result before it answers, in seconds; at
                most 10.
            timeout: How long the action may take, in seconds, rounded up to whole ones; the run
                then ends in ERROR. None = the server's limit, which also bounds it.
            target: Queue of the worker that is to run it; empty = any that provides the action.
            synchronous: Refuses an action whose result comes from outside.
            discard: Deletes the execution with its history once its result was answered by this
                call, for which the server waits 10 s unless `wait` is given. It is kept if it is
                not finished by then.
            validate_only: Checks action and input and starts nothing: the handle leads nowhere.

        Raises:
            ActionNotFound: There is no such action, and no worker has ever provided one.
            EnvironmentNotFound: There is no such environment.
            InputMismatch: The input does not fit the action.
            ExecutionAlreadyExists: The id exists, and `on_conflict` is FAIL.
            InvalidArgument: The action is asynchronous, and `synchronous` is given; or `timeout`
                is not above 0.
            PayloadError: The input cannot be sent as JSON.
            PayloadRefused: The input is too large.
            ValueError: `environment` and `env` are both given.
        """
        options = actions.Run(
            id=id,
            namespace=namespace,
            environment=environment,
            env=env,
            labels=labels or {},
            description=description,
            on_conflict=on_conflict,
            wait=wait,
            timeout=timeout,
            target=target,
            synchronous=synchronous,
            discard=discard,
            validate_only=validate_only,
        )
        ran = await self._transport.unary(actions.run(self._scope, name, input, options))
        return ActionRun(self._transport, self._scope, ran)

    async def evaluate(
        self,
        expression: str,
        context: object = None,
        *,
        env: Mapping[str, object] | None = None,
        language: models.ExpressionLanguage = models.ExpressionLanguage.UNSPECIFIED,
    ) -> Any:
        """Evaluates an expression over given data, as a document would, and returns its value.

        What looks at a running workflow, such as `task()`, is not known there; `env()` is.

        Args:
            expression: The text; at most 64 KiB.
            context: What `$` and `_` are; None = an empty object.
            env: What `env()` gives.
            language: How to read the text.

        Raises:
            ExpressionError: The expression does not parse, or its evaluation failed.
            PayloadError: The context cannot be sent as JSON.
            PayloadRefused: The context is too large.
        """
        return await self._transport.unary(
            expressions.evaluate(self._scope, expression, context, env=env, language=language)
        )

    async def poll_tasks(
        self,
        actions: Sequence[str | models.ActionSpec],
        *,
        queue: str = "default",
        max_tasks: int = 1,
        wait: float = 10.0,
    ) -> models.PolledTasks:
        """Takes tasks for actions that this program provides, and waits for some for a while.

        For scripts; `Worker` does all of this by itself. Each task is under a lease: renew it
        with `heartbeat_tasks` as often as the answer says, and end it with `complete_task`,
        `fail_task` or `release_task`, or it is handed out again. The tasks of all calls of this
        client are those of one worker.

        Args:
            actions: The actions: their names, or more.
            queue: Queue that the tasks wait in.
            max_tasks: At most this many, 1 to 1,000.
            wait: How long to wait for the first, in seconds; at most 10.

        Raises:
            InvalidArgument: A name or a number is out of range.
        """
        return await self._transport.unary(
            workers.poll(
                self._scope, self._worker, actions, queue=queue, max_tasks=max_tasks, wait=wait
            )
        )

    async def heartbeat_tasks(
        self, tasks: Mapping[str, object] | Sequence[str]
    ) -> models.RenewedTasks:
        """Renews leases, and keeps what is said of the progress of their tasks.

        What became of a lease is in the answer: one that is lost is no error.

        Args:
            tasks: Tokens of the leases, at most 1,000; or by token what is to be said of the
                progress, as JSON of at most 64 KiB, where None = only renew.

        Raises:
            PayloadError: A progress cannot be sent as JSON, or is too large.
        """
        return await self._transport.unary(
            workers.heartbeat(self._scope, self._worker.worker_id, tasks)
        )

    async def complete_task(self, token: str, result: object = None) -> None:
        """Ends a task with its result, also one that was deferred. Safe to repeat.

        Args:
            token: The token of its lease.
            result: Anything that the converter turns into JSON, or `Binary`; at most 1 MiB.

        Raises:
            TaskLeaseLost: The lease has ended: the result counts for nothing.
            PayloadError: The result cannot be sent as JSON.
            PayloadRefused: The result is too large.
        """
        await self._transport.unary(
            workers.complete(self._scope, self._worker.worker_id, token, result)
        )

    async def defer_task(self, token: str) -> None:
        """Leaves a task to somebody who completes it later, by token or by id. No lease runs then.

        Args:
            token: The token of its lease.

        Raises:
            TaskLeaseLost: The lease has ended.
        """
        await self._transport.unary(workers.defer(self._scope, self._worker.worker_id, token))

    async def fail_task(
        self,
        token: str,
        message: str,
        *,
        type: str = "Failure",
        details: object = None,
        non_retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        """Ends a task with a failure, also one that was deferred. Safe to repeat.

        Args:
            token: The token of its lease.
            message: What went wrong, for people; at most 4 KiB.
            type: Kind of failure.
            details: What the workflow sees as the error result, as JSON; None = the message.
            non_retryable: Whether another attempt is of no use: `retry` of the task is not asked.
            retry_after: How long to wait before the next attempt, in seconds, instead of what
                `retry` says; None = as it says.

        Raises:
            TaskLeaseLost: The lease has ended: the failure counts for nothing.
            PayloadError: The details cannot be sent as JSON.
        """
        failed = models.TaskFailure(
            failure=models.Failure(type=type, message=message, details=details),
            non_retryable=non_retryable,
            retry_after=retry_after,
        )
        await self._transport.unary(
            workers.fail(self._scope, self._worker.worker_id, token, failed)
        )

    async def release_task(self, token: str) -> None:
        """Gives a task back unfinished: it is handed out again at once, no attempt is used up.

        Args:
            token: The token of its lease.

        Raises:
            TaskLeaseLost: The lease has ended.
        """
        await self._transport.unary(workers.release(self._scope, self._worker.worker_id, token))

    def execution(self, execution_id: str) -> ExecutionHandle:
        """Returns the handle of an execution by its id or uid, without asking the server.

        Args:
            execution_id: Its id or uid.
        """
        return ExecutionHandle(self._transport, self._scope, execution_id)

    async def server_info(self) -> models.ServerInfo:
        """Returns version, capabilities and limits of the server."""
        return await self._transport.unary(system.server_info(self._scope))

    async def cluster(self) -> models.Cluster:
        """Returns the servers that share the database, and what each of them has."""
        return await self._transport.unary(system.cluster())
