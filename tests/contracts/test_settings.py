"""Every class of settings has a `kind` where it stands in a union, and refuses unknown keys."""

import dataclasses
import inspect
from typing import get_args

import pytest

from residua.config import decode, encode
from residua.data import augment, fit, normalize, views
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.folder import FilesConfig, FolderConfig
from residua.data.mnist import FashionMnistConfig, MnistConfig
from residua.data.sets import DigitsConfig
from residua.data.svhn import SvhnConfig
from residua.errors import ConfigError
from residua.experiment import Given
from residua.nets import catalogue, cifar
from residua.train import pace
from residua.train.optimize import SgdConfig

KINDS = [
    *get_args(get_args(augment.Augment)[0]),
    *get_args(get_args(normalize.Normalization)[0]),
    *get_args(get_args(pace.Schedule)[0]),
    *get_args(get_args(views.Views)[0]),
    *dict.fromkeys(type(config) for config in catalogue.NETS.values()),
    *get_args(get_args(fit.Fit)[0]),
    *get_args(get_args(fit.Crop)[0]),
    DigitsConfig,
    Cifar10Config,
    Cifar100Config,
    MnistConfig,
    FashionMnistConfig,
    SvhnConfig,
    FolderConfig,
    FilesConfig,
    SgdConfig,
    Given,
]


@pytest.mark.parametrize("cls", KINDS)
def test_settings_are_frozen_tagged_and_strict(cls):
    value = cls(type="a:b") if cls is Given else cls()
    assert decode(cls, encode(value)) == value
    assert encode(value)["kind"] == value.kind
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.kind = "other"
    with pytest.raises(ConfigError, match="no such setting"):
        decode(cls, {**encode(value), "bogus": 1})
    with pytest.raises(TypeError):
        cls("positional")


@pytest.mark.parametrize(
    ("cls", "function"),
    [
        (augment.PadCropFlip, augment.pad_crop_flip),
        (augment.RotateShift, augment.rotate_shift),
        (augment.RescaleCrop, augment.rescale_crop),
        (augment.RandomResizedCrop, augment.random_resized_crop),
        (augment.ColourJitter, augment.colour_jitter),
        (augment.PcaColour, augment.pca_colour),
    ],
)
def test_settings_have_the_keyword_arguments_of_their_function(cls, function):
    arguments = [
        p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY
    ]
    assert [field.name for field in dataclasses.fields(cls) if field.name != "kind"] == arguments


def test_a_network_has_the_arguments_and_defaults_of_its_function():
    arguments = {p.name: p.default for p in inspect.signature(cifar.resnet).parameters.values()}
    settings = {
        f.name: f.default for f in dataclasses.fields(cifar.CifarConfig) if f.name != "kind"
    }
    assert settings == arguments
