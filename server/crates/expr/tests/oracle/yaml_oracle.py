# ruff: noqa: INP001
"""The real PyYAML: as Mistral loads definitions, as its `yaml_parse` reads, `yaml_dump` writes."""

from typing import Any

import serve
import yaml

yaml.SafeDumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


def construct_date(self: Any, node: Any) -> str:
    """A date stays the text that it was, if there is such a date."""
    self.construct_yaml_timestamp(node)
    return str(node.value)


class Loader(yaml.SafeLoader):
    """The loader of definitions and of `yaml_parse`.

    Anchors and aliases are text, and `@` may begin one.
    """

    def fetch_alias(self) -> Any:
        """Takes `*` for text."""
        return self.fetch_plain()

    def fetch_anchor(self) -> Any:
        """Takes `&` for text."""
        return self.fetch_plain()

    def check_plain(self) -> bool:
        """Takes `@` for text."""
        return bool(self.peek() == "@" or super().check_plain())


Loader.add_constructor("tag:yaml.org,2002:timestamp", construct_date)


def evaluate(verb: str, data: Any) -> Any:
    """The answer to a verb: `load` or `parse` a text, `dump` a value."""
    if verb == "dump":
        return yaml.safe_dump(data, default_flow_style=False)
    return yaml.load(data, Loader)  # noqa: S506


if __name__ == "__main__":
    serve.serve(evaluate)
