"""Values to and from `autan.v1.Payload`. What is sent is always the JSON form."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autan._proto.v1 import payloads_pb2 as pb
from autan.errors import PayloadError
from autan.models.payload import Binary, PayloadRef

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Value

    from autan._core.call import Scope
    from autan.converter import Converter

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**64 - 1
DEPTH_MAX = 128
_EXACT_IN_DOUBLE = 2**53


def encode(value: object, converter: Converter, name: str) -> pb.Payload:
    """Encodes any value. `name` is what errors call it, such as "input".

    Raises:
        PayloadError: The value cannot be JSON.
    """
    if isinstance(value, Binary):
        binary = pb.Binary(content_type=value.content_type, data=value.data)
        return pb.Payload(binary=binary, metadata=value.metadata)
    plain = _plain(value, converter, name, 0)
    return pb.Payload(json=json.dumps(plain, ensure_ascii=False, separators=(",", ":")))


def encode_object(value: object, converter: Converter, name: str) -> pb.Payload:
    """Encodes a value that must be a JSON object, such as an input.

    Raises:
        PayloadError: The value cannot be JSON, or is not an object.
    """
    if isinstance(value, Binary):
        raise PayloadError(f"{name}: must be a JSON object, not bytes")
    plain = _plain(value, converter, name, 0)
    if not isinstance(plain, dict):
        raise PayloadError(f"{name}: must be a JSON object, not {type(value).__name__}")
    return pb.Payload(json=json.dumps(plain, ensure_ascii=False, separators=(",", ":")))


def set_environment(
    request: Any, scope: Scope, name: str, variables: Mapping[str, object] | None
) -> None:
    """Tells a start which environment to take: a stored one, or these variables.

    Raises:
        ValueError: Both are given.
        PayloadError: The variables cannot be JSON.
    """
    if name and variables is not None:
        raise ValueError("either environment (the name of a stored one) or env (variables)")
    if name:
        request.environment_name = name
    if variables is not None:
        payload = encode_object(variables, scope.converter, "env")
        request.environment_variables.CopyFrom(payload)


def decode(payload: pb.Payload) -> Any:
    """Decodes a payload; an absent one is None.

    Raises:
        PayloadError: The server sent something that is not JSON.
    """
    kind = payload.WhichOneof("encoding")
    if kind == "json":
        try:
            return json.loads(payload.json, object_hook=_binary)
        except (ValueError, RecursionError) as error:
            raise PayloadError(f"the server sent a payload that is not JSON: {error}") from error
    if kind == "value":
        return _from_value(payload.value)
    if kind == "binary":
        found = payload.binary
        return Binary(found.data, found.content_type, dict(payload.metadata))
    if kind == "ref":
        ref = payload.ref
        return PayloadRef(ref.uri, ref.sha256, ref.size_bytes, ref.content_type)
    return None


def _plain(value: object, converter: Converter, path: str, depth: int) -> object:
    """Checks and copies a value into what `json.dumps` writes without surprises.

    The server would refuse what is refused here as well; here the error says where it is.
    """
    if depth > DEPTH_MAX:
        raise PayloadError(f"nested deeper than {DEPTH_MAX}, or contains itself: {path[:80]}…")
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return _text(value, path)
    if kind is int:
        return _integer(value, path)
    if kind is float:
        return _double(value, path)
    if isinstance(value, Mapping):
        return _mapping(value, converter, path, depth)
    if isinstance(value, (list, tuple)):
        return [_plain(v, converter, f"{path}[{i}]", depth + 1) for i, v in enumerate(value)]
    if isinstance(value, Binary):
        return _form(value)
    try:
        converted = converter.to_json(value)
    except PayloadError as error:
        raise PayloadError(f"{path}: {error.message}") from error
    if converted is value:
        raise PayloadError(f"{path}: {kind.__name__} cannot be sent as JSON")
    return _plain(converted, converter, path, depth + 1)


def _form(binary: Binary) -> dict[str, object]:
    """The object that stands for bytes within JSON."""
    fields: dict[str, object] = {
        "contentType": binary.content_type,
        "base64": base64.b64encode(binary.data).decode(),
    }
    if binary.metadata:
        fields["metadata"] = dict(binary.metadata)
    return {"$binary": fields}


def _binary(found: dict[str, Any]) -> Any:
    """The bytes that an object stands for, if it is of exactly that form."""
    fields = found.get("$binary")
    if len(found) != 1 or not isinstance(fields, dict):
        return found
    text = fields.get("base64")
    if not isinstance(text, str) or not fields.keys() <= {"base64", "contentType", "metadata"}:
        return found
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return found
    return Binary(data, fields.get("contentType", ""), fields.get("metadata", {}))


def _mapping(
    value: Mapping[Any, object], converter: Converter, path: str, depth: int
) -> dict[str, object]:
    plain: dict[str, object] = {}
    for key, each in value.items():
        # Python's json would turn 1 and True into "1" and "true", which may then be there twice.
        if not isinstance(key, str):
            raise PayloadError(f"{path}: keys must be strings, not {key!r}")
        plain[_text(key, path)] = _plain(each, converter, f"{path}.{key}", depth + 1)
    return plain


def _text(value: Any, path: str) -> str:
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PayloadError(f"{path}: a string with a lone surrogate is not Unicode") from None
    return text


def _integer(value: Any, path: str) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise PayloadError(f"{path}: {value} needs more than 64 bits; send it as a string")
    return int(value)


def _double(value: Any, path: str) -> float:
    if not math.isfinite(value):
        raise PayloadError(f"{path}: JSON has no {value}")
    return float(value)


def _from_value(value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {key: _from_value(each) for key, each in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_from_value(each) for each in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        # This form has doubles only; whole ones were integers before.
        whole = number.is_integer() and abs(number) <= _EXACT_IN_DOUBLE
        return int(number) if whole else number
    return {"string_value": value.string_value, "bool_value": value.bool_value}.get(kind or "")
