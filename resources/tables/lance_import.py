"""Importing LanceDB without the classes of remote catalogues, whose import takes half of the time.

LanceDB imports hundreds of pydantic models of a REST API, which tables in a folder never need. While it is imported here,
stand-ins take their place; each makes the real object when it is first called, so LanceDB does all that it does otherwise.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_CATALOGUE = "lance_namespace_urllib3_client"


def import_lancedb() -> Any:
    """Return the module `lancedb`, imported if it was not yet."""
    if "lancedb" in sys.modules or _CATALOGUE in sys.modules:
        return import_module("lancedb")
    stand_ins = _StandIns()
    sys.meta_path.insert(0, stand_ins)
    try:
        return import_module("lancedb")
    finally:
        sys.meta_path.remove(stand_ins)
        for name in [name for name in sys.modules if name.partition(".")[0] == _CATALOGUE]:
            del sys.modules[name]


class _StandIns(MetaPathFinder, Loader):
    """Finds and loads a stand-in for each module of the catalogue."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The specification of a stand-in; None for all other modules."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] == _CATALOGUE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module in which every name is a class that stands for the real one."""
        module = ModuleType(spec.name)
        vars(module)["__getattr__"] = lambda name: _late(spec.name, name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


def _late(module: str, name: str) -> type:
    """A class that stands for one of the catalogue: calling it makes an object of that."""
    if name.startswith("__"):
        raise AttributeError(name)

    def made(_: type, *given: Any, **named: Any) -> Any:
        return getattr(import_module(module), name)(*given, **named)

    return type(name, (), {"__new__": made})
