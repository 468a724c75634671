"""Every engine says what the net says, and tells what it lacks."""

import dataclasses
import importlib
import sys

import pytest
import torch
from torch import nn

from deploy.artefacts import NORMALIZE, job, optimized_folder, pixels
from residua import extras, runtime
from residua.data.normalize import Normalize, Whiten
from residua.deploy import artefact
from residua.deploy.convert.to_openvino import tell_nobody
from residua.deploy.engines import candidate as candidates
from residua.deploy.engines.candidate import CANDIDATES, Candidate, absent
from residua.errors import CheckpointError, ConfigError
from residua.nets.cifar import resnet
from residua.nets.dense import DenseConfig
from settled import settled

QUICK = [each for each in CANDIDATES if each.kind != "compiled"]
BOUND = {"float32": 1e-3, "bfloat16": 0.05, "int8": 0.35}


def small(seed=3):
    torch.manual_seed(seed)
    return settled(resnet(8))


def said(net, images, normalize=NORMALIZE):
    with torch.no_grad():
        return net.eval()(normalize(images)).float()


def off(logits, expected):
    """The largest difference against the spread of the logits."""
    return float((logits - expected).abs().max() / expected.std())


@pytest.fixture(autouse=True)
def one_thread():
    # Small nets are not worth the threads that would wait for one another.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("chosen", QUICK, ids=lambda each: each.folder)
def test_an_engine_says_what_the_net_says_of_any_number_of_pictures(chosen, tmp_path):
    if why := absent(chosen, torch.device("cpu")):
        pytest.skip(reason=why)
    net = small()
    engine = artefact.engine(optimized_folder(tmp_path / "a", net, chosen), threads=1)
    for count in (1, 4, 7):
        images = pixels(count, seed=count)
        logits, expected = engine(images), said(net, images)
        assert logits.shape == (count, 10)
        assert logits.dtype == torch.float32
        assert off(logits, expected) < BOUND[chosen.precision]
    # What is in memory in another order is the same picture.
    assert torch.equal(engine(images.to(memory_format=torch.channels_last)), engine(images))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_compiled_program_says_what_the_net_says(precision, tmp_path):
    chosen = Candidate(kind="compiled", precision=precision)
    if why := absent(chosen, torch.device("cpu")):
        pytest.skip(reason=why)
    net = small()
    engine = artefact.engine(optimized_folder(tmp_path / "a", net, chosen))
    for count in (1, 4, 7):
        images = pixels(count, seed=count)
        assert off(engine(images), said(net, images)) < BOUND[precision]


def test_int8_is_not_float32_and_depends_on_the_pictures_of_its_ranges(tmp_path):
    pytest.importorskip("nncf")
    net, chosen = small(), Candidate(kind="openvino", precision="int8")
    engine = artefact.engine(optimized_folder(tmp_path / "a", net, chosen), threads=1)
    assert off(engine(pixels()), said(net, pixels())) > 1e-3
    assert (tmp_path / "a" / "model.bin").stat().st_size < 0.5 * sum(
        4 * p.numel() for p in net.parameters()
    )


def test_whitening_is_bound_in(tmp_path):
    normalize = Whiten().fit(pixels(200, (3, 8, 8)))
    torch.manual_seed(0)
    net = settled(resnet(8))
    images = pixels(5, (3, 8, 8), seed=2)
    for kind in ("eager", "openvino"):
        place = tmp_path / kind
        optimized_folder(place, net, Candidate(kind=kind), normalize=normalize, shape=(3, 8, 8))
        assert off(artefact.engine(place, threads=1)(images), said(net, images, normalize)) < 2e-3


def test_in_bfloat16_only_the_net_is_and_the_job_keeps_its_own():
    made = job(small())
    reduced = made.net("bfloat16")
    assert {p.dtype for p in reduced.parameters()} == {torch.bfloat16}
    assert reduced.mean255.dtype == torch.float32
    assert {p.dtype for p in made.bound.parameters()} == {torch.float32}
    # Normalization in bfloat16 would lose half of the 256 grey values.
    odd = torch.full((1, 3, 32, 32), 201, dtype=torch.uint8)
    even = torch.full((1, 3, 32, 32), 200, dtype=torch.uint8)
    means = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    flat = job(means).net("bfloat16")
    assert not torch.equal(flat(odd), flat(even))


