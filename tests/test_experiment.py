import pytest
import torch
from torch import nn

from residua.config import decode, digest, encode, from_yaml, to_yaml
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.data.sets import DigitsConfig
from residua.errors import ConfigError
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.train.schedule import StepsConfig


def experiment(**changes):
    settings = {
        "net": CifarConfig(depth=8, in_channels=1),
        "data": DigitsConfig(),
        "schedule": StepsConfig(),
    }
    return Experiment(**settings | changes)


def test_an_experiment_survives_yaml():
    claim = Claim(
        metric="test_error", value=8.75, unit="percent", statistic="single run", source="he2015"
    )
    original = experiment(claims=(claim,), seed=7)
    assert from_yaml(Experiment, to_yaml(original)) == original


def test_an_unknown_key_is_answered_with_the_closest():
    data = encode(experiment())
    data["net"]["detph"] = 20
    message = r"^run.yaml: net.cifar.detph: no such setting \(did you mean depth( or \w+)*\?\)$"
    with pytest.raises(ConfigError, match=message):
        decode(Experiment, data, where="run.yaml")


def test_numbers_may_be_written_with_an_exponent():
    text = to_yaml(experiment()).replace("lr: 0.1", "lr: 1e-1")
    assert from_yaml(Experiment, text) == experiment()


def test_a_wrong_kind_is_answered_with_the_known_ones():
    data = encode(experiment())
    data["schedule"]["kind"] = "cosin"
    with pytest.raises(ConfigError, match=r"schedule: .*cosin"):
        decode(Experiment, data)


def test_objects_are_recorded_by_their_type_and_must_be_handed_over_again():
    part = ImageSet(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1]), ("a", "b"))
    mine = experiment(net=nn.Linear(2, 2), data=Splits(train=part, validation=part, test=part))
    recorded = from_yaml(Experiment, to_yaml(mine.recordable()))
    assert recorded.net.type == "torch.nn.modules.linear:Linear"
    with pytest.raises(ConfigError, match=r"hand it over again with net=\.\.\."):
        recorded.build_net()
    with pytest.raises(ConfigError, match=r"hand it over again with data=\.\.\."):
        recorded.load_data()


def test_the_seed_and_every_setting_name_the_experiment():
    digests = {digest(experiment(seed=seed, batch_size=size)) for seed in (0, 1) for size in (8, 9)}
    assert len(digests) == 4


def test_smoke_is_two_small_updates_that_claim_nothing():
    small = experiment(batch_size=128).smoke()
    assert small.schedule.until == 2
    assert small.batch_size == 8
    assert small.claims == ()
