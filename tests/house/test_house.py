"""The rules of the repository, held by reading the installed source; see docs/contributing/architecture.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import vsenumba

PACKAGE = Path(vsenumba.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

# Modules that every room may import.
FOR_ALL = ("checks", "errors", "html", "memory", "printable", "progress", "registry")
# Which rooms a room may import, beside these and itself.
MAY_IMPORT = {
    "storage": set(),
    "kernels": set(),
    "data": {"kernels", "storage"},
    "samplers": {"kernels"},
    "losses": {"kernels"},
    "poolings": {"kernels"},
    "objectives": {"kernels"},
    "training": {"data", "kernels", "losses", "objectives", "poolings", "samplers", "storage"},
    "cluster": {"data", "kernels", "losses", "samplers", "storage", "training"},
    "gpu": {"data", "kernels", "losses", "samplers", "training"},
    "evaluation": {"data", "kernels"},
    "pictures": {"data", "storage"},
    "plotting": {"storage", "training"},
    "plot": {"data", "evaluation", "experiments", "models", "plotting", "samplers", "training"},
    "sidecars": {"data", "storage"},
    "sheets": {"data", "pictures", "plotting", "storage"},
    "reports": {
        "data", "evaluation", "experiments", "kernels", "models", "pictures", "plotting", "samplers", "sheets",
        "storage", "training",
    },
    "models": {
        "cluster", "data", "evaluation", "gpu", "kernels", "losses", "objectives", "pictures", "poolings", "samplers",
        "storage", "training",
    },
    "experiments": {
        "cluster", "data", "evaluation", "kernels", "losses", "models", "samplers", "storage", "training",
    },
    "cli": {
        "cluster", "data", "evaluation", "experiments", "kernels", "losses", "models", "pictures", "plotting",
        "reports", "samplers", "sheets", "sidecars", "storage", "training",
    },
}  # fmt: skip

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core"}


def room_of(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else Path(parts[0]).stem


MODULE = re.compile(r"vsenumba(\.[a-z][a-z0-9_]*)+")


def imported_rooms(tree):
    for node in ast.walk(tree):
        modules = []
        # The command line imports by name, when a command is used.
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and MODULE.fullmatch(node.value):
            modules = [node.value]
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
            if node.module == "vsenumba":
                modules = [f"vsenumba.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            if module.startswith("vsenumba."):
                yield module.split(".")[1], node.lineno


@pytest.fixture(scope="module", params=FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def source(request):
    text = request.param.read_text(encoding="utf-8")
    return request.param, text, ast.parse(text)


def test_imports_run_one_way(source):
    path, _, tree = source
    room = room_of(path)
    if room in ("__init__", "__main__", *FOR_ALL):
        return
    allowed = MAY_IMPORT[room] | {room, *FOR_ALL, "__version__"}
    wrong = [f"line {line} imports {other}" for other, line in imported_rooms(tree) if other not in allowed]
    assert wrong == []


def test_files_are_small_and_named_for_what_they_hold(source):
    path, text, _ = source
    assert len(text.splitlines()) <= 600
    assert path.stem not in BANNED_NAMES


def test_every_module_says_what_it_is(source):
    _, _, tree = source
    assert ast.get_docstring(tree)


def test_kernels_are_short_and_never_raise(source):
    _, _, tree = source
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if not any(name.startswith(("kernel", "device_function")) or ".implement(" in name for name in decorators):
            continue
        body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
        assert body[-1].end_lineno - body[0].lineno + 1 < 60, node.name
        for inner in ast.walk(node):
            assert not isinstance(inner, (ast.Raise, ast.Assert, ast.Try)), f"{node.name} line {inner.lineno}"
        for loop in (inner for inner in ast.walk(node) if isinstance(inner, ast.For)):
            if ast.unparse(loop.iter).startswith("prange"):
                assert not any(isinstance(inner, ast.Return) for inner in ast.walk(loop)), node.name


def test_global_state_is_left_alone(source):
    path, _, tree = source
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert not any("numba.config" in ast.unparse(target) for target in targets)
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("np.random.seed", "numpy.random.seed", "random.seed")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            modules = {*names, *(f"{getattr(node, 'module', None)}.{alias.name}" for alias in node.names)}
            assert not {"pickle", "joblib"} & modules
            # pyplot's current axes are what `vse.plot` draws on where none are given.
            assert "matplotlib.pyplot" not in modules or path == PACKAGE / "plot" / "drawing.py"


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_module_imports_itself_by_way_of_others():
    """Found 2026-11: the corpus and its encoder imported each other."""
    modules = {module_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    imports = {}
    for name, tree in modules.items():
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vsenumba"):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (inner & modules.keys()) or {node.module}
        imports[name] = found & modules.keys()
    while leaves := {name for name, used in imports.items() if not used & imports.keys()}:
        imports = {name: used for name, used in imports.items() if name not in leaves}
    assert imports == {}
