"""Executions: finding them, and the handle that everything about one of them hangs on."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autan import models
from autan._aio import pages
from autan._core import executions, insight, tasks, watch_many
from autan._core.outcome import outcome
from autan._core.watch import Deadline, Watch, WatchOptions, WatchUnusableError
from autan.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from autan._core.call import Scope
    from autan._transport.aio import AioTransport

T = TypeVar("T")


class Executions:
    """Executions of all workflows of the project."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def get(
        self,
        execution_id: str,
        *,
        view: models.View = models.View.FULL,
        payloads: Sequence[str] = (),
    ) -> models.Execution:
        """Returns one execution.

        Args:
            execution_id: Its id or uid.
            view: How much to return.
            payloads: Only these payloads of the FULL view, of input, output, params,
                published_global and error.details;
                empty = all. For what would be too large together.

        Raises:
            ExecutionNotFound: There is no such execution.
        """
        return await self._transport.unary(
            executions.get(self._scope, execution_id, view=view, payloads=payloads)
        )

    def list(
        self,
        *,
        filter: str = "",
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.Execution, None]:
        """Yields executions, newest first, fetching pages as needed.

        Args:
            filter: Such as `state = ERROR AND (workflow_name = "order*" OR labels.team = "eu")`;
                empty = all. OR binds tighter than AND: write parentheses.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return; BASIC leaves payloads out.

        Raises:
            InvalidFilter: The filter does not parse, or names an unknown field.
        """
        return pages.items(
            self._transport,
            executions.list_(self._scope, filter=filter, page_size=page_size, view=view),
        )

    async def count(
        self,
        *,
        filter: str = "",
        group_by: models.CountGroup = models.CountGroup.UNSPECIFIED,
    ) -> models.Count:
        """Counts executions; the answer may lag behind by a second.

        Args:
            filter: As in `list`.
            group_by: Also counts by state or by workflow name.

        Raises:
            InvalidFilter: The filter does not parse, or names an unknown field.
        """
        return await self._transport.unary(
            executions.count(self._scope, filter=filter, group_by=group_by)
        )

    async def watch(
        self,
        *,
        filter: str = "",
        resume_token: str = "",
        retained: bool = False,
        events: bool = False,
        event_types: Sequence[str] = (),
        include_payloads: bool = False,
        heartbeat_interval: float = 15.0,
    ) -> AsyncGenerator[models.ExecutionChange, None]:
        """Yields the changes of all executions that match, for ever.

        Each change comes at least once, as the execution is then; changes that are faster than the
        stream come as one. With `events` all that happens comes instead, in order for each
        execution, and again only where the stream was cut, with the same number. The watch
        resumes by itself after disconnects, silence of three heartbeats, and restarts of the
        server. It gives up after `RetryPolicy.resume_for` seconds without a sign of the server.

        If the loop may be left early, wrap the changes in `contextlib.aclosing`, so that the
        connection is given back at once.

        Args:
            filter: As of `list`.
            resume_token: Of a change of an earlier watch of the same filter: goes on after it.
            retained: Without `resume_token`, begins with the oldest change that the server keeps,
                about a day ago, instead of the next.
            events: Tells what happens to executions, event by event, instead of what they are.
            event_types: Only events of these types, such as "task_state_changed"; empty = all. With
                `events` only.
            include_payloads: Carries inputs, outputs and results in the events. With `events` only.
            heartbeat_interval: How often the server shows a sign of life, 5 to 60 s.

        Raises:
            InvalidFilter: The filter does not parse, or names an unknown field.
            InvalidField: A type of events is unknown, or given without `events`.
            HistoryTrimmed: What follows `resume_token` is gone.
            Unavailable: The server did not come back.
            ValueError: An argument is out of range.
        """
        watch = watch_many.WatchMany(
            self._scope,
            self._transport.options.retry,
            filter=filter,
            resume_token=resume_token,
            retained=retained,
            events=events,
            event_types=event_types,
            include_payloads=include_payloads,
            heartbeat_interval=heartbeat_interval,
        )
        while True:
            async with self._transport.stream(watch_many.WATCH, watch.request()) as stream:
                while watch.connected:
                    try:
                        message = await stream.read(watch.read_timeout)
                    except RpcError as error:
                        watch.lost(error)
                        break
                    if message is None:
                        watch.lost(None)
                        break
                    for change in watch.receive(message):
                        yield change
            await self._transport.sleep(watch.delay())


