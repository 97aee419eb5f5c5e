#!/usr/bin/env python3
"""jtel-chatctl in one file; `jtel-chatctl` without arguments explains itself. Its modules, and the texts that it writes, follow."""

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

MODULES = {}
TEXTS = {}


class FromMemory(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports `jtel_chat` from MODULES: only what a call needs is compiled."""

    def find_spec(self, name: str, *_: Any) -> Any:
        """The import system's question (importlib.abc.MetaPathFinder)."""
        known = name == "jtel_chat" or (name.startswith("jtel_chat.") and name[10:] in MODULES)
        return importlib.machinery.ModuleSpec(name, self, is_package=self.is_package(name)) if known else None

    def get_source(self, name: str) -> str:
        """A module's text; tracebacks show its lines by it."""
        return MODULES[name[10:] or "__init__"]

    def is_package(self, name: str) -> bool:
        """Only the package itself is one."""
        return name == "jtel_chat"

    def exec_module(self, module: ModuleType) -> None:
        """Compile and run a module's text."""
        name = module.__name__
        if self.is_package(name):
            module.__dict__["TEXTS"] = TEXTS
        exec(compile(self.get_source(name), f"jtel-chatctl:{name}", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 – our own text


sys.meta_path.insert(0, FromMemory())

if __name__ == "__main__":
    from jtel_chat.__main__ import main

    sys.exit(main(sys.argv[1:]))
