"""The page that `campro COMMAND --help` prints: options in groups, each with its values and default, and an example.

A command's module may have `GROUPS`, a mapping of headings to names of fields, and `EXAMPLE`, a command line. The text
of an option is the docstring below its field.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from itertools import pairwise
from pathlib import Path
from shutil import get_terminal_size
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import tyro

from campro.cli.choices import CHOICES

INDENT, MAX_WIDTH = 26, 110
CONFIG_HELP = "read options from a YAML file; the command line overrides them"
QUIET_HELP = "no progress on stderr; results and errors only"
Groups = Mapping[str, Sequence[str]]


def help_page(command: str, config: type, groups: Groups | None = None, example: str = "") -> str:
    """The help of a command.

    Args:
        command: name of the command.
        config: dataclass of its options.
        groups: heading -> names of fields; fields that are in none come first, as "options".
        example: a command line.
    """
    texts, kinds = field_texts(config), get_type_hints(config, include_extras=True)
    entries = {field.name: _entry(field, kinds[field.name], texts.get(field.name, "")) for field in fields(config)}
    positional = [field.name for field in fields(config) if _is_positional(kinds[field.name])]
    named = dict(groups or {})
    grouped = {name for names in named.values() for name in names}
    rest = [name for name in entries if name not in grouped and name not in positional]
    words = "".join(f" {entries[name][0]}" for name in positional)
    parts = [f"usage: campro {command}{words} [OPTIONS]", inspect.getdoc(config) or ""]
    blocks = [("arguments", positional), ("options", rest), *named.items()]
    parts += ["\n".join([heading, *(_lines(*entries[name]) for name in names)]) for heading, names in blocks if names]
    common = [("--config FILE", CONFIG_HELP), ("--quiet, -q", QUIET_HELP), ("--help, -h", "show this page")]
    parts.append("\n".join(["common options", *(_lines(*one) for one in common)]))
    if example:
        parts.append(f"example\n{textwrap.indent(example, '  ')}")
    return "\n\n".join(parts)


def field_texts(config: type) -> dict[str, str]:
    """Field name -> docstring below the field, of a dataclass and its bases."""
    texts: dict[str, str] = {}
    for kind in reversed(config.__mro__[:-1]):
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for statement, following in pairwise(body):
            match statement, following:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = " ".join(text.split())
    return texts


def _entry(field: Field[Any], kind: Any, text: str) -> tuple[str, str]:
    """How an option is written, and what it means."""
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    plain = get_args(kind)[0] if marks else kind
    metavar = next((mark.metavar for mark in marks if getattr(mark, "metavar", None)), None) or _values(plain)
    if _is_positional(kind):
        return metavar if metavar.isupper() else f"{field.name.upper()} {metavar}", text + _default(field, plain)
    if (names := CHOICES.get(field.name)) and names[-1] not in text:
        text = f"{text} One of: {', '.join(names)}."
    option = "--" + field.name.replace("_", "-")
    aliases = [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]
    if plain is bool:
        option = f"--no-{option[2:]}" if field.default is True else option
        return option, text
    return ", ".join((option, *aliases)) + f" {metavar}", text + _default(field, plain)


def _values(kind: Any) -> str:
    """What is written behind an option: PATH, NUMBER, TEXT, the values to choose from; "..." for several."""
    origin, inner = get_origin(kind), [one for one in get_args(kind) if one is not NoneType]
    if origin is Literal:
        return "{" + ",".join(map(str, inner)) + "}"
    if origin is tuple:
        return f"{_values(inner[0])} ..."
    if inner:
        return _values(inner[0])
    return {Path: "PATH", int: "NUMBER", float: "NUMBER"}.get(kind, "TEXT")


def _default(field: Field[Any], kind: Any) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return " (required)"
    value = field.default
    if value in (None, (), "", MISSING):
        return ""
    shown = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f" (default: {shown})"


def _is_positional(kind: Any) -> bool:
    return any(mark is tyro.conf.Positional for mark in get_args(kind)[1:]) if get_origin(kind) is Annotated else False


def _lines(option: str, text: str) -> str:
    """An option and its text beside it, or below it where the option is long."""
    width = max(60, min(get_terminal_size().columns, MAX_WIDTH)) - INDENT
    lines = textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]
    head = f"  {option}"
    if len(head) <= INDENT - 2:
        head = head.ljust(INDENT) + lines.pop(0)
    return "\n".join([head.rstrip(), *(" " * INDENT + line for line in lines)])
