"""What programs ask a server, and what it answers."""

import asyncio
import json
import re
from types import SimpleNamespace

import pytest
import torch

from residua.deploy.predictor import Classifier
from residua.deploy.serve import app as interface
from residua.deploy.serve.limits import Limits
from residua.deploy.serve.line import Wish
from residua.deploy.serve.uploads import Upload
from residua.errors import DataError
from served import Bright, bright, digits, finder, picture, refused, serving


@pytest.fixture(scope="module")
def naming(tmp_path_factory):
    with serving(digits(tmp_path_factory.mktemp("runs") / "seed0")) as client:
        yield client


@pytest.fixture(scope="module")
def finding(tmp_path_factory):
    with serving(finder(tmp_path_factory.mktemp("runs") / "seed0")) as client:
        yield client


def test_a_picture_is_named_as_the_classifier_itself_names_it(naming, tmp_path):
    content = picture(size=(30, 20))
    answer = naming.post("/v1/classify?top=3", content=content)
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    own = digits(tmp_path)
    assert isinstance(own, Classifier)
    expected = own.probabilities(own.read(content)[None])[0]
    best = expected.topk(3)
    assert [each["index"] for each in result["classes"]] == best.indices.tolist()
    told = torch.tensor([each["probability"] for each in result["classes"]])
    assert torch.allclose(told, best.values, atol=2e-6)
    assert [each["class"] for each in result["classes"]] == list(map(str, best.indices.tolist()))
    assert result["name"] == "picture"
    assert result["together"] == 1
    assert set(result["seconds"]) == {"read", "waited", "network"}


def test_a_form_of_several_pictures_is_answered_in_their_order(naming):
    contents = [picture(size=(9, 9), seed=seed) for seed in range(3)]
    files = [("file", (f"{index}.png", content)) for index, content in enumerate(contents)]
    results = naming.post("/v1/classify", files=files).json()["results"]
    assert [result["name"] for result in results] == ["0.png", "1.png", "2.png"]
    for content, result in zip(contents, results, strict=True):
        (alone,) = naming.post("/v1/classify", content=content).json()["results"]
        for one, other in zip(result["classes"], alone["classes"], strict=True):
            assert one["probability"] == pytest.approx(other["probability"], abs=1e-5)


def test_maps_average_to_the_logits(naming, tmp_path):
    content = picture(size=(16, 8))
    own = digits(tmp_path)
    logits = own.engine(own.read(content)[None])[0]
    (result,) = naming.post("/v1/classify?maps=true&top=10", content=content).json()["results"]
    assert result["size"] == [16, 8]
    assert result["seen"] == [0, 0, 16, 8]
    linear = [m for m in own.engine.net.modules() if isinstance(m, torch.nn.Linear)][-1]
    for named in result["classes"]:
        mean = torch.tensor(named["map"]).mean() + linear.bias[named["index"]]
        assert mean.item() == pytest.approx(logits[named["index"]].item(), abs=1e-3)


def test_what_seems_swapped_is_said_and_can_be_swapped(tmp_path):
    with serving(digits(tmp_path)) as client:
        light = picture(size=(8, 8), light=250)
        (result,) = client.post("/v1/classify", content=light).json()["results"]
        assert result["swapped"] is True
        (result,) = client.post("/v1/classify?invert=1", content=light).json()["results"]
        assert result["swapped"] is False


def test_the_part_that_is_looked_at_is_told(tmp_path):
    own = digits(tmp_path)
    middle = Classifier(
        own.engine, own.classes, own.shape, bright(tmp_path).fit, own.folder, own.brightness
    )
    with serving(middle) as client:
        answer = client.post("/v1/classify?maps=1", content=picture(size=(30, 10)))
        (result,) = answer.json()["results"]
        assert result["seen"] == [10, 0, 20, 10]


def test_objects_are_found_in_the_pixels_of_the_picture(finding):
    # The detector sees pictures with a shorter side of 50: this one at half its size.
    content = picture(size=(200, 100))
    (result,) = finding.post("/v1/detect?threshold=0.2", content=content).json()["results"]
    assert result["size"] == [200, 100]
    assert [each["class"] for each in result["objects"]] == ["cat", "cat"]
    assert [each["score"] for each in result["objects"]] == pytest.approx([0.9, 0.3])
    # Regions move right by a tenth of their width.
    assert result["objects"][0]["box"] == pytest.approx([24, 20, 64, 60], abs=0.1)
    (result,) = finding.post("/v1/detect", content=content).json()["results"]
    assert len(result["objects"]) == 1


def test_each_kind_of_run_has_its_own_place(naming, finding):
    assert "classify" in refused(naming.post("/v1/detect", content=picture()), 404)
    assert "detect" in refused(finding.post("/v1/classify", content=picture()), 404)
    assert "/docs" in refused(naming.get("/v1/classify"), 405)
    assert "/docs" in refused(naming.get("/nowhere"), 404)


def test_maps_that_do_not_exist_are_refused(tmp_path):
    with serving(bright(tmp_path)) as client:
        assert "maps" in refused(client.post("/v1/classify?maps=1", content=picture()), 422)
        assert client.get("/v1/model").json()["maps"] is False


