"""Options of a command from a YAML file (`--config FILE.yaml`).

Keys are the names of the options, with dashes or underscores; those of positional arguments, too (`source`).
Options on the command line override those in the file. Relative paths start at the working folder, as on the command
line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from campro.core.errors import CamproError

OPTION = "--config"
C = TypeVar("C")


def split_config(args: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Separate `--config FILE` from the other arguments; None if it is not there.

    Raises:
        CamproError: If the file name is missing, or the option is given twice.

    >>> split_config(["--seed", "1", "--config=a.yaml"])
    (PosixPath('a.yaml'), ['--seed', '1'])
    """
    rest, files = [], []
    remaining = iter(args)
    for word in remaining:
        if word == OPTION:
            files.append(next(remaining, ""))
        elif word.startswith(f"{OPTION}="):
            files.append(word.removeprefix(f"{OPTION}="))
        else:
            rest.append(word)
    if len(files) > 1 or files == [""]:
        raise CamproError(OPTION, "one file", " ".join(files) or "none")
    return (Path(files[0]) if files else None), rest


def read_options(file: Path, config: type) -> dict[str, Any]:
    """Read the options of a command from a YAML file, each as its field's type.

    Args:
        file: YAML mapping of option names to values; lists for options with several values.
        config: The command's dataclass.

    Returns:
        Field name -> value, for the fields that are in the file.

    Raises:
        CamproError: If the file is not such a mapping, a key is unknown or occurs twice, or a value has another type.
    """
    kinds = get_type_hints(config)
    options: dict[str, Any] = {}
    for key, value in _entries(file):
        name = key.replace("-", "_")
        if name not in kinds:
            known = ", ".join(field.name.replace("_", "-") for field in fields(config))
            raise CamproError(str(file), f"keys of {known}", repr(key))
        if name in options:
            raise CamproError(str(file), f"the key {key} once", "it twice")
        try:
            options[name] = converted(value, kinds[name])
        except ValueError as error:
            raise CamproError(str(file), f"{description(kinds[name])} for {key}", repr(value)) from error
    return options


def with_options(config: type[C], options: dict[str, Any], missing: Any) -> C:
    """Make an instance of a command's dataclass to serve as defaults of the command line.

    Fields that are neither in `options` nor have a default get `missing`. `__post_init__` is not run: it checks the
    final values, after the command line has been parsed.
    """
    instance = object.__new__(config)
    for field in fields(config):  # type: ignore[arg-type]
        default = field.default if field.default is not MISSING else missing
        if field.default_factory is not MISSING:
            default = field.default_factory()
        object.__setattr__(instance, field.name, options.get(field.name, default))
    return instance


def converted(value: Any, kind: Any) -> Any:
    """Convert a YAML value to a field's type.

    Raises:
        ValueError: If the value has another type.

    >>> converted(["a", "b"], tuple[Path, ...]), converted("1e-4", float), converted(None, int | None)
    ((PosixPath('a'), PosixPath('b')), 0.0001, None)
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _first_that_fits(value, inner)
    if origin is Literal and value in inner:
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(converted(item, inner[0]) for item in value)
    if kind is NoneType and value is None:
        return None
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)  # YAML reads 1e-4, without a point, as a text
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind in (bool, int, str) and type(value) is kind:
        return value
    raise ValueError(value)


def description(kind: Any) -> str:
    """Name a field's type in an error message.

    >>> description(tuple[Path, ...]), description(Literal["a", "b"] | None)
    ('a list of path', 'a or b or null')
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(description(one) for one in inner)
    if origin is Literal:
        return " or ".join(map(str, inner))
    if origin is tuple:
        return f"a list of {description(inner[0])}"
    names = {NoneType: "null", str: "text", Path: "path", float: "number", int: "integer", bool: "true or false"}
    return names.get(kind, str(kind))


def _first_that_fits(value: Any, kinds: Sequence[Any]) -> Any:
    for kind in kinds:
        try:
            return converted(value, kind)
        except ValueError:
            continue
    raise ValueError(value)


def _entries(file: Path) -> list[tuple[str, Any]]:
    """Keys and values of the file, in its order; a key that is repeated occurs twice."""
    import yaml

    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise ValueError("another kind of document")
        loader = yaml.SafeLoader("")
        return [(str(key.value), loader.construct_object(value, deep=True)) for key, value in node.value]
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        got = getattr(error, "strerror", None) or " ".join(str(error).split())[:160]
        raise CamproError(str(file), "a YAML file with option names and values", got) from error
