import base64
import io

import torch
from PIL import Image

from residua import outcome
from residua.data.images import ImageSet
from residua.evaluate import Scores

LOGITS = torch.tensor([[4.0, 0, 0], [0, 1.0, 0], [0, 0, 9.0], [3.0, 0, 0]])
LABELS = torch.tensor([0, 1, 0, 2])


def images():
    pixels = torch.randint(0, 256, (4, 3, 6, 8), dtype=torch.uint8)
    return ImageSet(pixels, LABELS, ("a", "b", "c"))


def pixels_of(text):
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_mistakes_are_recorded_with_their_pictures_and_what_spoke_for_them():
    asked = []

    def evidence(pictures, for_N, against_N):
        asked.append((pictures, for_N.tolist(), against_N.tolist()))
        return torch.ones(len(pictures), 2, 2)

    pictures = images()
    told = outcome.mistakes(Scores(LOGITS, LABELS), pictures, evidence)
    assert [(each["index"], each["predicted"], each["label"]) for each in told] == [
        (2, 2, 0),
        (3, 0, 2),
    ]
    ((given, *classes),) = asked
    assert torch.equal(given, pictures.images[[2, 3]])
    assert classes == [[2, 0], [0, 2]]
    assert pixels_of(told[0]["png"]).getpixel((5, 1)) == tuple(pictures.images[2, :, 1, 5].tolist())
    overlay = pixels_of(told[0]["evidence"])
    assert (overlay.mode, overlay.size) == ("RGBA", (8, 6))


def test_mistakes_without_exact_evidence_are_pictures_alone():
    found = Scores(LOGITS, LABELS)
    for evidence in (None, lambda *_: None):
        assert "evidence" not in outcome.mistakes(found, images(), evidence)[0]
    right = Scores(LOGITS, torch.tensor([0, 1, 2, 0]))
    assert outcome.mistakes(right, images(), lambda *_: None) == []


def test_what_is_recorded_of_a_test():
    told = outcome.tested(Scores(LOGITS, LABELS, "10-crop"))
    assert told["protocol"] == "top-1, 10-crop"
    assert (told["top1_error"], told["top5_error"]) == (50.0, None)
    assert told["loss"] == Scores(LOGITS, LABELS).loss
