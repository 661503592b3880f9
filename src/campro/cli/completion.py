"""`campro completion`: shell completion of commands, options and their choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import tyro

EXAMPLE = "campro completion bash"


@dataclass(frozen=True)
class Config:
    """Print a completion script for a shell.

    In ~/.bashrc: eval "$(campro completion bash)". In ~/.zshrc: eval "$(campro completion zsh)".
    For fish: campro completion fish > ~/.config/fish/completions/campro.fish
    """

    shell: Annotated[Literal["bash", "zsh", "fish"], tyro.conf.Positional]
    """Shell that runs the script."""


def run(config: Config) -> None:
    """Print the script."""
    from campro.cli.main import COMMANDS

    options = {name: dict(command_options(import_module(f"campro.cli.{name}").Config)) for name in COMMANDS}
    if config.shell == "fish":
        print(fish_script(COMMANDS, options))
        return
    prefix = "autoload -Uz compinit bashcompinit\ncompinit\nbashcompinit\n" if config.shell == "zsh" else ""
    print(prefix + bash_script(options))


def command_options(config: type) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Options of a command's dataclass with the values to choose from, empty where any value is possible."""
    kinds = get_type_hints(config, include_extras=True)
    for field in fields(config):
        kind = kinds[field.name]
        if get_origin(kind) is Annotated:
            kind, *marks = get_args(kind)
            if any(mark is tyro.conf.Positional for mark in marks):
                continue
        option = field.name.replace("_", "-")
        yield f"--{option}", choices(kind)
        if kind is bool:
            yield f"--no-{option}", ()
    yield from (("--config", ()), ("--quiet", ()), ("--help", ()))


def choices(kind: Any) -> tuple[str, ...]:
    """Values of a Literal type, also inside an optional or a tuple.

    >>> choices(tuple[Literal["a", "b"], ...] | None), choices(str)
    (('a', 'b'), ())
    """
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    return tuple(value for inner in get_args(kind) for value in choices(inner))


Options = dict[str, dict[str, tuple[str, ...]]]
"""Command -> option -> choices."""


def bash_script(options: Options) -> str:
    """The completion script for bash, which zsh runs by bashcompinit; file names where nothing else is possible."""
    commands = "\n".join(f'      {name}) words="{" ".join(own)}" ;;' for name, own in options.items())
    values = "\n".join(
        f'      "{name} {option}") words="{" ".join(some)}" ;;'
        for name, own in options.items()
        for option, some in own.items()
        if some
    )
    return BASH.replace("@NAMES@", " ".join(options)).replace("@COMMANDS@", commands).replace("@VALUES@", values)


def fish_script(commands: dict[str, str], options: Options) -> str:
    """The completion script for fish."""
    lines = [f"complete -c campro -f -n __fish_use_subcommand -a {name} -d '{what}'" for name, what in commands.items()]
    for name, own in options.items():
        for option, some in own.items():
            values = f" -x -a '{' '.join(some)}'" if some else ""
            lines.append(f"complete -c campro -n '__fish_seen_subcommand_from {name}' -l {option[2:]}{values}")
    return "\n".join(lines)


BASH = """_campro() {
  local current="${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="@NAMES@ --help --version"
  else
    case "${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD-1]}" in
@VALUES@
    esac
    if [ -z "$words" ]; then case "$current" in -*) case "${COMP_WORDS[1]}" in
@COMMANDS@
    esac ;; esac; fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _campro campro"""
