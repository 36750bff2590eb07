"""Workflows put together in code; what they render to is read back with another parser."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from autan.define import (
    AdHocAction,
    Fail,
    Go,
    Input,
    On,
    Pause,
    Retry,
    Rollback,
    Succeed,
    Task,
    TaskDefaults,
    Workbook,
    Workflow,
    _yaml,
    document,
)
from autan.errors import DefinitionError

EVERYTHING = Workflow(
    "ship",
    description="Ships an order.\nIn two lines.\n",
    tags=["orders"],
    input=["order_id", Input("express", default=False), Input("note", default=None)],
    vars={"limit": 10},
    output={"tracking": "<% $.tracking %>"},
    output_on_error={"why": "{{ _.why }}"},
    rollback_on=["error", "cancel"],
    catch_expression_errors=True,
    task_defaults=TaskDefaults(on_error="give_up", retry=Retry(count=2)),
    tasks=[
        Task(
            "charge",
            action="std.http",
            input={"url": "http://pay/<% $.order_id %>", "headers": {"X-Id": "1"}, "body": []},
            publish={"paid": "<% task().result.ok %>"},
            retry=Retry(count=3, delay=2, break_on="<% $.stop %>"),
            timeout=30,
            wait_before="<% $.limit %>",
            rollback=Rollback(
                action="std.http",
                input={"url": "http://pay/<% $.order_id %>", "method": "DELETE"},
                retry=Retry(count=5, delay=1),
                timeout=60,
            ),
            on_success=[Go("pack", when="<% $.paid %>"), Fail("not paid: <% $.order_id %>")],
        ),
        Task(
            "pack",
            workflow="packing",
            with_items="item in <% $.items %>",
            concurrency=2,
            join="all",
            keep_result=False,
            on_success=On(
                next=["send", Pause(when="{{ _.express }}")],
                publish={"boxes": "<% task().result %>"},
                publish_global={"count": 1},
            ),
        ),
        Task("send", on_complete=[Succeed(), "noop"]),
        Task("give_up"),
    ],
)

RENDERED = """\
version: "2.0"
ship:
  description: |
    Ships an order.
    In two lines.
  tags:
    - orders
  input:
    - order_id
    - express: false
    - note: null
  vars:
    limit: 10
  output:
    tracking: <% $.tracking %>
  output-on-error:
    why: "{{ _.why }}"
  rollback-on:
    - error
    - cancel
  catch-expression-errors: true
  task-defaults:
    retry:
      count: 2
      delay: 0
    on-error:
      - give_up
  tasks:
    charge:
      action: std.http
      input:
        url: http://pay/<% $.order_id %>
        headers:
          X-Id: "1"
        body: []
      wait-before: <% $.limit %>
      timeout: 30
      retry:
        count: 3
        delay: 2
        break-on: <% $.stop %>
      publish:
        paid: <% task().result.ok %>
      rollback:
        action: std.http
        input:
          url: http://pay/<% $.order_id %>
          method: DELETE
        timeout: 60
        retry:
          count: 5
          delay: 1
      on-success:
        - pack: <% $.paid %>
        - 'fail msg="not paid: <% $.order_id %>"'
    pack:
      workflow: packing
      with-items: item in <% $.items %>
      concurrency: 2
      join: all
      keep-result: false
      on-success:
        publish:
          branch:
            boxes: <% task().result %>
          global:
            count: 1
        next:
          - send
          - pause: "{{ _.express }}"
    send:
      on-complete:
        - succeed
        - noop
    give_up:
      action: std.noop
