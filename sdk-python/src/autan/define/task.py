"""Tasks, and the policies that they run under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from autan.define import transition
from autan.errors import DefinitionError


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Runs a task again.

    Attributes:
        count: Further attempts after the first one, or an expression.
        delay: Seconds between attempts, or an expression.
        break_on: Expression; no more attempts once it is true.
        continue_on: Expression; further attempts only while it is true, also after success.
    """

    count: int | str
    delay: int | str = 0
    break_on: str | None = None
    continue_on: str | None = None

    def render(self) -> dict[str, object]:
        """Returns the data of the document."""
        return _present(self)


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """What undoes a task when its execution is rolled back: an action or a workflow.

    Its expressions see what the task saw and published; `task()` is the task.

    Attributes:
        action: Name of the action that it runs, with inline parameters if wanted.
        workflow: Name of the workflow that it runs, instead of an action.
        input: Input by name, or an expression that gives such a mapping.
        retry: Runs it again.
        timeout: Seconds after which it fails, or an expression.
        start_to_close: Seconds that an attempt of a worker may take, or an expression.
        schedule_to_start: Seconds that it may wait for a worker, or an expression.
        heartbeat: Seconds that its worker may say nothing of it, or an expression.
        target: Group of workers that its action runs on.
        action_version: Version of its action that the worker must provide.
        affinity_key: What tasks have in common that are best run by the same worker.

    Raises:
        DefinitionError: It has neither an action nor a workflow, or both.
    """

    action: str | None = None
    workflow: str | None = None
    input: Mapping[str, object] | str | None = None
    retry: Retry | None = None
    timeout: int | str | None = None
    start_to_close: int | str | None = None
    schedule_to_start: int | str | None = None
    heartbeat: int | str | None = None
    target: str | None = None
    action_version: str | None = None
    affinity_key: str | None = None

    def __post_init__(self) -> None:
        if (self.action is None) == (self.workflow is None):
            raise DefinitionError("a rollback has an action or a workflow")

    def render(self) -> dict[str, object]:
        """Returns the data of the document."""
        return _present(self)


@dataclass(frozen=True, kw_only=True)
class _Common:
    """What a task and the defaults of tasks have in common.

    Attributes:
        on_success: What follows SUCCESS.
        on_error: What follows ERROR, which is then handled.
        on_complete: What follows both.
        on_skip: What follows SKIPPED, if not the same as SUCCESS.
        retry: Runs it again.
        wait_before: Seconds before it, or an expression.
        wait_after: Seconds after it, or an expression.
        timeout: Seconds after which it fails, or an expression.
        start_to_close: Seconds that an attempt of a worker may take, or an expression.
        schedule_to_start: Seconds that it may wait for a worker, or an expression.
        heartbeat: Seconds that its worker may say nothing of it, or an expression.
        pause_before: Pauses the execution before it.
        concurrency: Items of with_items at a time; 0 = all.
        fail_on: Expression; a success for which it is true counts as an error.
        safe_rerun: Whether its action may run again if its worker was lost.
        requires: Tasks that must succeed before it; reverse workflows only.
    """

    on_success: transition.Clause = ()
    on_error: transition.Clause = ()
    on_complete: transition.Clause = ()
    on_skip: transition.Clause = ()
    retry: Retry | None = None
    wait_before: int | str | None = None
    wait_after: int | str | None = None
    timeout: int | str | None = None
    start_to_close: int | str | None = None
    schedule_to_start: int | str | None = None
    heartbeat: int | str | None = None
    pause_before: bool | str | None = None
    concurrency: int | str | None = None
    fail_on: bool | str | None = None
    safe_rerun: bool | str | None = None
    requires: str | Sequence[str] = ()

    def clauses(self) -> list[transition.Clause]:
        """Returns all on-… clauses."""
        return [self.on_success, self.on_error, self.on_complete, self.on_skip]

    def render(self) -> dict[str, object]:
        """Returns the data of the document."""
        return _present(self)


@dataclass(frozen=True, kw_only=True)
class TaskDefaults(_Common):
    """What holds for every task that does not say otherwise; see `Task` for the attributes."""


@dataclass(frozen=True)
class Task(_Common):
    """One step of a workflow. Without an action and a workflow it does nothing (`std.noop`).

    Values may be expressions everywhere: `<% … %>` or `{{ … }}`. See also `TaskDefaults`.

    Attributes:
        name: Unique in the workflow.
        action: Name of the action that it runs, with inline parameters if wanted.
        workflow: Name of the workflow that it runs, instead of an action.
        input: Input by name, or an expression that gives such a mapping.
        publish: Variables for the tasks after it, by name, after SUCCESS.
        publish_on_error: The same after ERROR.
        publish_on_skip: The same after SKIPPED.
        with_items: Runs it for each item: "i in <% $.list %>", or several of them in step.
        join: Waits for all, one or a number of the tasks that lead to it.
        keep_result: Whether its result is kept after it was published.
        target: Group of workers that its action runs on.
        action_version: Version of its action that the worker must provide.
        affinity_key: What tasks have in common that are best run by the same worker.
        rollback: What undoes it when the execution is rolled back.
        description: Free text.
        tags: Free words.
    """

    name: str
    action: str | None = field(default=None, kw_only=True)
    workflow: str | None = field(default=None, kw_only=True)
    input: Mapping[str, object] | str | None = field(default=None, kw_only=True)
    publish: Mapping[str, object] | None = field(default=None, kw_only=True)
    publish_on_error: Mapping[str, object] | None = field(default=None, kw_only=True)
    publish_on_skip: Mapping[str, object] | None = field(default=None, kw_only=True)
    with_items: str | Sequence[str] | None = field(default=None, kw_only=True)
    join: str | int | None = field(default=None, kw_only=True)
    keep_result: bool | str | None = field(default=None, kw_only=True)
    target: str | None = field(default=None, kw_only=True)
    action_version: str | None = field(default=None, kw_only=True)
    affinity_key: str | None = field(default=None, kw_only=True)
    rollback: Rollback | None = field(default=None, kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            raise DefinitionError("a task needs a name")
        if self.action is not None and self.workflow is not None:
            raise DefinitionError(f"task {self.name!r} has an action and a workflow")
        if isinstance(self.join, str) and self.join not in ("all", "one"):
            raise DefinitionError(
                f"task {self.name!r}: join is 'all', 'one' or a number, not {self.join!r}"
            )

    def render(self) -> dict[str, object]:
        """Returns the data of the document, without the name."""
        # A task must have a key.
        return _present(self) or {"action": "std.noop"}


# In the order in which people expect to read them.
_ORDER = (
    "description tags action workflow target with_items concurrency join requires input "
    "pause_before wait_before timeout start_to_close schedule_to_start heartbeat retry fail_on "
    "keep_result safe_rerun publish publish_on_error publish_on_skip rollback wait_after "
    "on_success on_error on_complete on_skip "
    "count delay break_on continue_on"
).split()


def _present(owner: Any) -> dict[str, object]:
    """Returns what is set, under the names of the language."""
    own = {f.name for f in fields(owner)} - {"name"}
    found: dict[str, object] = {}
    for name in (n for n in _ORDER if n in own):
        value = getattr(owner, name)
        if name.startswith("on_"):
            value = transition.render(value)
        elif isinstance(value, (Retry, Rollback)):
            value = value.render()
        elif isinstance(value, Mapping):
            value = dict(value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            value = list(value)
        if value is not None and value not in ([], {}):
            found[name.replace("_", "-")] = value
    return found
