"""A detector trained by two processes on the processor, started by torchrun as a user would."""

import csv
import os
import re
import subprocess
import sys

import pytest

from residua import events

SCRIPT = """
import hashlib, sys
from residua import conduct, execute
from residua.data.objectbatches import ResizeConfig
from residua.data.scenes import ScenesConfig
from residua.detect.anchors import AnchorsConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.detection_experiment import DetectionExperiment
from residua.nets.imagenet import ImagenetConfig
from residua.train.schedule import StepsConfig
from residua.train.sequence import SequenceConfig

whole = conduct.Conduct._finish


def finish(self):
    content = hashlib.sha256()
    for value in self.session.net.state_dict().values():
        content.update(value.numpy().tobytes())
    print("weights", self.session.experiment.training, content.hexdigest())
    return whole(self)


conduct.Conduct._finish = finish
common = dict(
    net=FasterRcnnConfig(
        trunk=ImagenetConfig(depth=18, widen=0.0625),
        num_classes=10,
        anchors=AnchorsConfig(sizes=(24, 48), ratios=(1.0, 1.5)),
        rpn=RpnConfig(train_pre=64, train_post=24, test_pre=48, test_post=12, per_picture=32),
        roi=RoiConfig(pool="align", pool_size=4, per_picture=12, background=(0.0, 0.5)),
        freeze=0,
    ),
    data=ScenesConfig(train=6, validation=2, test=3, height=64, width=80, sides=(16, 40)),
    resize=ResizeConfig(short=64, long=80),
    batch_size=2,
    precision="float32",
)
step = StepsConfig(lr=0.01, at=(), until=2)
for experiment in (
    DetectionExperiment(name="joint", schedule=StepsConfig(lr=0.01, at=(), until=3), **common),
    DetectionExperiment(
        name="steps",
        schedule=SequenceConfig(parts=(step,) * 4),
        training="alternating",
        step_batches=(2, 4, 2, 4),
        **common,
    ),
):
    result = execute.run(experiment, root=sys.argv[1], name="run", page=False)
    assert result.test_count == 3
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs gloo")
def test_two_processes_come_to_the_same_weights_in_every_way_to_train(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(script), str(tmp_path / "runs")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for training in ("joint", "alternating"):
        one, two = re.findall(rf"weights {training} (\w+)", done.stdout)
        assert one == two
    record = events.read(tmp_path / "runs/steps/run")
    assert events.first(record, "start")["environment"]["processes"] == 2
    with (tmp_path / "runs/steps/run/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["train_rpn_class"]) > 0
    assert float(rows[-1]["train_roi_class"]) > 0
