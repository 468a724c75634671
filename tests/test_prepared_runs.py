"""A run whose pictures are prepared with arrays keeps them beside its weights."""

import dataclasses

import pytest
import torch

from residua import execute, runs
from residua.data.normalize import ContrastNormalize, Whiten
from residua.errors import ConfigError
from residua.nets import weights
from residua.recipes.digits import resnet20


@pytest.mark.parametrize("kind", [Whiten(), ContrastNormalize()])
def test_a_prepared_run_is_loaded_with_its_preparation(tmp_path, kind):
    experiment = dataclasses.replace(resnet20(), normalize=kind).smoke()
    result = execute.run(experiment, root=tmp_path, page=False)
    trained = runs.load(result.folder)
    splits = experiment.load_data()
    expected = kind.fit(splits.train.images)(splits.test.images)
    torch.testing.assert_close(trained.normalize(splits.test.images), expected)
    wrong = trained.net(expected).argmax(dim=1) != splits.test.labels
    assert 100 * wrong.double().mean() == pytest.approx(result.test_error, abs=1)
    loaded = weights.load(result.folder / "weights" / "last.safetensors")
    assert loaded.net.state_dict().keys() == trained.net.state_dict().keys()
    with pytest.raises(ConfigError, match=r"contrast normalized.*residua\.load"):
        loaded.preprocessing(torch.zeros(1, 1, 8, 8))
