"""What docs/predict.md shows in Python is run."""

import re
from pathlib import Path

from deploy.written import classifier, detector
from pictured import photograph, save

TEXT = (Path(__file__).parents[2] / "docs" / "predict.md").read_text()


def test_the_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "street.jpg", photograph(90, 64, seed=10))
    found = detector(tmp_path / "made", pool="align")
    (tmp_path / "runs/my.detector").mkdir(parents=True)
    found.rename(tmp_path / "runs/my.detector/seed0")
    classifier(tmp_path / "runs")
    naming, finding = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    names = {}
    exec(compile(naming, "predict.md", "exec"), names)
    assert capsys.readouterr().out.strip() in names["classifier"].classes
    assert names["maps_NKhw"].shape[:2] == names["probabilities_NK"].shape
    finding = finding.replace("threshold=0.5", "threshold=0")
    exec(compile(finding, "predict.md", "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) == len(names["found"]) > 0