def test_a_server_says_what_it_serves(naming, finding):
    told = naming.get("/v1/model").json()
    assert told["kind"] == "classifier"
    assert told["name"].endswith("/seed0")
    assert (told["shape"], told["maps"], len(told["classes"])) == ([1, 8, 8], True, 10)
    assert told["engine"] == "PyTorch float32"
    assert "PyTorch float32" in naming.get("/model").text
    assert finding.get("/v1/model").json()["classes"] == ["cat", "dog"]
    assert naming.get("/health").json() == {"status": "alive"}
    assert naming.get("/ready").json() == {"status": "ready"}


def test_what_is_no_number_is_no_answer(tmp_path):
    engine = Bright()

    def sometimes(pixels):
        logits = engine(pixels)
        logits[pixels.float().mean(dim=(1, 2, 3)) > 200] = torch.nan
        return logits

    white, grey = picture(light=255), picture(light=100)
    with serving(bright(tmp_path, engine=sometimes)) as client:
        assert "no number" in refused(client.post("/v1/classify", content=white), 422)
        assert client.post("/v1/classify", content=grey).status_code == 200


def test_the_rest_of_a_form_that_is_refused_is_given_up():
    given_up = []

    async def ask(content, wish, seconds):
        if content == b"bad":
            raise DataError("the picture cannot be read")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            given_up.append(content)
            raise

    uploads = [Upload(str(i), content) for i, content in enumerate((b"a", b"bad", b"b"))]
    asked = SimpleNamespace(line=SimpleNamespace(ask=ask), limits=Limits())

    async def answered():
        with pytest.raises(DataError, match="cannot be read"):
            await interface._results(uploads, asked, Wish())
        await asyncio.sleep(0)

    asyncio.run(answered())
    assert sorted(given_up) == [b"a", b"b"]


def test_the_interface_describes_itself(naming, finding):
    for client, place in ((naming, "/v1/classify"), (finding, "/v1/detect")):
        schema = client.get("/openapi.json").json()
        told = schema["paths"][place]["post"]
        assert {"200", "413", "415", "422", "429"} <= told["responses"].keys()
        assert "multipart/form-data" in told["requestBody"]["content"]
        page = client.get("/docs").text
        assert "Successful Response" not in page
        assert place in page
        assert f"curl --data-binary @picture.jpg http://127.0.0.1:{client.port}{place}" in page
    # What is described is what is answered.
    named = naming.get("/openapi.json").json()["components"]["schemas"]["Picture"]
    (result,) = naming.post("/v1/classify?maps=1", content=picture()).json()["results"]
    assert set(result) <= set(named["properties"])
    assert set(named["required"]) <= set(result)


def test_pages_need_nothing_from_elsewhere(naming):
    index = naming.get("/")
    policy = index.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    parts = re.findall(r'(?:href|src)="(/page/[^"]+)"', index.text)
    assert len(parts) == 2
    text = index.text
    while parts:
        part = naming.get(parts.pop())
        assert part.status_code == 200, part.url
        text += part.text
        parts += [f"/page/{name}" for name in re.findall(r'from "\./([^"]+)"', part.text)]
    assert not re.search(r"https?:|//cdn|@import|<style|style=", text)
    for place in ("/model", "/docs"):
        page = naming.get(place)
        assert "<script" not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
    assert naming.get("/page/main.js").headers["content-type"].startswith("text/javascript")


def test_every_answer_carries_what_keeps_a_browser_safe(naming):
    for answer in (naming.get("/"), naming.get("/health"), naming.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_numbers_are_those_of_what_was_asked(tmp_path):
    with serving(bright(tmp_path)) as client:
        for _ in range(3):
            client.post("/v1/classify", content=picture())
        client.post("/v1/classify", content=b"no picture")
        text = client.get("/metrics").text
        assert 'residua_requests_total{place="/v1/classify",status="200"} 3\n' in text
        assert 'residua_requests_total{place="/v1/classify",status="415"} 1\n' in text
        assert "residua_read_seconds_count 3\n" in text
        assert "residua_requests_under_way 0\n" in text
        assert "residua_held_bytes 0\n" in text
        for line in text.splitlines():
            assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [-+.e\d]+', line)


def test_a_key_must_be_shown(tmp_path):
    with serving(bright(tmp_path), key="säsam") as client:
        assert client.get("/").status_code == 200
        assert client.get("/page/main.js").status_code == 200
        assert client.get("/ready").status_code == 200
        for place in ("/v1/model", "/metrics", "/model"):
            assert "Bearer" in refused(client.get(place), 401)
        wrong = {"Authorization": "Bearer sesam"}
        refused(client.post("/v1/classify", content=picture(), headers=wrong), 401)
        right = {"Authorization": "Bearer säsam".encode()}
        assert client.post("/v1/classify", content=picture(), headers=right).status_code == 200


def test_a_stranger_name_does_not_lead_here(tmp_path):
    with serving(bright(tmp_path), hosts=("localhost", "127.0.0.1", "[::1]")) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/health", headers={"Host": "LocalHost:80"}).status_code == 200
        assert client.get("/health", headers={"Host": "[::1]:80"}).status_code == 200
        for host in ("evil.example", "localhost.evil.example", "evil.example:8000"):
            refused(client.get("/v1/model", headers={"Host": host}), 421)


def test_what_is_answered_is_json_with_its_own_names(naming):
    files = [("file", ("Größe 漢.png", picture()))]
    answer = naming.post("/v1/classify", files=files)
    assert json.loads(answer.content)["results"][0]["name"] == "Größe 漢.png"