"""


def test_rendering() -> None:
    assert EVERYTHING.to_yaml() == RENDERED


def test_rendering_is_yaml() -> None:
    found = yaml.safe_load(RENDERED)
    assert found["version"] == "2.0"
    assert found["ship"]["description"] == EVERYTHING.description
    assert found["ship"]["tasks"] == {t.name: t.render() for t in EVERYTHING.tasks}


def test_document_with_several_and_reverse() -> None:
    reverse = Workflow(
        "make",
        type="reverse",
        tasks=[Task("a"), Task("b", requires="a"), Task("c", requires=["a"])],
    )
    found = yaml.safe_load(document(reverse, Workflow("other", tasks=[Task("t")])))
    assert list(found) == ["version", "make", "other"]
    assert found["make"]["type"] == "reverse"
    assert found["make"]["tasks"]["b"] == {"requires": "a"}


def test_workbook() -> None:
    book = Workbook(
        "tools",
        description="Things",
        actions=[
            AdHocAction(
                "greet",
                base="std.echo",
                base_input={"output": "Hi <% $.name %>"},
                input=[Input("name", default="you")],
                output="<% $ %>",
            )
        ],
        workflows=[Workflow("w", tasks=[Task("t", action="greet name='me'")])],
    )
    assert yaml.safe_load(book.to_yaml()) == {
        "version": "2.0",
        "name": "tools",
        "description": "Things",
        "actions": {
            "greet": {
                "input": [{"name": "you"}],
                "base": "std.echo",
                "base-input": {"output": "Hi <% $.name %>"},
                "output": "<% $ %>",
            }
        },
        "workflows": {"w": {"tasks": {"t": {"action": "greet name='me'"}}}},
    }


def one(**task: Any) -> Workflow:
    return Workflow("w", tasks=[Task("t", **task)])


ERRORS: dict[str, tuple[Callable[[], object], str]] = {
    "no tasks": (lambda: Workflow("w"), "has no tasks"),
    "no name": (lambda: Workflow("", tasks=[Task("t")]), "must not be empty"),
    "space": (lambda: Workflow("a b", tasks=[Task("t")]), "have spaces"),
    "twice": (lambda: Workflow("w", tasks=[Task("t"), Task("t")]), "task 't' is there twice"),
    "input twice": (
        lambda: Workflow("w", input=["a", Input("a", default=1)], tasks=[Task("t")]),
        "input 'a' is there twice",
    ),
    "type": (lambda: Workflow("w", type="loop", tasks=[Task("t")]), "'direct' or 'reverse'"),
    "both": (lambda: one(action="a", workflow="b"), "an action and a workflow"),
    "join": (lambda: one(join="some"), "join is"),
    "leads nowhere": (lambda: one(on_success="x"), "task 't' leads to 'x', which is no task"),
    "leads nowhere, if": (lambda: one(on_error=On(next=Go("x", when="<% a %>"))), "leads to 'x'"),
    "bare condition": (lambda: one(on_success={"t": "<% a %>"}), "not {'t': '<% a %>'}"),
    "condition in a list": (lambda: one(on_success=[{"t": "<% a %>"}]), "a name, Go, Fail"),
    "requires nothing": (lambda: one(requires=["x"]), "leads to 'x'"),
    "condition": (lambda: one(on_success=[Go("t", when="true")]).to_yaml(), "one expression"),
    "quotes": (lambda: one(on_error=Fail("\"'")).to_yaml(), "both kinds of quotes"),
    "value": (lambda: one(input={"a": [object()]}).to_yaml(), r"a\[0\]: object has no place"),
    "nan": (lambda: one(input={"a": float("nan")}).to_yaml(), "nan has no place"),
    "key": (lambda: one(input={1: 2}).to_yaml(), "keys must be strings, not 1"),
    "big": (lambda: one(input={"a": 2**64}).to_yaml(), "64 bits"),
    "empty document": (document, "needs a workflow"),
    "workbook": (lambda: Workbook(""), "needs a name"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    make, text = ERRORS[name]
    with pytest.raises(DefinitionError, match=text):
        make()


# Separated by bars.
TRICKY_LINES = """yes|No|on|off|y|n|true|NULL|~|null|none|1|-1|+1|1.5|1e3|0x1f|0o17|017|1_000|.5
.inf|nan|12:30:45|2026-01-02|=|<<|-|- a|?|? a|:|a: b|a:|a :b|a #b|a#b|#a|&a|*a
!a|%a|@a|`a|{a}|[a]|,a|>a|'a'|"a"|a, b|a]b|http://x:1/y|<% $.a %>|{{ _.a }}
<% dict(a => "b").a %>|it's|back\\slash|"q" and 'q'| a|a |$x|é|a\tb|\t
a\u00a0b|\x00|\x7f|\x85|\u2028|\ufeff|😀|a\u00adb|---|...|--- a|/regex/|(a)|_"""
TRICKY = TRICKY_LINES.replace("\n", "|").split("|")
TRICKY += ["", " ", "\n", "a\n", "a\nb", "a\nb\n", "a\nb\n\n", "\na", " a\nb", "a \nb", "a\n\nb"]
TRICKY += ["a\r\nb", "a\n\tb\n", "a\nb: c\n# d", "%a\nb", "a\x00\nb", "  \na", "---\na", "...\na"]


@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_tricky_strings(text: str) -> None:
    for value in ({"k": text}, {"k": [text, {"j": text}, [text]]}, {"k": {text: text}}):
        written = _yaml.dump(value)
        assert yaml.safe_load(written) == value, written


NUMBERS = [0, -1, 2**64 - 1, -(2**63), 0.5, -1.5, 1e20, 1e-7, 1.5e300, 5e-324, 1e16, True, None]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers(number: object) -> None:
    found = yaml.safe_load(_yaml.dump({"n": number}))["n"]
    assert (found, type(found)) == (number, type(number))


def test_random_trees() -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    alphabet = "ab01 -:#'\"\\\n\t{}[],&*!|>%@`?<$.~=é\u2028\x00"

    def text() -> str:
        return "".join(rng.choices(alphabet, k=rng.randrange(8)))

    def tree(depth: int) -> object:
        kind = rng.randrange(4 if depth else 2)
        if kind == 0:
            return text()
        if kind == 1:
            return rng.choice([None, True, rng.randrange(-9, 99), rng.random() * 1e9])
        if kind == 2:
            return [tree(depth - 1) for _ in range(rng.randrange(4))]
        return {text(): tree(depth - 1) for _ in range(rng.randrange(4))}

    for _ in range(500):
        value = {"root": tree(4)}
        written = _yaml.dump(value)
        assert yaml.safe_load(written) == value, f"seed {seed}:\n{written}"