@pytest.mark.parametrize(
    ("missing", "chosen", "told"),
    [
        ("onnxruntime", Candidate(kind="onnxruntime"), 'onnxruntime: pip install "residua[onnx]"'),
        ("openvino", Candidate(kind="openvino"), 'openvino: pip install "residua[openvino]"'),
        (
            "nncf",
            Candidate(kind="openvino", precision="int8"),
            'needs nncf: pip install "residua[openvino]"',
        ),
    ],
)
def test_a_package_that_is_not_there_is_named_with_what_adds_it(missing, chosen, told, monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda name: name != missing)
    assert told in absent(chosen, torch.device("cpu"))
    assert absent(Candidate(kind="eager"), torch.device("cpu")) is None


def test_a_compiler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(candidates.shutil, "which", lambda _: None)
    told = absent(Candidate(kind="compiled"), torch.device("cpu"))
    assert told == "needs a C++ compiler: apt install g++ (or another, named in CXX)"


def test_hardware_without_bfloat16_is_not_asked_for_it(monkeypatch):
    monkeypatch.setattr(runtime, "_has_bfloat16", lambda _: False)
    lacking = [each for each in CANDIDATES if absent(each, torch.device("cpu"))]
    assert {each.precision for each in lacking} == {"bfloat16"}


def test_openvino_stays_on_the_processor():
    told = absent(Candidate(kind="openvino"), torch.device("cuda"))
    assert told == "computes on the processor (--device cpu)"


def test_a_folder_says_what_it_is_and_what_is_wrong_with_it(tmp_path):
    place = optimized_folder(tmp_path / "a", small())
    facts = artefact.read(place)
    assert facts.candidate == Candidate(kind="eager")
    assert facts.brightness == pytest.approx(0.5)
    assert artefact.is_artefact(place)
    assert not artefact.is_artefact(tmp_path)
    with pytest.raises(CheckpointError, match="is not what `residua optimize` writes"):
        artefact.read(tmp_path)
    later = dataclasses.replace(facts, version=2)
    artefact.write(later, place)
    with pytest.raises(CheckpointError, match=r"of version 2, this Residua reads 1"):
        artefact.read(place)
    (place / "optimized.json").write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        artefact.read(place)
    (place / "optimized.json").write_text('{"version": 1, "kind": "eager"}')
    with pytest.raises(CheckpointError, match=r"precision: .*\(optimize the run again\)"):
        artefact.read(place)


def test_a_damaged_or_missing_file_and_a_missing_package_are_sentences(tmp_path, monkeypatch):
    place = optimized_folder(tmp_path / "a", small())
    (place / "model.pt2").write_bytes(b"nothing")
    with pytest.raises(
        CheckpointError, match=r"cannot be opened by PyTorch float32 here: .*torch "
    ):
        artefact.engine(place)
    facts = dataclasses.replace(artefact.read(place), kind="openvino")
    artefact.write(facts, place)
    monkeypatch.setattr(extras, "installed", lambda _: False)
    with pytest.raises(ConfigError, match=r'needs openvino: pip install "residua\[openvino\]"'):
        artefact.engine(place)


def test_a_net_without_convolutions_is_computed_too(tmp_path):
    torch.manual_seed(0)
    config = DenseConfig()
    net = config.build().eval()
    shape = config.input_shape
    normalize = Normalize.of((0.5,) * shape[0], (0.25,) * shape[0])
    images = pixels(4, shape)
    for kind in ("eager", "openvino"):
        place = optimized_folder(
            tmp_path / kind, net, Candidate(kind=kind), normalize=normalize, shape=shape
        )
        assert off(artefact.engine(place, threads=1)(images), said(net, images, normalize)) < 1e-3


def test_openvino_is_kept_from_reporting_that_it_is_used(monkeypatch):
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    tell_nobody()
    with pytest.raises(ImportError):
        importlib.import_module("openvino_telemetry")
    # What somebody else has loaded is theirs.
    monkeypatch.setitem(sys.modules, "openvino_telemetry", pytest)
    tell_nobody()
    assert sys.modules["openvino_telemetry"] is pytest
