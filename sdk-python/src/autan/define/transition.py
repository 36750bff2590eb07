"""What follows a task: the next tasks, the commands of the engine, and what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Union

from autan.errors import DefinitionError

COMMANDS = frozenset({"noop", "succeed", "fail", "pause"})


@dataclass(frozen=True)
class Go:
    """Goes on with a task.

    Attributes:
        task: Its name.
        when: Condition, such as `<% $.total > 100 %>`; None = always.
    """

    task: str
    when: str | None = None

    def render(self) -> object:
        """Returns the data of the document."""
        return _conditional(self.task, self.when)


@dataclass(frozen=True)
class _Command:
    """Ends or pauses the execution.

    Attributes:
        message: Becomes the execution's state_info; may hold expressions, but no double quotes
            outside of them.
        when: Condition; None = always.
    """

    message: str | None = None
    when: str | None = None

    def render(self) -> object:
        """Returns the data of the document."""
        name = type(self).__name__.lower()
        if self.message is None:
            return _conditional(name, self.when)
        quote = "'" if '"' in self.message else '"'
        if quote in self.message:
            raise DefinitionError(
                f"the message of {name} cannot have both kinds of quotes: {self.message!r}"
            )
        # `fail(msg=…)` without a space is two things at once to the language; this form is one.
        return _conditional(f"{name} msg={quote}{self.message}{quote}", self.when)


class Fail(_Command):
    """Ends the execution in ERROR."""


class Succeed(_Command):
    """Ends the execution in SUCCESS."""


class Pause(_Command):
    """Pauses the execution; what comes after in the same list runs when it is resumed."""


Next = Union[str, Go, Fail, Succeed, Pause]
"""A task name, or one of the classes of this module."""


@dataclass(frozen=True, kw_only=True)
class On:
    """What follows a task, with variables published on the way.

    Attributes:
        next: What to go on with.
        publish: Variables for the tasks that follow.
        publish_global: Variables for the whole execution.
    """

    next: Next | Sequence[Next] = ()
    publish: Mapping[str, object] | None = None
    publish_global: Mapping[str, object] | None = None


Clause = Union[Next, Sequence[Next], On]
"""What `on_success` and its like take."""


def render(clause: Clause) -> object | None:
    """Returns the data of an on-… clause; None if nothing follows."""
    if not isinstance(clause, On):
        return _list(clause) or None
    publish = {
        scope: dict(names)
        for scope, names in (("branch", clause.publish), ("global", clause.publish_global))
        if names
    }
    following = _list(clause.next)
    found: dict[str, object] = {}
    if publish:
        found["publish"] = publish
    if following:
        found["next"] = following
    return found or None


def targets(clause: Clause) -> list[str]:
    """Returns the names of the tasks that a clause leads to, commands left out."""
    steps = _steps(clause.next if isinstance(clause, On) else clause)
    names = [s if isinstance(s, str) else s.task for s in steps if isinstance(s, (str, Go))]
    return [name for name in names if name.split(" ", 1)[0].split("(", 1)[0] not in COMMANDS]


def _steps(steps: Next | Sequence[Next]) -> Sequence[Next]:
    found = [steps] if isinstance(steps, (str, Go, _Command)) else steps
    for step in [found] if isinstance(found, Mapping) else found:
        # The document has {task: condition} here, which would lose its condition if it were taken
        # for a list of names.
        if not isinstance(step, (str, Go, _Command)):
            raise DefinitionError(f"what follows a task is a name, Go, Fail, …, not {step!r}")
    return found


def _list(steps: Next | Sequence[Next]) -> list[object]:
    return [step if isinstance(step, str) else step.render() for step in _steps(steps)]


def _conditional(target: str, when: str | None) -> object:
    if when is None:
        return target
    if not _is_expression(when):
        raise DefinitionError(f"a condition is one expression, <% … %> or {{{{ … }}}}: {when!r}")
    return {target: when}


def _is_expression(text: str) -> bool:
    """Whether a text is one expression from end to end."""
    text = text.strip()
    return (text.startswith("<%") and text.endswith("%>")) or (
        text.startswith("{{") and text.endswith("}}")
    )
