"""Claims are compared with what was measured under their own protocol."""

import json

import pytest

from residua.config import encode
from residua.data.views import CenterCrop, Flips, MultiScale, TenCrop, Whole
from residua.experiment import Claim
from residua.report.claims import claims
from residua.report.record import read
from test_report import CONFIG, finished

FILES = "data:\n  kind: files\n  size: 224\n  fit: {kind: centre, share: 0.875}\n"
LARGE = [3, 224, 224]


def claimed(folder, *made, data="data:\n  kind: digits\n", tests=(), **start):
    """List the claims of a finished run beside what it and later tests measured."""
    text = CONFIG.replace("claims: []\n", f"claims: {json.dumps([encode(c) for c in made])}\n")
    text = text.replace("data:\n  kind: digits\n", data)
    finished(folder, config=text, top5_error=1.5, **start)
    (folder / "evaluations.jsonl").write_text("".join(f"{json.dumps(test)}\n" for test in tests))
    return claims(read(folder))


def evaluation(views, error, **changes):
    return {
        "kind": "evaluation",
        "images": "test",
        "weights": "last",
        "count": 40,
        "protocol": f"top-1, {views.protocol}",
        "top1_error": error,
        "top5_error": error / 10,
        "views": encode(views),
        "exact_norm": False,
    } | changes


def error(views, metric="test_error"):
    return Claim.error(20.0, "a paper", metric=metric, views=views)


def test_the_runs_own_test_is_of_whole_pictures_and_of_files_a_center_crop(tmp_path):
    own = claimed(tmp_path, error(Whole()), error(Whole(), "top5_error"))
    assert [claim["measured"] for claim in own] == [5.0, 1.5]
    made = (error(CenterCrop()), error(CenterCrop(short_side=320, size=320)))
    one, large = claimed(tmp_path, *made, data=FILES, shape=LARGE)
    assert (one["measured"], large["measured"]) == (5.0, None)
    assert claimed(tmp_path, error(CenterCrop()))[0]["measured"] is None


def test_a_later_test_counts_under_exactly_its_protocol(tmp_path):
    tests = (
        evaluation(TenCrop(rule="logits"), 1.0),
        evaluation(TenCrop(), 2.0, images="own"),
        evaluation(TenCrop(), 3.0, weights="best"),
        evaluation(TenCrop(), 4.0, exact_norm=True),
        evaluation(TenCrop(), 7.0),
        evaluation(TenCrop(), 8.0),
    )
    one, five = claimed(
        tmp_path, error(TenCrop()), error(TenCrop(), "top5_error"), data=FILES, tests=tests
    )
    assert (one["measured"], five["measured"]) == (7.0, 0.7)


@pytest.mark.parametrize(
    ("views", "words"),
    [
        (TenCrop(), "10-crop (residua evaluate RUN --views ten)"),
        (TenCrop(rule="logits"), "10-crop (residua evaluate RUN --views ten --average logits)"),
        (
            CenterCrop(short_side=320, size=320),
            "1-crop (residua evaluate RUN --views center --size 320 --short-side 320)",
        ),
        (Flips(), "2 views (residua evaluate RUN --views flips)"),
        (
            MultiScale(short_sides=(224, 320), mirror=True),
            "fully convolutional (residua evaluate RUN --views multi --scales 224 320 --mirror)",
        ),
    ],
)
def test_what_was_not_measured_comes_with_what_would_measure_it(tmp_path, views, words):
    (claim,) = claimed(tmp_path, error(views), data=FILES, shape=LARGE)
    said = claim["missing"].replace(str(tmp_path), "RUN")
    assert (claim["measured"], said) == (None, f"not measured under {words}")
