"""Named entries that plugins add to: architectures, preprocessing steps."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Final, Generic, TypeVar

from fer_mobile.errors import InputError, choose

PLUGINS_VARIABLE: Final = "FER_MOBILE_PLUGINS"
"""Environment variable: modules to import as plugins, separated by commas."""

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Entries by name, in the order in which they were registered.

    A plugin is a module that registers entries when it is imported.  Plugins are imported at the
    first look-up: those named here by their module paths, then those of the environment variable
    `FER_MOBILE_PLUGINS`.  So a low module can hold a registry that higher ones fill.
    """

    def __init__(self, kind: str, *plugins: str, error: type[InputError] = InputError) -> None:
        """An empty registry; `kind` names its entries in messages, `error` is what it raises."""
        self.kind = kind
        self._plugins = plugins
        self._error = error
        self._entries: dict[str, T] = {}
        self._complete = False
        self._lock = RLock()

    def register(self, name: str, entry: T) -> T:
        """Add an entry and return it; `error` where another one has the name."""
        if self._entries.setdefault(name, entry) != entry:
            raise self._error(
                f"{self.kind} {name!r}",
                expected="a name of its own",
                found="another one that is registered under it",
            )
        return entry

    def find(self, name: str) -> T:
        """The entry called `name`; `error` with the nearest known name otherwise."""
        return choose(self.kind, name, self, self._error)

    def __getitem__(self, name: str) -> T:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, T]:
        """The entries, once all plugins are imported (a plugin may look entries up itself)."""
        with self._lock:
            if not self._complete:
                self._complete = True
                try:
                    for plugin in (*self._plugins, *_named_plugins()):
                        self._import(plugin)
                except BaseException:
                    self._complete = False
                    raise
        return self._entries

    def _import(self, plugin: str) -> None:
        try:
            importlib.import_module(plugin)
        except ImportError as error:
            raise self._error(
                f"plugin {plugin!r}",
                expected="a module that can be imported",
                found=str(error),
                hint=f"See {PLUGINS_VARIABLE}.",
            ) from error


def _named_plugins() -> list[str]:
    names = os.environ.get(PLUGINS_VARIABLE, "").split(",")
    return [name.strip() for name in names if name.strip()]
