import pytest
import torch
import yaml
from strangers import Deciding, mlp, pictures, small

import residua
from residua.errors import CheckpointError, ConfigError, ShapeError
from residua.nn.gated import gated_sums
from residua.surgery import folder
from residua.surgery.residualize import propose, residualize


def trained(make, x):
    """A net with shortcuts after an update, and its plan."""
    net = make()
    plan = propose(net, x).plan
    new = residualize(net, x, plan=plan).train()
    optimizer = torch.optim.SGD(residua.parameter_groups(new, weight_decay=0.1), lr=0.1)
    for _ in range(2):
        new(x).square().sum().backward()
        optimizer.step()
    assert all(each.gate.item() for each in gated_sums(new).values())
    return new.eval(), plan


@pytest.mark.parametrize(
    ("make", "shape"), [(small, (4, 1, 8, 8)), (mlp, (4, 8)), (Deciding, (4, 1, 8, 8))]
)
def test_code_plan_and_weights_build_the_net_again(make, shape, tmp_path):
    new, plan = trained(make, pictures(*shape))
    folder.write(tmp_path, new, plan, imports="", call="")
    again = folder.rebuild(make(), tmp_path)
    assert not again.training
    assert torch.equal(again(pictures(*shape)), new(pictures(*shape)))


def test_the_written_code_runs(tmp_path):
    net = residua.cifar_resnet(8, shortcut="none")
    x = pictures(2, 3, 8, 8)
    plan = propose(net, x).plan
    new = residualize(net, x, plan=plan).eval()
    folder.write(
        tmp_path,
        new,
        plan,
        imports="from residua import cifar_resnet",
        call='cifar_resnet(8, shortcut="none")',
    )
    source = (tmp_path / "rebuild.py").read_text()
    assert source.startswith('"""ResNet with 3 shortcuts added: y = F(x) + g h(x).')
    assert len(source.splitlines()) < 25
    namespace = {"__file__": str(tmp_path / "rebuild.py"), "__name__": "rebuild"}
    exec(compile(source, "rebuild.py", "exec"), namespace)
    assert torch.equal(namespace["net"]()(x), new(x))


def test_three_files_are_written_and_none_is_a_pickle(tmp_path):
    new, plan = trained(small, pictures())
    folder.write(tmp_path, new, plan, imports="", call="")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("plan.yaml", "rebuild.py", "weights.safetensors")
    }
    header = (tmp_path / "weights.safetensors").read_bytes()[8:9]
    assert header == b"{"


def test_what_does_not_fit_is_said(tmp_path):
    new, plan = trained(small, pictures())
    with pytest.raises(CheckpointError, match="no such plan"):
        folder.rebuild(small(), tmp_path)
    folder.write(tmp_path, new, plan, imports="", call="")
    with pytest.raises(ConfigError, match="the net has no"):
        folder.rebuild(mlp()[:3], tmp_path, example=pictures(4, 8))
    facts = yaml.safe_load((tmp_path / "plan.yaml").read_text())
    for example, error, sentence in (
        ([[4, 1, 8]], ShapeError, "does not take the example"),
        ([[4, -1, 8, 8]], ShapeError, "is no shape"),
    ):
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(facts | {"example": example}))
        with pytest.raises(error, match=sentence):
            folder.rebuild(small(), tmp_path)
    spans = facts["spans"][:1]
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(facts | {"spans": spans}))
    with pytest.raises(CheckpointError, match=r"shortcuts.span2.*has no place"):
        folder.rebuild(small(), tmp_path)
