"""The pages of the site: none is missing, no link is dead, and what they say of the code holds."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import residua
from residua.reproduce.markdown import slug

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix(): path.read_text() for path in DOCS.rglob("*.md")}
LINKS = [
    (page, target)
    for page, text in PAGES.items()
    for target in re.findall(r"\]\((?!http)([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))
]


def anchors(text):
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose, flags=re.MULTILINE)}


def test_every_link_leads_somewhere():
    assert len(LINKS) > 60
    for page, target in LINKS:
        path, _, anchor = target.partition("#")
        file = (DOCS / page).parent / path if path else DOCS / page
        assert file.exists(), (page, target)
        if anchor:
            assert anchor in anchors(file.read_text()), (page, target)


def test_every_page_has_its_place():
    listed = set()
    for page, text in PAGES.items():
        for tree in re.findall(r"```{toctree}\n(.*?)```", text, flags=re.DOTALL):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {f"{name}.md" for name in names}
        assert text.startswith("# "), page
    assert listed == PAGES.keys() - {"index.md"}


def test_every_public_name_is_described_once():
    text = "".join(text for page, text in PAGES.items() if page.startswith("api/"))
    described = re.findall(r"^\.\. auto(?:class|function|exception):: residua\.(\w+)$", text, re.M)
    assert sorted(described) == sorted(residua.__all__)
    summed_up = re.findall(r"^   residua\.(\w+)$", text, flags=re.MULTILINE)
    assert sorted(summed_up) == sorted(residua.__all__)


def test_the_python_of_the_guide_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["guide.md"], flags=re.DOTALL)
    exec(compile(code, "guide.md", "exec"), {})
    assert "torch.Size([2, 10])" in capsys.readouterr().out


def test_the_python_about_weights_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["weights.md"], flags=re.DOTALL)
    exec(compile(code, "weights.md", "exec"), {})
    assert capsys.readouterr().out.startswith("residua None torch.Size([1, 10])")


def differences():
    rows = [line for line in PAGES["differences.md"].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [row for row in cells if row[0] != "what" and not set(row[0]) <= set("- ")]


def test_every_difference_has_an_effect_or_is_unmeasured():
    assert len(differences()) >= 50
    for what, theirs, here, effect in differences():
        assert what
        assert theirs
        assert here
        assert "unmeasured" in effect or "](" in effect or effect.startswith("none"), what


def test_every_deviation_that_the_code_names_is_on_the_page():
    said = " ".join(row[0] for row in differences())
    source = ROOT / "src" / "residua"
    differing = [
        path.relative_to(source).with_suffix("").as_posix()
        for path in source.rglob("*.py")
        if re.search(r"^\s*Differs:", path.read_text(), flags=re.MULTILINE)
    ]
    assert len(differing) >= 10
    missing = [name for name in differing if f"`{name}`" not in said]
    assert not missing
    for name in re.findall(r"`([a-z_]+(?:/[a-z_]+)+)`", said):
        assert (source / f"{name}.py").is_file(), name


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    if importlib.util.find_spec("furo") is None or importlib.util.find_spec("myst_parser") is None:
        pytest.skip(reason="the site needs the extra docs: pip install '.[docs]'")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--quiet", "--builder", "html"]
    done = subprocess.run(
        [*command, "--doctree-dir", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "results" / "he2015.html").is_file()
