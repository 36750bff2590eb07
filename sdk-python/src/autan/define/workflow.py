"""Workflows, workbooks and ad-hoc actions as documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autan.define import _yaml, transition
from autan.define.task import Task, TaskDefaults
from autan.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VERSION = "2.0"


class _Required:
    """The default of an input that has none; None is a default like any other."""

    def __repr__(self) -> str:
        return "REQUIRED"


_REQUIRED = _Required()


@dataclass(frozen=True)
class Input:
    """A declared input.

    Attributes:
        name: Its name.
        default: Value when the caller gives none; left out = the caller must give one. Expressions
            in it are not evaluated.
    """

    name: str
    default: Any = _REQUIRED

    def render(self) -> object:
        """Returns the data of the document."""
        return self.name if self.default is _REQUIRED else {self.name: self.default}


@dataclass(frozen=True)
class Workflow:
    """A workflow: `client.workflows.create(Workflow(…))`.

    Attributes:
        name: Its name, without spaces.
        input: Declared inputs: names, or `Input`s with defaults.
        output: Output by name, usually expressions, evaluated at the end.
        output_on_error: The same for an end in ERROR.
        vars: Variables set at the start.
        rollback_on: The ends at which it rolls back by itself: "error", "cancel".
        catch_expression_errors: Makes wrong expressions, names and parameters errors of their
            tasks, to which `on_error` applies. Without it they end the execution.
        tasks: The tasks; those that nothing leads to run first.
        task_defaults: What holds for every task.
        type: "direct" (transitions) or "reverse" (`Task.requires`).
        description: Free text.
        tags: Free words.

    Raises:
        DefinitionError: Names are missing or doubled, or lead to tasks that do not exist.
    """

    name: str
    input: Sequence[str | Input] = field(default=(), kw_only=True)
    output: Mapping[str, object] | None = field(default=None, kw_only=True)
    output_on_error: Mapping[str, object] | None = field(default=None, kw_only=True)
    vars: Mapping[str, object] | None = field(default=None, kw_only=True)
    rollback_on: str | Sequence[str] = field(default=(), kw_only=True)
    catch_expression_errors: bool = field(default=False, kw_only=True)
    tasks: Sequence[Task] = field(default=(), kw_only=True)
    task_defaults: TaskDefaults | None = field(default=None, kw_only=True)
    type: str = field(default="direct", kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        where = f"workflow {self.name!r}"
        if not self.name or any(c.isspace() for c in self.name):
            raise DefinitionError(
                f"the name of a workflow must not be empty or have spaces: {where}"
            )
        if self.type not in ("direct", "reverse"):
            raise DefinitionError(f"{where}: type is 'direct' or 'reverse', not {self.type!r}")
        for end in self._rollback_on():
            if end not in ("error", "cancel"):
                raise DefinitionError(
                    f"{where}: rollback_on holds 'error' and 'cancel', not {end!r}"
                )
        if not self.tasks:
            raise DefinitionError(f"{where} has no tasks")
        names = _unique((t.name for t in self.tasks), f"{where}: task")
        _unique((i if isinstance(i, str) else i.name for i in self.input), f"{where}: input")
        owners: list[Task | TaskDefaults] = [*self.tasks]
        owners += [self.task_defaults] if self.task_defaults else []
        for owner in owners:
            label = f"task {owner.name!r}" if isinstance(owner, Task) else "task_defaults"
            required = [owner.requires] if isinstance(owner.requires, str) else owner.requires
            led = [t for clause in owner.clauses() for t in transition.targets(clause)]
            for target in [*led, *required]:
                if target not in names:
                    raise DefinitionError(f"{where}: {label} leads to {target!r}, which is no task")

    def _rollback_on(self) -> list[str]:
        return [self.rollback_on] if isinstance(self.rollback_on, str) else list(self.rollback_on)

    def render(self) -> dict[str, object]:
        """Returns the data of the document, without name and version."""
        parts: dict[str, object | None] = {
            "description": self.description,
            "tags": list(self.tags),
            "type": None if self.type == "direct" else self.type,
            "input": [i if isinstance(i, str) else i.render() for i in self.input],
            "vars": self.vars,
            "output": self.output,
            "output-on-error": self.output_on_error,
            "rollback-on": self._rollback_on(),
            "catch-expression-errors": self.catch_expression_errors,
            "task-defaults": self.task_defaults.render() if self.task_defaults else None,
            "tasks": {task.name: task.render() for task in self.tasks},
        }
        return {key: value for key, value in parts.items() if value}

    def to_yaml(self) -> str:
        """Returns the document.

        Raises:
            DefinitionError: A value has no place in a document.
        """
        return document(self)


@dataclass(frozen=True)
class AdHocAction:
    """An action made of another one, for a `Workbook`.

    Attributes:
        name: Its name.
        base: Name of the action that it runs.
        base_input: Input of that action, usually expressions over `input`.
        input: Declared inputs: names, or `Input`s with defaults.
        output: What becomes of the result: any value, usually with expressions.
        description: Free text.
        tags: Free words.
    """

    name: str
    base: str = field(kw_only=True)
    base_input: Mapping[str, object] | None = field(default=None, kw_only=True)
    input: Sequence[str | Input] = field(default=(), kw_only=True)
    output: object = field(default=None, kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)

    def render(self) -> dict[str, object]:
        """Returns the data of the document, without the name."""
        parts: dict[str, object | None] = {
            "description": self.description,
            "tags": list(self.tags),
            "input": [i if isinstance(i, str) else i.render() for i in self.input],
            "base": self.base,
            "base-input": self.base_input,
        }
        found: dict[str, object] = {key: value for key, value in parts.items() if value}
        if self.output is not None:
            found["output"] = self.output
        return found


@dataclass(frozen=True)
class Workbook:
    """A bundle of workflows and ad-hoc actions: `client.workbooks.create(Workbook(…))`.

    Attributes:
        name: Its name; the members are called `name.member`.
        workflows: Its workflows, which may name members without the prefix.
        actions: Its ad-hoc actions.
        description: Free text.
        tags: Free words.

    Raises:
        DefinitionError: Names are missing or doubled.
    """

    name: str
    workflows: Sequence[Workflow] = field(default=(), kw_only=True)
    actions: Sequence[AdHocAction] = field(default=(), kw_only=True)
    description: str | None = field(default=None, kw_only=True)
    tags: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            raise DefinitionError("a workbook needs a name")
        _unique((w.name for w in self.workflows), f"workbook {self.name!r}: workflow")
        _unique((a.name for a in self.actions), f"workbook {self.name!r}: action")

    def to_yaml(self) -> str:
        """Returns the document.

        Raises:
            DefinitionError: A value has no place in a document.
        """
        parts: dict[str, object | None] = {
            "version": VERSION,
            "name": self.name,
            "description": self.description,
            "tags": list(self.tags),
            "actions": {a.name: a.render() for a in self.actions},
            "workflows": {w.name: w.render() for w in self.workflows},
        }
        return _yaml.dump({key: value for key, value in parts.items() if value})


def document(*workflows: Workflow) -> str:
    """Returns one document with several workflows.

    Raises:
        DefinitionError: There is none, two have the same name, or a value has no place in it.
    """
    if not workflows:
        raise DefinitionError("a document needs a workflow")
    _unique((w.name for w in workflows), "document: workflow")
    return _yaml.dump({"version": VERSION} | {w.name: w.render() for w in workflows})


def _unique(names: Iterable[str], what: str) -> set[str]:
    found: set[str] = set()
    for name in names:
        if name in found:
            raise DefinitionError(f"{what} {name!r} is there twice")
        found.add(name)
    return found
