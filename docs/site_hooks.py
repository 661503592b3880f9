"""MkDocs hook: pages made from the source, and links that leave docs/.

- `cli.md`: every command with its options, from the configuration dataclasses (static analysis, nothing is imported).
- `api/PACKAGE.md`: every public module of a package, rendered by mkdocstrings.
- Links to files outside docs/ (cards, CONTRIBUTING.md, pictures of benchmarks): the file is published with the site.
  A link to a file that does not exist stays as it is, so that the strict build fails.
"""

from __future__ import annotations

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    *("core", "metrics", "isp", "data", "models", "training", "evaluation", "inversion"),
    *("enhance", "cameras", "design", "attacks", "deploy", "audit", "report"),
)
OUTSIDE = "repository"
"""Folder of the site in which files from outside docs/ are published."""
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)((?:#[^)\s]*)?\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List an API page for every package that there is."""
    for entry in config.nav or []:
        if isinstance(entry, dict) and "API" in entry:
            there = [name for name in PACKAGES if (ROOT / "src" / "campro" / name).is_dir()]
            entry["API"] = [{"campro": "api/index.md"}, *({name: f"api/{name}.md"} for name in there)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and the outside files that pages link to."""
    package = griffe.load("campro", search_paths=[str(ROOT / "src")], docstring_parser="google")
    assert isinstance(package, griffe.Module)
    pages = {"cli.md": cli_reference(package)} | api_reference(package)
    pages |= {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
    for uri, text in pages.items():
        source = ROOT / text
        if text.endswith(".md") and "\n" not in text:
            files.append(File.generated(config, uri, content=rewritten(source.read_text("utf-8"), source.parent, uri)))
        else:
            files.append(File.generated(config, uri, content=text))
    for page in list(files.documentation_pages()):
        if page.abs_src_path is not None:
            add_outside(files, config, Path(page.abs_src_path))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that leave docs/ to the published copies."""
    source = page.file.abs_src_path
    if source is None or page.file.src_uri.startswith(OUTSIDE):
        return markdown
    return rewritten(markdown, Path(source).parent, page.file.src_uri)


def rewritten(markdown: str, folder: Path, uri: str) -> str:
    """`markdown`, written for `folder`, with links as seen from the page `uri` of the site."""

    def link(match: re.Match[str]) -> str:
        target = site_uri(folder, match[2])
        if target is None:
            return match[0]
        return match[1] + posixpath.relpath(target, posixpath.dirname(uri) or ".") + match[3]

    return LINK.sub(link, markdown)


def site_uri(folder: Path, target: str) -> str | None:
    """Where a linked file of the repository is on the site; None where it is no such file."""
    if "://" in target or target.startswith(("mailto:", "/")):
        return None
    file = (folder / target).resolve()
    if not file.is_file() or not file.is_relative_to(ROOT):
        return None
    path = file.relative_to(ROOT).as_posix()
    if path in ("CONTRIBUTING.md", "CHANGELOG.md"):
        return path.lower()
    if path == "README.md":
        return "index.md"
    return path.removeprefix("docs/") if path.startswith("docs/") else f"{OUTSIDE}/{path}"


def add_outside(files: Files, config: MkDocsConfig, source: Path) -> None:
    """Publish the files outside docs/ that a page links to, and those that these link to."""
    for match in LINK.finditer(source.read_text("utf-8")):
        uri = site_uri(source.parent, match[2])
        if uri is None or not uri.startswith(OUTSIDE) or files.get_file_from_path(uri):
            continue
        file = (source.parent / match[2]).resolve()
        if file.suffix == ".md":
            text = rewritten(file.read_text("utf-8"), file.parent, uri)
            files.append(File.generated(config, uri, content=text))
            add_outside(files, config, file)
        else:
            files.append(File.generated(config, uri, abs_src_path=str(file)))


def api_reference(package: griffe.Module) -> dict[str, str]:
    """A page for each package with its public modules."""
    top = "# campro\n\nThe names that `import campro` offers; each is imported on first use.\n\n"
    names = ast.literal_eval(str(package["__all__"].value))
    rows = [f"| `campro.{name}` | [`{home}`][{home}] |" for name in names if (home := origin(package, name))]
    pages = {"api/index.md": top + "| name | defined as |\n|---|---|\n" + "\n".join(rows) + "\n"}
    for name in PACKAGES:
        if name not in package.modules:
            continue
        blocks = [f"# campro.{name}\n", first_line(package[name])]
        blocks += [f"::: {module}\n" for module in public_modules(package[name])]
        pages[f"api/{name}.md"] = "\n".join(blocks)
    return pages


def origin(package: griffe.Module, name: str) -> str:
    """Path of the object behind a re-exported name."""
    found = package[name]
    return str(found.final_target.path) if isinstance(found, griffe.Alias) else str(found.path)


def public_modules(package: griffe.Object | griffe.Alias) -> list[str]:
    """Paths of the modules below a package, without private ones."""
    found = []
    for name, module in sorted(package.modules.items()):
        if name.startswith("_"):
            continue
        found += public_modules(module) if module.is_init_module else [module.path]
    return found


def first_line(found: griffe.Object | griffe.Alias) -> str:
    """The first line of a docstring, or nothing."""
    return found.docstring.value.splitlines()[0] + "\n" if found.docstring else ""


def cli_reference(package: griffe.Module) -> str:
    """Every command with its options as Markdown."""
    main = package["cli.main"]
    commands: dict[str, str] = ast.literal_eval(str(main["COMMANDS"].value))
    lines = [
        "# CLI reference",
        "",
        "Generated from the configuration classes of the commands. `campro COMMAND --help` prints the same.",
        "",
        "| command | task |",
        "|---|---|",
        *(f"| [`campro {name}`](#campro-{name}) | {task} |" for name, task in commands.items()),
        "",
    ]
    for name, task in commands.items():
        lines += command_section(name, task, resolved(package["cli"][name.replace("-", "_")]["Config"]))
    return "\n".join(lines) + "\n"


def resolved(found: Any) -> griffe.Class:
    """The class behind an import."""
    target = found.final_target if isinstance(found, griffe.Alias) else found
    assert isinstance(target, griffe.Class), target
    return target


def command_section(name: str, task: str, config: griffe.Class) -> list[str]:
    """Title, description and the table of options of one command."""
    text = config.docstring.value.strip() if config.docstring else ""
    lines = [f"## campro {name}", "", task[0].upper() + task[1:] + ".", "", text, ""]
    rows = [row for field in fields(config) if (row := option_row(field))]
    if rows:
        lines += ["| option | type | default | meaning |", "|---|---|---|---|", *rows, ""]
    return lines


def fields(config: griffe.Class) -> list[griffe.Attribute]:
    """Annotated fields of a dataclass and its bases, base classes first, in the order of the source."""
    found: dict[str, griffe.Attribute] = {}
    for each in [*reversed(config.mro()), config]:
        for name, member in each.members.items():
            if isinstance(member, griffe.Attribute) and member.annotation is not None:
                found[name] = member
    return list(found.values())


def option_row(field: griffe.Attribute) -> str | None:
    """One row of the table of options."""
    annotation = str(field.annotation)
    if "ClassVar" in annotation:
        return None
    kind = annotation
    if match := re.match(r"Annotated\[(.*?), tyro", annotation, re.S):
        kind = match[1]
    option = "--" + field.name.replace("_", "-")
    if "Positional" in annotation:
        option = field.name.upper()
    if alias := re.search(r"aliases=\[['\"](-\w)['\"]\]", annotation):
        option += f", {alias[1]}"
    value = re.sub(r"^Path\((['\"])(.*)\1\)$", r"\2", str(field.value))
    default = "required" if field.value is None else f"`{value}`"
    text = " ".join(field.docstring.value.split()) if field.docstring else ""
    cells = (f"`{option}`", f"`{kind}`", default, text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
