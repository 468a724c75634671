"""Every public name is importable, documented and annotated; `import residua` costs nothing."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import residua

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(residua.__path__, "residua.")
    if not module.name.endswith("__main__")
]


def own(module):
    for name, value in vars(module).items():
        public = not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        if public and (inspect.isclass(value) or inspect.isfunction(value)):
            yield name, value


NAMES = [pytest.param(value, id=f"{m.__name__}.{name}") for m in MODULES for name, value in own(m)]


def test_all_public_names_are_importable():
    for name in residua.__all__:
        assert getattr(residua, name).__doc__
    assert set(dir(residua)) == set(residua.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'resnett'"):
        residua.resnett  # noqa: B018


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_module_says_what_it_is(module):
    assert inspect.getdoc(module)


@pytest.mark.parametrize("value", NAMES)
def test_every_public_name_is_documented(value):
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        for name, member in vars(value).items():
            if inspect.isfunction(member) and not name.startswith("_") and name != "forward":
                assert inspect.getdoc(member), f"{value.__qualname__}.{name}"


@pytest.mark.parametrize("value", [v for v in NAMES if inspect.isfunction(v.values[0])])
def test_every_public_function_is_annotated(value):
    signature = inspect.signature(value)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty


def loaded_by(statement):
    """List the modules that a fresh interpreter has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_importing_the_package_loads_no_torch():
    assert not {"torch", "numpy", "pydantic"} & loaded_by("import residua")


def test_help_loads_no_torch():
    loaded = loaded_by("from residua.cli.dispatch import main; main(['--help'])")
    assert not {"torch", "numpy", "pydantic", "tyro", "rich"} & loaded


def test_a_network_loads_no_torchvision_and_no_plotting():
    loaded = loaded_by("from residua.nets.cifar import resnet; resnet(8)")
    assert not {"torchvision", "matplotlib", "jinja2", "sklearn", "rich"} & loaded
