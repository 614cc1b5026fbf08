"""What the documentation's site is made of besides the pages in docs/ (a hook of MkDocs).

The reference is made from the code when the site is built: the command line, its JSON documents,
the Python API, recipes, environment variables.  Files of the repository that a page links to become
part of the site.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import fer_mobile
from fer_mobile.cli import EXIT_CODES, app
from fer_mobile.cli.commands import Command, Group, help_record, panel_of
from fer_mobile.cli.documents import json_documents, json_schema
from fer_mobile.doctor import VARIABLES
from fer_mobile.training.recipe import Recipe

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"

Entry = tuple[str, Command]
"""A command's words, and the command."""

_LINK: Final = re.compile(r"(?<=\]\()(?P<path>(?:\.\./)+[^)#\s]+)(?P<anchor>#[^)]*)?(?=\))")
_ANY_LINK: Final = re.compile(r"\]\((?P<path>[^)#:\s]+)(?:#[^)]*)?\)")
_CODE: Final = re.compile(r"`[^`\n]+`")
_SITE_OF_FILES: Final = "repository"


def all_commands(group: Group | None = None, words: str = "fer-mobile") -> Iterator[Entry]:
    """Every command that does something, by its words."""
    root: Any = group or typer.main.get_command(app)
    for name, each in root.commands.items():
        if isinstance(each, Group):
            yield from all_commands(each, f"{words} {name}")
        else:
            yield f"{words} {name}", each


def command_line() -> str:
    """The page of all commands, with their arguments, options and examples."""
    lines = ["# Command line", ""]
    for words, command in all_commands():
        lines += [f"## {words}", "", command.help or "", ""]
        lines += ["```sh", *command.examples, "```", ""]
        context = typer.main.get_command(app).make_context("fer-mobile", ["demo"])
        headings: dict[str, list[str]] = {}
        for parameter in command.params:
            record = help_record(parameter, context)
            if record:
                term, text = (_cell(" ".join(part.split())) for part in record)
                headings.setdefault(panel_of(parameter), []).append(f"| `{term}` | {text} |")
        for heading, rows in headings.items():
            lines += [f"| {heading.lower()} | |", "|---|---|", *rows, ""]
    return "\n".join(lines) + "\n"


def json_page() -> str:
    """The page of JSON schemas."""
    lines = [
        "# JSON documents",
        "",
        "What the commands print with `--json`, as JSON schemas (draft 2020-12). Keys are only",
        "ever added: pass over those that you do not know.",
        "",
    ]
    for words in json_documents():
        schema = json.dumps(json_schema(words), indent=1, ensure_ascii=False)
        lines += [f"## fer-mobile {words} --json", "", "```json", schema, "```", ""]
    return "\n".join(lines)


def python_page() -> str:
    """The page of public names, for mkdocstrings to fill in."""
    modules: dict[str, str] = fer_mobile._MODULE
    lines = ["# Python", "", "Everything here is imported from `fer_mobile` itself.", ""]
    functions = [name for name in modules if name.islower()]
    errors = [name for name in modules if name.endswith("Error")]
    classes = [name for name in modules if name not in {*functions, *errors}]
    for heading, names in (("Functions", functions), ("Classes", classes), ("Errors", errors)):
        lines += [f"## {heading}", ""]
        lines += [f"::: fer_mobile.{modules[name]}.{name}" for name in names]
        lines += [""]
    return "\n\n".join(lines)


def recipes_page() -> str:
    """The page of a recipe's keys: type, default and meaning of each."""
    lines = ["# Recipes", "", "A recipe is a TOML file; [training](../training.md) shows one.", ""]
    lines += ["## At the top", "", *_keys({"name": Recipe.model_fields["name"]}), ""]
    for name, field in Recipe.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += [f"## [{name}]", "", *(section.__doc__ or "").splitlines(), ""]
            lines += [*_keys(section.model_fields), ""]
    return "\n".join(lines)


def _keys(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        default = (
            "required"
            if field.is_required()
            else f"`{field.get_default(call_default_factory=True)!r}`"
        )
        cells = (f"`{name}`", f"`{type_name(field.annotation)}`", default, field.description or "")
        yield f"| {' | '.join(map(_cell, cells))} |"


def type_name(kind: Any) -> str:
    """A type as the writer of a recipe knows it: `list of str`, `"a" | "b"`, `int | None`."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_name(parts[0])
    if origin is Literal:
        return " | ".join(f'"{part}"' for part in parts)
    if origin in (Union, UnionType):
        return " | ".join(map(type_name, parts))
    if origin is tuple:
        return f"list of {type_name(parts[0])}"
    if origin is dict:
        return "table"
    return "None" if kind is NoneType else str(kind.__name__)


def _cell(text: str) -> str:
    """A text as a cell of a table, where a bar would end it."""
    return text.replace("|", "\\|")


def environment_page() -> str:
    """The page of environment variables and exit codes."""
    return "\n".join(
        [
            "# Environment variables and exit codes",
            "",
            "| variable | what it is for |",
            "|---|---|",
            *(f"| `{name}` | {text} |" for name, text in VARIABLES.items()),
            "",
            "| exit code | meaning |",
            "|---|---|",
            *(f"| {code} | {text} |" for code, text in EXIT_CODES.items()),
            "",
        ]
    )


PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/command-line.md": command_line,
    "reference/json.md": json_page,
    "reference/python.md": python_page,
    "reference/recipes.md": recipes_page,
    "reference/environment.md": environment_page,
}
"""The pages that are made from the code."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code, and what the pages link to elsewhere."""
    for name, make in PAGES.items():
        files.append(File.generated(config, name, content=make()))
    for path in sorted(_linked_files()):
        added = File.generated(config, f"{_SITE_OF_FILES}/{path}", abs_src_path=str(ROOT / path))
        added.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(added)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links across the border of docs/ lead to where their files are in the site.

    And let a bar in code be one: forges want it escaped in tables, MkDocs would show the backslash.
    """
    place = PurePosixPath(page.file.src_uri)
    in_docs = place.parts[0] != _SITE_OF_FILES
    source = DOCS / place if in_docs else ROOT / place.relative_to(_SITE_OF_FILES)

    def lead(link: re.Match[str]) -> str:
        target = (source.parent / link["path"]).resolve()
        if target.is_relative_to(DOCS):
            there = str(target.relative_to(DOCS))
        else:
            there = f"{_SITE_OF_FILES}/{target.relative_to(ROOT)}"
        return os.path.relpath(there, place.parent) + (link["anchor"] or "")

    return _CODE.sub(lambda code: code[0].replace("\\|", "|"), _LINK.sub(lead, markdown))


def _linked_files() -> set[str]:
    """Files of the repository that pages link to, and those that these link to, from its root."""
    waiting = list(DOCS.glob("*.md"))
    found: set[str] = set()
    while waiting:
        page = waiting.pop()
        for link in _ANY_LINK.finditer(page.read_text(encoding="utf-8")):
            target = (page.parent / link["path"]).resolve()
            if not target.is_relative_to(ROOT) or target.is_relative_to(DOCS):
                continue
            name = str(target.relative_to(ROOT))
            if target.is_file() and name not in found:
                found.add(name)
                if target.suffix == ".md":
                    waiting.append(target)
    return found
