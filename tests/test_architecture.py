"""The shape of the package: imports point down, no cycles, files stay one idea long."""

import ast
import itertools
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "residua"

# A module imports only from layers above its own line here, or from its own package.
LAYERS = (
    ("errors",),
    ("extras",),
    ("files", "config", "runtime", "unpickle"),
    ("events", "machine"),
    ("tensorboard",),
    (
        "nn",
        "data.augment",
        "data.images",
        "data.loading",
        "data.normalize",
        "data.order",
        "data.views",
        "data.whiten",
    ),
    ("nets", "data"),
    ("train", "evaluate", "detect", "surgery", "analyze"),
    ("plots",),
    ("report",),
    ("experiment",),
    ("detection_experiment",),
    ("runs",),
    ("agreement", "starting", "outcome"),
    ("starting_detector",),
    ("work",),
    ("classification", "detection"),
    ("session",),
    ("conduct",),
    ("pretraining", "trained_detector"),
    ("execute",),
    ("interruption",),
    ("recipes",),
    ("lab", "reproduce"),
    ("comparison",),
    ("deploy",),
    ("cli",),
)


def modules():
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path


def layer_of(module):
    """Return the index of the layer whose longest prefix names the module."""
    matches = [
        (len(prefix), index)
        for index, layer in enumerate(LAYERS)
        for prefix in layer
        if module == prefix or module.startswith(f"{prefix}.")
    ]
    return max(matches)[1] if matches else None


def imports(path):
    """Yield the modules of ours that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("residua"):
            module = (node.module or "").removeprefix("residua").lstrip(".")
            for alias in node.names:
                inner = f"{module}.{alias.name}".lstrip(".")
                yield inner if is_module(inner) else module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("residua."):
                    yield alias.name.removeprefix("residua.")


def is_module(name):
    path = SOURCE / Path(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


GRAPH = {name: {target for target in imports(path) if target} for name, path in modules()}


@pytest.mark.parametrize("module", [name for name in GRAPH if name not in {"", "__main__"}])
def test_imports_point_down(module):
    own = layer_of(module)
    assert own is not None, f"{module} has no layer: add it to LAYERS"
    package = module.split(".")[0]
    for target in GRAPH[module]:
        same_package = target.split(".")[0] == package and layer_of(target) == own
        assert layer_of(target) < own or same_package, (
            f"{module} imports {target}, which is above it"
        )


def test_there_are_no_cycles():
    def reaches(start, goal, seen):
        for target in GRAPH.get(start, ()):
            if target == goal:
                return True
            if target not in seen:
                seen.add(target)
                if reaches(target, goal, seen):
                    return True
        return False

    assert [name for name in GRAPH if reaches(name, name, set())] == []


def test_a_planted_violation_would_be_found():
    assert layer_of("nn.blocks") < layer_of("nets.cifar") < layer_of("experiment")
    assert layer_of("data.loading") < layer_of("data.sets")


@pytest.mark.parametrize(("name", "path"), list(modules()))
def test_a_file_is_one_idea_long(name, path):
    assert len(path.read_text().splitlines()) <= 400, name


def test_names_that_mean_nothing_are_absent():
    forbidden = {"utils", "helpers", "common", "misc", "base"}
    parts = set(itertools.chain.from_iterable(name.split(".") for name in GRAPH))
    assert not parts & forbidden


def test_importing_a_network_loads_little_of_ours():
    """A network needs fewer than 1,500 lines of ours, counted over all it imports."""
    needed, queue = set(), ["nets.cifar"]
    while queue:
        name = queue.pop()
        if name not in needed:
            needed.add(name)
            queue += [*GRAPH[name], *([name.rsplit(".", 1)[0]] if "." in name else [])]
    paths = dict(modules())
    lines = sum(len(paths[name].read_text().splitlines()) for name in needed | {""})
    assert lines < 1500, f"{lines} lines in {sorted(needed)}"
