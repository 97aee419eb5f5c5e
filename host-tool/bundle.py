#!/usr/bin/python3 -IS
"""jtel-chatctl in one file; `jtel-chatctl` without arguments explains itself.

Its modules, and the texts that it writes, follow.
"""

import importlib.machinery
import sys
from types import ModuleType
from typing import Any

MODULES = {}
TEXTS = {}


class FromMemory:
    """Imports `jtel_chat` from MODULES, and compiles only what a call needs.

    It does not inherit from importlib.abc, whose import would cost every call 20 ms.
    """

    def find_spec(self, name: str, *_: Any) -> Any:
        """Says how to load a module of ours; None for any other (importlib.abc.MetaPathFinder)."""
        path = _path(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=path.endswith("/__init__.py")) if path else None  # type: ignore[arg-type]  # no abc

    def create_module(self, _: Any) -> None:
        """Leaves the module object to Python (importlib.abc.Loader)."""

    def get_source(self, name: str) -> str:
        """Gives a module's text, of which tracebacks show lines."""
        return MODULES[_path(name)]

    def exec_module(self, module: ModuleType) -> None:
        """Compiles and runs a module's text."""
        name = module.__name__
        if name == "jtel_chat":
            module.__dict__["TEXTS"] = TEXTS
        exec(compile(self.get_source(name), f"jtel-chatctl:{name}", "exec", dont_inherit=True), module.__dict__)  # noqa: S102 – our own text


def _path(name: str) -> str:
    """Names the file of a module: `jtel_chat/engine/__init__.py` for `jtel_chat.engine`; empty for other modules."""
    start = name.replace(".", "/")
    return next((path for path in (f"{start}.py", f"{start}/__init__.py") if path in MODULES), "")


if __name__ == "bundle":  # its own installation asks what it holds (kinds/tool.py)
    globals()["offer"]({"modules": MODULES, "texts": TEXTS})
else:
    sys.meta_path.insert(0, FromMemory())  # type: ignore[arg-type]

if __name__ == "__main__":
    from jtel_chat import start

    sys.exit(start.run())