class ExecutionHandle:
    """One execution, by its id.

    Attributes:
        id: Its id or uid.
        started: Whether this `start` began it: False if it existed; None if there was no start.
    """

    def __init__(
        self,
        transport: AioTransport,
        scope: Scope,
        execution_id: str,
        *,
        started: bool | None = None,
    ) -> None:
        self._transport = transport
        self._scope = scope
        self.id = execution_id
        self.started = started

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    async def get(
        self, *, view: models.View = models.View.FULL, payloads: Sequence[str] = ()
    ) -> models.Execution:
        """Returns the execution as it is now.

        Args:
            view: How much to return.
            payloads: Only these payloads of the FULL view, of input, output, params,
                published_global and error.details;
                empty = all. For what would be too large together.

        Raises:
            ExecutionNotFound: There is no such execution.
        """
        return await self._transport.unary(
            executions.get(self._scope, self.id, view=view, payloads=payloads)
        )

    async def events(
        self,
        *,
        after_sequence: int = 0,
        start: models.WatchStart = models.WatchStart.BEGINNING,
        include_payloads: bool = False,
        heartbeat_interval: float = 15.0,
        on_gap: Callable[[models.Gap], None] | None = None,
    ) -> AsyncGenerator[models.HistoryEvent, None]:
        """Yields what happened and then what happens, until the execution is finished.

        Events come in order, none left out and none twice, whatever the connection does: the watch
        resumes by itself after disconnects, silence of three heartbeats, and restarts of the
        server. It gives up after `RetryPolicy.resume_for` seconds without a sign of the server.

        If the loop may be left early, wrap the events in `contextlib.aclosing`, so that the
        connection is given back at once.

        Args:
            after_sequence: Only events after this one; `Execution.last_sequence` of a snapshot.
            start: Where to begin if `after_sequence` is 0.
            include_payloads: Carries inputs, outputs and results in the events.
            heartbeat_interval: How often the server shows a sign of life, 5 to 60 s.
            on_gap: Called when the server no longer has the next events, because history was
                trimmed; the watch then goes on with the present.

        Raises:
            ExecutionNotFound: There is no such execution, or it was deleted meanwhile.
            HistoryTrimmed: The next events are gone and there is no `on_gap`.
            Unavailable: The server did not come back.
            ValueError: An argument is out of range.
        """
        options = WatchOptions(
            after_sequence=after_sequence,
            start=start,
            heartbeat_interval=heartbeat_interval,
            include_payloads=include_payloads,
        )
        watch = Watch(self._scope, self.id, options, self._transport.options.retry, on_gap=on_gap)
        # Closing the outer generator does not close the inner one by itself.
        async with aclosing(self._follow(watch)) as found:
            async for event in found:
                yield event

    async def wait(self, *, timeout: float | None = None) -> models.Execution:
        """Waits until the execution is finished, and returns it in FULL view, whatever its state.

        Args:
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            DeadlineExceeded: It was not finished in time; it goes on.
            ExecutionNotFound: There is no such execution, or it was deleted meanwhile.
            Unavailable: The server did not come back.
        """
        deadline = Deadline(timeout)
        watch = Watch(
            self._scope,
            self.id,
            WatchOptions(start=models.WatchStart.SNAPSHOT),
            self._transport.options.retry,
            on_gap=lambda _: None,
            deadline=deadline,
            may_fall_back=True,
        )
        try:
            async for _ in self._follow(watch):
                pass
        except WatchUnusableError:
            return await self._wait_by_calls(deadline)
        if watch.execution is not None:
            return watch.execution
        return await self.get()

    @overload
    async def result(self, *, timeout: float | None = None) -> Any: ...

    @overload
    async def result(self, type: type[T], *, timeout: float | None = None) -> T: ...

    async def result(self, type: type[Any] | None = None, *, timeout: float | None = None) -> Any:
        """Waits until the execution is finished, and returns its output.

        Args:
            type: What the converter is to make of the output, such as a dataclass; None = the
                decoded JSON object.
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            ExecutionFailed: It ended in ERROR.
            ExecutionCancelled: It was cancelled.
            DeadlineExceeded: It was not finished in time; it goes on.
            ExecutionNotFound: There is no such execution, or it was deleted meanwhile.
            PayloadError: The output is not of the type that was asked for.
        """
        return outcome(await self.wait(timeout=timeout), type, self._scope.converter)

    async def pause(self, *, timeouts_run: bool = False, reason: str = "") -> models.Execution:
        """Pauses the execution and its sub-workflows; running actions go on.

        Args:
            timeouts_run: Lets timeouts of tasks go on; one that passes meanwhile strikes at the
                resume.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is finished.
        """
        return await self._transport.unary(
            executions.pause(self._scope, self.id, timeouts_run=timeouts_run, reason=reason)
        )

    async def resume(
        self, *, env: Mapping[str, object] | None = None, reason: str = ""
    ) -> models.Execution:
        """Resumes a paused execution and its sub-workflows.

        Args:
            env: Variables to change in the environment.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is finished.
        """
        return await self._transport.unary(
            executions.resume(self._scope, self.id, env=env, reason=reason)
        )

    async def cancel(self, *, reason: str = "") -> models.Execution:
        """Cancels the execution, its running actions and its sub-workflows.

        Args:
            reason: Why, for the record and as `state_info`; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is finished otherwise.
        """
        return await self._transport.unary(executions.cancel(self._scope, self.id, reason=reason))

    async def terminate(self, *, reason: str = "") -> models.Execution:
        """Ends the execution and its sub-workflows at once, without handlers and without output.

        Its state is CANCELLED, and its `error.type` "terminated".

        Args:
            reason: Why, for the record and in `state_info`; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is finished otherwise.
        """
        return await self._transport.unary(
            executions.terminate(self._scope, self.id, reason=reason)
        )

    async def wait_drained(self, *, timeout: float | None = None) -> models.Execution:
        """Waits until nothing runs any more in the paused execution, nor below it, or it is over.

        Args:
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            DeadlineExceeded: Something still ran when the time was up.
            ExecutionNotFound: There is no such execution, or it was deleted meanwhile.
        """
        return await self._wait_by_calls(Deadline(timeout), drained=True)

    async def restart(
        self,
        *,
        id: str = "",
        latest_revision: bool = False,
        input: object = None,
        params: Mapping[str, object] | None = None,
        environment: str = "",
        env: Mapping[str, object] | None = None,
        labels: Mapping[str, str] | None = None,
        description: str = "",
        reason: str = "",
    ) -> ExecutionHandle:
        """Starts another execution like this one, but for what is given here.

        Args:
            id: Id of the new execution; empty = the server gives one.
            latest_revision: Runs the latest revision of the workflow instead of the same one.
            input: All inputs.
            params: All start parameters but the environment.
            environment: Name of a stored environment; excludes `env`.
            env: Variables of the environment.
            labels: All labels.
            description: Free text.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            ExecutionAlreadyExists: The id is taken.
            InputMismatch: The input does not fit the workflow.
            ExpressionFailed: What the workflow evaluates at its start fails with this input.
        """
        options = executions.Restart(
            id=id,
            latest_revision=latest_revision,
            input=input,
            params=params,
            environment=environment,
            env=env,
            labels=labels,
            description=description,
            reason=reason,
        )
        found = await self._transport.unary(executions.restart(self._scope, self.id, options))
        return ExecutionHandle(self._transport, self._scope, found.execution_id, started=True)

    async def update(
        self,
        *,
        labels: Mapping[str, str] | None = None,
        description: str | None = None,
        env: Mapping[str, object] | None = None,
        etag: str = "",
        reason: str = "",
    ) -> models.Execution:
        """Changes labels and description, or while it is paused the environment.

        Args:
            labels: All labels from now on; None = as they are.
            description: Free text; None = as it is.
            env: Variables to change in the environment of a paused execution.
            etag: If set, labels and description must still be those that had this etag.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: The environment is to be changed, and it is not paused.
            EtagMismatch: Somebody has changed labels or description.
            InvalidArgument: Nothing is given, or a label is too long.
        """
        return await self._transport.unary(
            executions.update(
                self._scope,
                self.id,
                labels=labels,
                description=description,
                env=env,
                etag=etag,
                reason=reason,
            )
        )

    async def stop(self, outcome: models.ExecutionState, *, reason: str = "") -> models.Execution:
        """Ends the execution now with a declared outcome.

        Args:
            outcome: SUCCESS (evaluates the output of the workflow), ERROR or CANCELLED.
            reason: Why, for the record and as `state_info`; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is finished.
            InvalidArgument: The outcome is not a final state.
        """
        return await self._transport.unary(
            executions.stop(self._scope, self.id, outcome=outcome, reason=reason)
        )

    async def rerun(
        self,
        *,
        task: str = "",
        reset: bool = False,
        env: Mapping[str, object] | None = None,
        input: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> models.Execution:
        """Runs again, in place, what has failed or was cancelled; what follows from it follows.

        Args:
            task: Id of the only task execution to run again; empty = all that have ended the
                execution.
            reset: Runs all items of with-items tasks, not only those that failed or never began.
            env: Variables to change in the environment.
            input: Fields to replace in the input of the task, in its first attempt.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            TaskExecutionNotFound: There is no such task execution.
            WrongExecutionState: It has not failed and was not cancelled, or one above it
                succeeded or is paused.
        """
        return await self._transport.unary(
            executions.rerun(
                self._scope,
                self.id,
                task_execution_id=task,
                reset=reset,
                env=env,
                input=input,
                reason=reason,
            )
        )

    async def rollback(self, *, to_task: str = "", reason: str = "") -> models.Execution:
        """Undoes what the tasks have done, in the reverse of the order in which it has happened.

        Args:
            to_task: Id of the task execution to go back to: it stays done, and the execution is
                paused there; empty = everything is undone.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            TaskExecutionNotFound: There is no such task execution.
            WrongExecutionState: It is a sub-workflow, or the task has not ended or was rolled
                back.
        """
        return await self._transport.unary(
            executions.rollback(self._scope, self.id, to_task_execution_id=to_task, reason=reason)
        )

    async def delete(
        self, *, force: bool = False, allow_missing: bool = False, reason: str = ""
    ) -> None:
        """Deletes the finished execution with its tasks, actions, sub-workflows and history.

        Args:
            force: Deletes it in any state; one that is not finished is terminated first.
            allow_missing: Succeeds if there is no such execution.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ExecutionNotFound: There is no such execution.
            WrongExecutionState: It is not finished.
        """
        await self._transport.unary(
            executions.delete(
                self._scope, self.id, force=force, allow_missing=allow_missing, reason=reason
            )
        )

    def history(
        self,
        *,
        after_sequence: int = 0,
        before_sequence: int = 0,
        event_types: Sequence[str] = (),
        task_execution_id: str = "",
        descending: bool = False,
        include_payloads: bool = False,
        page_size: int = 0,
    ) -> AsyncGenerator[models.HistoryEvent, None]:
        """Yields the events so far, fetching pages as needed; `events` also waits for new ones.

        Args:
            after_sequence: Only events after this one.
            before_sequence: Only events before this one; 0 = to the last.
            event_types: Only events of these types, such as "task_state_changed"; empty = all.
            task_execution_id: Only events of this task execution; empty = all.
            descending: Newest first.
            include_payloads: Carries inputs, outputs and results in the events.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.

        Raises:
            ExecutionNotFound: There is no such execution.
        """
        return pages.items(
            self._transport,
            executions.history(
                self._scope,
                self.id,
                after_sequence=after_sequence,
                before_sequence=before_sequence,
                event_types=event_types,
                task_execution_id=task_execution_id,
                descending=descending,
                include_payloads=include_payloads,
                page_size=page_size,
            ),
        )

    async def explain(
        self, *, task_execution_id: str = "", max_depth: int = 0, max_causes: int = 0
    ) -> models.Explanation:
        """Says why it is not finished: what each of its tasks waits for.

        Args:
            task_execution_id: The only task to explain; empty = all.
            max_depth: Levels of sub-workflows to follow, up to 10; 0 = 5.
            max_causes: At most this many causes, up to 1000; 0 = 100.

        Raises:
            ExecutionNotFound: There is no such execution.
            TaskExecutionNotFound: The execution has no such task execution.
        """
        return await self._transport.unary(
            insight.explain(
                self._scope,
                self.id,
                task_execution_id=task_execution_id,
                max_depth=max_depth,
                max_causes=max_causes,
            )
        )

    async def graph(
        self,
        *,
        max_depth: int = 0,
        max_nodes: int = 0,
        errors_only: bool = False,
        statistics_only: bool = False,
    ) -> models.ExecutionGraph:
        """Returns its tree: tasks, the edges between them, actions and sub-workflows, with counts.

        Args:
            max_depth: Levels of executions, 1 = only this one, up to 10; 0 = 3.
            max_nodes: At most this many executions, tasks and actions, up to 10000; 0 = 1000.
            errors_only: Leaves out tasks that are not in ERROR.
            statistics_only: Leaves out the tree.

        Raises:
            ExecutionNotFound: There is no such execution.
        """
        return await self._transport.unary(
            insight.graph(
                self._scope,
                self.id,
                max_depth=max_depth,
                max_nodes=max_nodes,
                errors_only=errors_only,
                statistics_only=statistics_only,
            )
        )

    def tasks(
        self,
        *,
        filter: str = "",
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.TaskExecution, None]:
        """Yields the task executions, in order of their creation.

        Args:
            filter: Over task_name, state, type; empty = all.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return; BASIC leaves results out.

        Raises:
            ExecutionNotFound: There is no such execution.
            InvalidFilter: The filter does not parse, or names an unknown field.
        """
        return pages.items(
            self._transport,
            tasks.list_tasks(self._scope, self.id, filter=filter, page_size=page_size, view=view),
        )

    def actions(
        self, *, page_size: int = 0, view: models.View = models.View.BASIC
    ) -> AsyncGenerator[models.ActionExecution, None]:
        """Yields the action executions of all tasks, in order of their creation.

        Args:
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return; BASIC leaves inputs and outputs out.

        Raises:
            ExecutionNotFound: There is no such execution.
        """
        return pages.items(
            self._transport,
            tasks.list_actions(self._scope, execution_id=self.id, page_size=page_size, view=view),
        )

    async def _follow(self, watch: Watch) -> AsyncGenerator[models.HistoryEvent, None]:
        """Keeps a watch connected until it has ended."""
        while not watch.ended:
            async with self._transport.stream(executions.WATCH, watch.request()) as stream:
                while watch.connected:
                    try:
                        message = await stream.read(watch.read_timeout)
                    except RpcError as error:
                        watch.lost(error)
                        break
                    if message is None:
                        watch.lost(None)
                        break
                    for event in watch.receive(message):
                        yield event
            if not watch.ended:
                await self._transport.sleep(watch.delay())

    async def _wait_by_calls(
        self, deadline: Deadline, *, drained: bool = False
    ) -> models.Execution:
        """Waits without a watch, by asking again and again."""
        while True:
            seconds = deadline.cap(executions.WAIT_MAX)
            execution, finished = await self._transport.unary(
                executions.wait(self._scope, self.id, seconds=seconds, drained=drained)
            )
            if finished:
                return execution
            deadline.check()
