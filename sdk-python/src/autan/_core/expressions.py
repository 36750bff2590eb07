"""Trying an expression out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan._core.call import Call, Scope, method
from autan._core.payload import decode, encode, encode_object
from autan._proto.v1 import workflows_pb2 as pb
from autan.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autan import models

_EVALUATE = method("WorkflowService", pb.EvaluateExpressionResponse)


def evaluate(
    scope: Scope,
    expression: str,
    context: object,
    *,
    env: Mapping[str, object] | None,
    language: models.ExpressionLanguage,
) -> Call[Any]:
    """EvaluateExpression."""
    request = pb.EvaluateExpressionRequest(
        project=scope.project, expression=expression, language=language.wire_name
    )
    if context is not None:
        request.context.CopyFrom(encode(context, scope.converter, "context"))
    if env is not None:
        request.env.CopyFrom(encode_object(env, scope.converter, "env"))
    return Call(_EVALUATE, request, _value)


def _value(response: Any) -> Any:
    if response.WhichOneof("result") != "error":
        return decode(response.value)
    error = response.error
    raise ExpressionError(
        error.message,
        syntax=error.syntax,
        offset=error.offset,
        length=error.length,
        line=error.line,
        column=error.column,
        excerpt=error.excerpt,
    )
