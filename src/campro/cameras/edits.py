"""Edits of single values in JSON and YAML text that keep every other byte. JSON is parsed as YAML."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property, lru_cache

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from campro.core.errors import CamproError

SAME = 5e-7
"""Largest difference of numbers that count as equal."""
LARGEST = 8 << 20
"""Largest text in characters; tuning files have some ten thousand, IQ files up to 3 million."""
OFF = ("false", "0", "0.0")
"""Values of a switch that is off."""


@lru_cache(maxsize=4)
def _composed(text: str) -> Node | None:
    """The parsed nodes of a text; nodes are never changed, so that a file of megabytes is parsed once."""
    node: Node | None = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return node


class Document:
    """A parsed text, and the list of edits.

    Args:
        text: JSON or YAML whose root is a mapping, without YAML aliases.
        who: Name of the file in error messages.

    Raises:
        CamproError: If the text is too large or no such document. An alias (`*name`) is refused: the parsers of
            libcamera ("Invalid YAML file") and of rkaiq (JSON) have none, and one value would be edited for two users.
    """

    def __init__(self, text: str, who: str) -> None:
        self.text, self.who = text, who
        self._changes: list[tuple[int, int, str]] = []
        if len(text) > LARGEST:
            raise self.refuse(f"at most {LARGEST} characters", str(len(text)))
        try:
            root = _composed(text)
            aliased = "*" in text and _has_alias(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise self.refuse("JSON or YAML", " ".join(str(error).split())[:160]) from error
        if aliased:
            raise self.refuse("no YAML alias (*name)", "one", "write its value in its place: cameras know no aliases")
        self.root = self.mapping(root, "the document")

    def refuse(self, wanted: str, got: str, remedy: str = "") -> CamproError:
        """Make an error that names this file."""
        return CamproError(self.who, wanted, got, remedy)

    # Reading -------------------------------------------------------------------------------------------------

    def mapping(self, node: Node | None, name: str) -> MappingNode:
        """Check that a node is a mapping without repeated keys, and return it.

        Raises:
            CamproError: If it is not.
        """
        if not isinstance(node, MappingNode):
            raise self.refuse(f"{name} with names and values", "nothing" if node is None else node.tag.split(":")[-1])
        keys = [key.value for key, _ in node.value if isinstance(key, ScalarNode)]
        if len(set(keys)) != len(node.value):
            raise self.refuse(f"each name once in {name}", f"{len(node.value)} entries, {len(set(keys))} names")
        return node

    def sequence(self, node: Node | None, name: str) -> list[Node]:
        """Items of a list.

        Raises:
            CamproError: If the node is no list.
        """
        if not isinstance(node, SequenceNode):
            raise self.refuse(f"a list for {name}", "nothing" if node is None else node.tag.split(":")[-1])
        return node.value

    @staticmethod
    def get(node: MappingNode, name: str) -> Node | None:
        """Value of a key, or None."""
        return next((value for key, value in node.value if key.value == name), None)

    def number(self, node: Node | None, name: str) -> float:
        """Value of a node as a number.

        Raises:
            CamproError: If it is no finite number.
        """
        try:
            value = float(node.value) if isinstance(node, ScalarNode) else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.refuse(f"a number for {name}", repr(getattr(node, "value", None))[:60])
        return value

    def numbers(self, node: Node | None, name: str, count: int | None = None) -> list[float]:
        """Values of a list of numbers.

        Raises:
            CamproError: If it is no list of finite numbers, or its length is not `count`.
        """
        values = [self.number(item, name) for item in self.sequence(node, name)]
        if count is not None and len(values) != count:
            raise self.refuse(f"{count} numbers for {name}", str(len(values)))
        return values

    def objects(self, node: Node) -> list[MappingNode]:
        """All mappings at or below a node, in the order of the file."""
        found, rest = [], [node]
        while rest:
            one = rest.pop()
            if isinstance(one, SequenceNode):
                rest += reversed(one.value)
            elif isinstance(one, MappingNode):
                found.append(self.mapping(one, "an object"))
                rest += [value for _, value in reversed(one.value)]
        return found

    @cached_property
    def all_objects(self) -> list[MappingNode]:
        """All mappings of the file; real IQ files have ten thousands of values."""
        return self.objects(self.root)

    def all_named(self, name: str, below: Node | None = None) -> list[Node]:
        """All values of a key, at any depth at or below a node (default: the root)."""
        objects = self.all_objects if below is None else self.objects(below)
        return [value for node in objects if (value := self.get(node, name)) is not None]

    def switched_off(self, node: MappingNode, name: str) -> bool:
        """Whether a key is there and its value is `false` or 0."""
        value = self.get(node, name)
        return isinstance(value, ScalarNode) and value.value.lower() in OFF

    # Writing -------------------------------------------------------------------------------------------------

    def replace(self, node: Node, text: str) -> None:
        """Replace a value by another text."""
        self._changes.append((node.start_mark.index, node.end_mark.index, text))

    def replace_numbers(self, node: SequenceNode, values: Iterable[float]) -> None:
        """Replace the numbers of a list; spaces, commas and line breaks stay."""
        for item, value in zip(node.value, values, strict=True):
            self.replace(item, rewritten(item.value, value))

    def set(self, node: MappingNode, name: str, text: str) -> None:
        """Set a key to a value; the key is added if it is absent.

        Raises:
            CamproError: If the key would be the first one of the mapping.
        """
        value = self.get(node, name)
        if value is not None:
            self.replace(value, text)
            return
        if not node.value:
            raise self.refuse(f"a value for {name}", "none", f"add {name} to the file")
        first = node.value[0][0].start_mark
        new = f'"{name}": {text}, ' if node.flow_style else f"{name}: {text}\n{' ' * first.column}"
        self._changes.append((first.index, first.index, new))

    def switch_on(self, node: MappingNode, name: str) -> bool:
        """Set a switch that is off to `true`, or to 1 where the file has numbers.

        Returns:
            Whether it was off.
        """
        if not self.switched_off(node, name):
            return False
        value = self.get(node, name)
        assert isinstance(value, ScalarNode)
        self.replace(value, "true" if value.value.lower() == "false" else "1")
        return True

    def switch_off(self, node: MappingNode, name: str) -> bool:
        """Set a switch that is on to `false`, or to 0 where the file has numbers.

        Returns:
            Whether it was on.
        """
        value = self.get(node, name)
        if not isinstance(value, ScalarNode) or value.value.lower() in OFF:
            return False
        self.replace(value, "false" if value.value.lower() == "true" else "0")
        return True

    def insert(self, node: SequenceNode, place: int, text: str) -> None:
        """Insert an item before the one at `place` of a list with one item a line, or behind the last one.

        Raises:
            CamproError: If the list has another layout.
        """
        if place >= len(node.value):
            self.append(node, text)
            return
        start = node.value[place].start_mark.index
        line = self.text.rfind("\n", 0, start) + 1
        if node.flow_style or self.text[line:start].strip() != "-":
            raise self.refuse("a list with one item a line", "another layout")
        self._changes.append((line, line, f"{' ' * node.start_mark.column}- {text}\n"))

    def append(self, node: SequenceNode, text: str) -> None:
        """Append an item to a list with one item a line.

        Raises:
            CamproError: If the list has another layout.
        """
        if node.flow_style or not node.value:
            raise self.refuse("a list with one item a line", "another layout")
        end = self.text.rfind("\n", 0, node.end_mark.index) + 1
        if self.text[end : node.end_mark.index].strip():  # the last line has no end
            end, text = node.end_mark.index, f"\n{' ' * node.start_mark.column}- {text}"
        else:
            text = f"{' ' * node.start_mark.column}- {text}\n"
        self._changes.append((end, end, text))

    def remove(self, node: MappingNode, name: str) -> None:
        """Remove a key and its value from a JSON object, if they are there."""
        place = next((i for i, (key, _) in enumerate(node.value) if key.value == name), None)
        if place is None:
            return
        if len(node.value) == 1:
            span = node.value[0][0].start_mark.index, node.value[0][1].end_mark.index
        elif place + 1 < len(node.value):
            span = node.value[place][0].start_mark.index, node.value[place + 1][0].start_mark.index
        else:
            span = node.value[place - 1][1].end_mark.index, node.value[place][1].end_mark.index
        self._changes.append((*span, ""))

    def changed(self) -> str:
        """The text with all edits."""
        text = self.text
        for start, end, new in sorted(self._changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text


def _has_alias(text: str) -> bool:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader))


def rewritten(old: str, value: float) -> str:
    """A number as text: the old spelling if the value is the same, else up to six decimals.

    >>> rewritten("2.0220", 2.022), rewritten("1", -3.0), rewritten("1.5", 0.1234567)
    ('2.0220', '-3', '0.123457')
    """
    if abs(float(old) - value) < SAME:
        return old
    return f"{value:.6f}".rstrip("0").rstrip(".")
