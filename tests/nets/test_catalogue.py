import pytest

from residua.config import decode, encode
from residua.errors import ConfigError
from residua.nets.catalogue import NETS, NetConfig, find


@pytest.mark.parametrize("name", NETS)
def test_every_network_survives_its_own_settings_file(name):
    assert decode(NetConfig, encode(NETS[name])) == NETS[name]


def test_a_short_name_will_do_where_it_is_unique():
    assert find("vgg16") == find("vgg.vgg16")


def test_a_wrong_name_is_answered_with_the_closest():
    with pytest.raises(ConfigError, match=r"no network is called 'cifar.resnet21' \(did you mean"):
        find("cifar.resnet21")


def test_the_kind_tag_tells_the_families_apart():
    assert decode(NetConfig, {"kind": "vgg", "depth": 19}).depth == 19
