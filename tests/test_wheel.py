"""The wheel is whole: what it holds, alone on the path, trains and writes a page."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_trains_without_the_repository(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    where = [sys.executable, "-c", "import residua; print(residua.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True, env=environment)
    assert found.stdout.startswith(str(tmp_path / "installed"))
    train = [sys.executable, "-m", "residua", "train", "--smoke"]
    done = subprocess.run(train, check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip().endswith("runs/digits.resnet20/seed0/report.html")
    assert (tmp_path / "runs/digits.resnet20/seed0/report.html").stat().st_size > 10_000
    assert (tmp_path / "installed" / "residua" / "py.typed").exists()
    served = {path.suffix for path in tmp_path.glob("installed/residua/deploy/serve/page/*")}
    assert served >= {".html", ".css", ".js"}
