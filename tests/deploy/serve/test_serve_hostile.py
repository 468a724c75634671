"""What strangers may send: every kind is answered with a status of 4xx and a sentence."""

import io
import json
import socket
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from residua.deploy.serve import kinds
from residua.deploy.serve.kinds import MOST_SCANS
from residua.deploy.serve.problems import RefusalError
from residua.deploy.serve.uploads import plain_name
from served import bright, finder, picture, refused, serving


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with serving(
        bright(folder), body=200_000, pixels=100_000, pictures=3, head=0.5, upload=0.7, idle=2
    ) as made:
        yield made
        # Whatever was sent, the server answers the next who asks.
        answer = made.post("/v1/classify", content=picture())
        assert answer.status_code == 200
        assert made.service.gate.under_way == made.service.gate.bytes == 0
        assert 'status="5' not in made.get("/metrics").text


def chunk(kind, content):
    made = struct.pack(">I", len(content)) + kind + content
    return made + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width, height):
    """A PNG of a few bytes that claims to be large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 999))


def deep_tiff():
    file = io.BytesIO()
    Image.new("L", (400, 400)).save(file, "TIFF", compression="tiff_lzw")
    return file.getvalue()


WHOLE = picture("JPEG", size=(64, 48), quality=95)
HOSTILE = {
    "nothing": (b"", 422, "empty"),
    "text": (b"GET / HTTP/1.1", 415, "not a picture"),
    "page": (b"<!DOCTYPE html><script>alert(1)</script>", 415, "not a picture"),
    "program": (b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run", 415, "not a picture"),
    "pickle": (b"\x80\x04\x95", 415, "not a picture"),
    "sound": (b"RIFF\x00\x00\x00\x00WAVEfmt ", 415, "not a picture"),
    "truncated JPEG": (WHOLE[: len(WHOLE) // 2], 422, "cannot be read"),
    "truncated PNG": (picture("PNG", size=(64, 48))[:300], 422, "cannot be read"),
    "only a beginning": (b"\xff\xd8\xff", 422, "not a picture"),
    "noise": (b"\xff\xd8\xff" + bytes(range(256)) * 20, 422, "picture"),
    "bomb": (bomb(50_000, 50_000), 422, "more than 100,000 pixels"),
    "wide bomb": (bomb(2**31 - 1, 1), 422, "pixels"),
    "many pixels": (picture("PNG", size=(400, 300)), 422, "more than 100,000 pixels"),
    "many pixels in a TIFF": (deep_tiff(), 422, "pixels"),
    "many scans": (WHOLE[:-2] + b"\xff\xda\x00" * MOST_SCANS + b"\xff\xd9", 422, "scans"),
    "too large": (b"\xff\xd8\xff" + bytes(200_000), 413, "200,000 bytes"),
}


@pytest.mark.parametrize(("content", "status", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_good_picture_is_refused(client, content, status, words):
    assert words in refused(client.post("/v1/classify", content=content), status)
    answer = client.post("/v1/classify", files={"file": ("x.jpg", content)})
    assert words in refused(answer, status)


def test_a_detector_refuses_too_and_takes_any_proportions(tmp_path):
    with serving(finder(tmp_path), pixels=100_000) as client:
        refused(client.post("/v1/detect", content=bomb(50_000, 50_000)), 422)
        refused(client.post("/v1/detect", content=WHOLE[:300]), 422)
        for size in ((1, 1), (3000, 1), (1, 3000)):
            assert client.post("/v1/detect", content=picture(size=size)).status_code == 200


def test_too_large_is_refused_before_it_is_sent(client):
    began = time.monotonic()
    with connected(client) as line:
        line.sendall(head("POST", "/v1/classify", "Content-Length: 1000000000"))
        assert status_of(line) == 413
    assert time.monotonic() - began < 0.5


def test_an_endless_request_is_refused_where_it_grows_too_large(client):
    with connected(client) as line:
        line.sendall(head("POST", "/v1/classify", "Transfer-Encoding: chunked"))
        piece = b"8000\r\n" + bytes(0x8000) + b"\r\n"
        for _ in range(7):
            line.sendall(piece)
        assert status_of(line) == 413


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", r"..\..\boot.ini", "/etc/shadow", "a\0b.jpg", "\u202egpj.exe", "x" * 9999],
)
def test_names_of_files_are_names_alone(client, name):
    safe = name.replace("\0", "%00").encode()
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="' + safe + b'"\r\n\r\n'
    ) + picture()
    content = body + b"\r\n--B--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = client.post("/v1/classify", content=content, headers=headers)
    if len(name) > 5000:
        assert 400 <= answer.status_code < 500 or answer.status_code == 200
        return
    shown = answer.json()["results"][0]["name"]
    assert not set(shown) & set("/\\\0\u202e")
    assert shown
    assert ".." not in shown


@given(st.text(max_size=300))
def test_a_name_is_short_printable_and_no_path(name):
    shown = plain_name(name)
    assert 0 < len(shown) <= 100
    assert shown.isprintable()
    assert not set(shown) & set("/\\")
    assert shown not in {".", ".."}


@pytest.mark.parametrize(
    "path",
    [
        "/page/../app.py",
        "/page/..%2fapp.py",
        "/page/%2e%2e/limits.py",
        "/page//etc/passwd",
        "/../../etc/passwd",
        "/page/index.html%00.js",
        "/%ff%fe",
    ],
)
def test_no_path_leads_to_a_file(client, path):
    with connected(client) as line:
        line.sendall(head("GET", path))
        answer = everything(line)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 404


PART = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
FORMS = {
    "no boundary": ("multipart/form-data", b"--B\r\n", 400, "boundary"),
    "not a form": ("multipart/form-data; boundary=B", b"hello", 400, "cannot be read"),
    "no end": ("multipart/form-data; boundary=B", PART, 400, "no end"),
    "no file": (
        "multipart/form-data; boundary=B",
        PART.replace(b'; filename="a"', b"") + b"\r\n--B--\r\n",
        422,
        "no file",
    ),
    "no name": (
        "multipart/form-data; boundary=B",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--B--\r\n",
        422,
        "no file",
    ),
    "long boundary": (f"multipart/form-data; boundary={'B' * 5000}", PART, 400, "Boundary"),
    "many fields": (
        "multipart/form-data; boundary=B",
        (PART.replace(b'; filename="a"', b"") + b"\r\n") * 200 + b"--B--\r\n",
        413,
        "parts",
    ),
    "many headings": (
        "multipart/form-data; boundary=B",
        b"--B\r\n" + b"A: b\r\n" * 100 + b"\r\nabc\r\n--B--\r\n",
        400,
        "cannot be read",
    ),
}


@pytest.mark.parametrize(("kind", "content", "status", "words"), FORMS.values(), ids=FORMS.keys())
def test_forms_that_are_none_are_refused(client, kind, content, status, words):
    answer = client.post("/v1/classify", content=content, headers={"Content-Type": kind})
    assert words in refused(answer, status)


def test_too_many_pictures_are_refused(client):
    files = [("file", (f"{index}.png", picture())) for index in range(4)]
    assert "3 pictures" in refused(client.post("/v1/classify", files=files), 413)


@pytest.mark.parametrize("query", ["top=0", "top=1e9", "top=x", "maps=perhaps", "top=-1"])
def test_parameters_that_make_no_sense_are_named(client, query):
    answer = client.post(f"/v1/classify?{query}", content=picture())
    assert query.partition("=")[0] in refused(answer, 422)


@pytest.mark.parametrize("threshold", ["nan", "-1", "2", "inf", "x"])
def test_thresholds_that_make_no_sense_are_refused(tmp_path, threshold):
    with serving(finder(tmp_path)) as client:
        answer = client.post(f"/v1/detect?threshold={threshold}", content=picture())
        assert "threshold" in refused(answer, 422)


def test_what_is_packed_is_refused(client):
    packed = zlib.compress(bytes(100_000))
    answer = client.post("/v1/classify", content=packed, headers={"Content-Encoding": "deflate"})
    assert "packed" in refused(answer, 415)


def test_a_request_that_comes_letter_by_letter_is_ended(client):
    """Slow loris, in its first lines and in the rest; others are answered meanwhile."""
    with connected(client) as slow, connected(client) as slower, connected(client) as silent:
        slow.sendall(b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nX-")
        slower.sendall(head("POST", "/v1/classify", "Content-Length: 1000") + b"\xff\xd8\xff")
        for _ in range(4):
            time.sleep(0.1)
            slow.sendall(b"a")
            slower.sendall(b"a")
            assert client.post("/v1/classify", content=picture()).status_code == 200
        assert status_of(slow) == 408
        assert status_of(slower) == 408
        assert status_of(silent) == 408


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000,
    ],
    ids=["TLS", "words", "no host", "negative", "two lengths", "encoding", "huge head"],
)
def test_what_is_not_http_is_refused(client, words):
    with connected(client) as line:
        line.sendall(words)
        answer = everything(line)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert b"application/problem+json" in answer


def test_who_leaves_early_leaves_nothing_behind(client):
    for sent in (0, 100, len(WHOLE)):
        with connected(client) as line:
            line.sendall(head("POST", "/v1/classify", f"Content-Length: {len(WHOLE)}"))
            line.sendall(WHOLE[:sent])
    time.sleep(0.2)
    assert client.service.gate.under_way == 0


def test_a_length_that_is_too_long_waits_no_longer_than_the_limit(client):
    with connected(client) as line:
        line.sendall(head("POST", "/v1/classify", f"Content-Length: {len(WHOLE) + 9}") + WHOLE)
        assert status_of(line) == 408


def connected(client):
    return socket.create_connection(("127.0.0.1", client.port), timeout=5)


def head(method, path, *lines):
    first = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines]
    return "".join(f"{line}\r\n" for line in [*first, ""]).encode()


def everything(line):
    received = b""
    try:
        while part := line.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    return received


def status_of(line):
    return int(line.recv(65536).split()[1])


@pytest.mark.parametrize(("packing", "refused"), [(0, False), (1, True), (2, True)])
def test_a_packed_bmp_is_refused_before_it_is_read(packing, refused):
    head = struct.pack("<2sIHHI", b"BM", 100, 0, 0, 54)
    content = head + struct.pack("<IiiHHIIiiII", 40, 20_000_000, 2, 1, 8, packing, *[0] * 5)
    if refused:
        with pytest.raises(RefusalError, match="packed BMP"):
            kinds.check("it", content)
    else:
        kinds.check("it", content)
