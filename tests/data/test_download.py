import errno
import hashlib
import resource
import shutil
import socket
import ssl
import time
from urllib.error import URLError

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from residua.data import download, partial
from residua.data.download import Remote, fetch
from residua.errors import ConfigError, DataError

CONTENT = bytes(i * i % 251 for i in range(10_000))


def checksum(content=CONTENT, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.fixture
def quick(server):
    """Fetch CONTENT as `file` from the server, without waiting."""
    server.files["file"] = CONTENT

    def call(path, *, mirrors=(), **settings):
        remote = Remote((*mirrors, f"{server.url}/file"), checksum())
        return fetch(remote, path, **{"timeout": 5, "pause": 0, **settings})

    return call


def fails(quick, path, **settings):
    with pytest.raises(DataError) as caught:
        quick(path, **settings)
    assert not path.exists()
    return str(caught.value)


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_is_fetched_whole_and_nothing_else_is_left(server, tmp_path, algorithm):
    server.files["a/b.gz"] = CONTENT
    remote = Remote((f"{server.url}/a/b.gz",), checksum(algorithm=algorithm))
    path = tmp_path / "new" / "b.gz"
    assert fetch(remote, path) == path
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_the_first_eight_digits_of_a_checksum_do(server, tmp_path):
    server.files["x"] = CONTENT
    fetch(Remote((f"{server.url}/x",), checksum()[:15]), tmp_path / "x")
    wrong = Remote((f"{server.url}/x",), "sha256:00000000")
    with pytest.raises(DataError, match="instead of 00000000"):
        fetch(wrong, tmp_path / "y", pause=0)


def test_a_file_that_is_there_is_not_asked_for(quick, server, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"mine"
    assert server.asked == []


def test_progress_tells_what_is_there_and_what_the_whole_is(quick, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:4000])
    told = []
    quick(tmp_path / "file", progress=lambda *numbers: told.append(numbers))
    assert told[0] == (4000, 10_000)
    assert told[-1] == (10_000, 10_000)
    assert told == sorted(told)


def test_what_is_there_is_not_fetched_again(quick, server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT[:4000])
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [("file", "bytes=4000-")]


def test_a_part_that_is_whole_needs_no_server(quick, server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == []


@pytest.mark.parametrize(
    ("part", "requests"),
    [
        (CONTENT[:4000], [("file", "bytes=4000-")]),
        (b"another version of it", [("file", "bytes=21-"), ("file", None)]),
        (CONTENT + b"more", [("file", "bytes=10004-"), ("file", None)]),
    ],
    ids=["beginning", "of another version", "too long"],
)
def test_a_part_is_used_or_thrown_away(quick, server, tmp_path, part, requests):
    (tmp_path / "file.part").write_bytes(part)
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == requests


def test_a_file_that_changes_on_the_way_is_fetched_anew(quick, server, tmp_path):
    server.files["file"] = CONTENT[::-1]
    server.faults = ["truncate"]

    def replace(done, total):
        if done:
            server.files["file"] = CONTENT

    quick(tmp_path / "file", progress=replace)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [span for _, span in server.asked] == [None, "bytes=5000-", None]


@pytest.mark.parametrize("fault", ["ignore range", "other piece"])
def test_a_server_that_knows_no_pieces_is_asked_for_the_whole(quick, server, tmp_path, fault):
    (tmp_path / "file.part").write_bytes(CONTENT[:4000])
    server.faults = [fault]
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_server_that_breaks_off_is_asked_for_the_rest(quick, server, tmp_path):
    server.faults = ["truncate"] * 6
    quick(tmp_path / "file", patience=2)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [span for _, span in server.asked[:3]] == [None, "bytes=5000-", "bytes=7500-"]


def test_a_server_that_falls_silent_is_asked_for_the_rest(quick, server, tmp_path):
    server.faults = ["stall"]
    quick(tmp_path / "file", timeout=0.2)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked[1] == ("file", "bytes=5000-")


def test_a_connection_that_stays_open_after_the_last_byte_is_not_waited_for(
    quick, server, tmp_path
):
    server.faults = ["linger"]
    began = time.monotonic()
    quick(tmp_path / "file", timeout=10)
    assert time.monotonic() - began < 5
    assert len(server.asked) == 1


def test_a_server_that_does_not_tell_the_length(quick, server, tmp_path):
    server.faults = ["no length"]
    told = []
    quick(tmp_path / "file", progress=lambda *numbers: told.append(numbers))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert told[-1] == (10_000, None)


def test_what_was_kept_is_said_and_used_the_next_time(quick, server, tmp_path):
    server.faults = ["truncate", "hang up"]
    message = fails(quick, tmp_path / "file", patience=1)
    assert "5,000 bytes have come and are kept: start again to go on" in message
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:5000]
    quick(tmp_path / "file")
    assert server.asked[-1] == ("file", "bytes=5000-")


def test_a_corrupted_file_is_fetched_once_more(quick, server, tmp_path):
    server.faults = ["corrupt"]
    quick(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_file_that_stays_corrupted_is_never_taken(quick, server, tmp_path):
    server.faults = ["corrupt"] * 20
    message = fails(quick, tmp_path / "file")
    assert f"instead of {checksum()[7:]}" in message
    assert "10,000 bytes of text/plain" in message
    assert str(tmp_path / "file") in message
    assert len(server.asked) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_a_hotel_is_told_from_a_file(server, tmp_path):
    server.files["file"] = b"<html>Please log in</html>"
    remote = Remote((f"{server.url}/file",), checksum())
    with pytest.raises(DataError, match="26 bytes of text/plain"):
        fetch(remote, tmp_path / "file", pause=0)


@pytest.mark.parametrize("fault", [404, 403, "corrupt"])
def test_the_next_server_is_asked(quick, server, tmp_path, fault):
    server.faults = [fault]
    server.files["other"] = CONTENT
    quick(tmp_path / "file", mirrors=[f"{server.url}/other"])
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [name for name, _ in server.asked] == ["other", "file"]


def test_what_every_server_answered_is_said(quick, server, tmp_path):
    server.faults = [404, 503, 503, 503, 503]
    message = fails(quick, tmp_path / "file", mirrors=[f"{server.url}/gone"])
    assert f"{server.url}/gone: it answered 404 Not Found" in message
    assert f"{server.url}/file: it answered 503 Service Unavailable" in message
    assert message.endswith(f"fetch it by hand and put it at {tmp_path / 'file'}")
    assert [name for name, _ in server.asked] == ["gone", *["file"] * 4]


def test_redirections_are_followed_but_not_for_ever(quick, server, tmp_path):
    server.faults = ["redirect", "redirect"]
    quick(tmp_path / "file")
    server.faults = ["redirect"] * 30
    assert "302" in fails(quick, tmp_path / "other")


def test_pauses_grow(quick, server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(download.time, "sleep", pauses.append)
    server.faults = ["hang up"] * 4
    fails(quick, tmp_path / "file", pause=0.5)
    assert pauses == [0.5, 1, 2]


@pytest.mark.parametrize(
    ("error", "sentence", "times"),
    [
        (socket.gaierror(-2, "Name or service not known"), "is there a network?", 1),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "is there a network?", 1),
        (ssl.SSLCertVerificationError("self-signed"), "self-signed", 1),
        (ConnectionRefusedError(111, "Connection refused"), "no connection", 3),
        (TimeoutError("timed out"), "it does not answer", 3),
    ],
)
def test_no_connection_is_a_sentence(tmp_path, monkeypatch, error, sentence, times):
    asked = []

    def unreachable(request, timeout):
        asked.append(request)
        raise URLError(error)

    monkeypatch.setattr(download, "urlopen", unreachable)
    remote = Remote(("https://nowhere.test/file",), checksum())
    with pytest.raises(DataError, match=r"nowhere\.test/file: .*by hand and put it at") as caught:
        fetch(remote, tmp_path / "file", patience=3, pause=0)
    assert sentence in str(caught.value)
    assert len(asked) == times


def test_a_port_where_nobody_listens(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        remote = Remote((f"http://127.0.0.1:{taken.getsockname()[1]}/x",), checksum())
        with pytest.raises(DataError, match="no connection"):
            fetch(remote, tmp_path / "x", pause=0)


def test_a_disk_without_room_is_known_before(quick, server, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=5999)
    monkeypatch.setattr(partial.shutil, "disk_usage", lambda path: usage)
    (tmp_path / "file.part").write_bytes(CONTENT[:4000])
    message = fails(quick, tmp_path / "file")
    assert "6,000 bytes are still to come, 5,999 are free" in message
    assert (tmp_path / "file.part").read_bytes() == CONTENT[:4000]


def test_a_disk_that_fills_up_loses_nothing(server, tmp_path):
    content = CONTENT * 100
    server.files["large"] = content
    remote = Remote((f"{server.url}/large",), checksum(content))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_001, limits[1]))
    try:
        with pytest.raises(DataError, match=r"the disk is full \(what has come is kept"):
            fetch(remote, tmp_path / "large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "large.part").read_bytes() == content[:300_001]
    fetch(remote, tmp_path / "large")
    assert server.asked[-1] == ("large", "bytes=300001-")
    assert (tmp_path / "large").read_bytes() == content


def test_a_place_that_cannot_be_written_is_a_sentence(quick, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DataError, match=r"cannot write .*taken/file"):
        quick(tmp_path / "taken" / "file")


def test_fetching_can_be_forbidden(quick, server, tmp_path, monkeypatch):
    monkeypatch.setenv("RESIDUA_OFFLINE", "1")
    message = fails(quick, tmp_path / "file")
    assert "RESIDUA_OFFLINE forbids" in message
    assert f"{server.url}/file" in message
    assert server.asked == []


def test_only_web_addresses_and_checksums_are_taken():
    with pytest.raises(ConfigError, match="file:///etc/passwd cannot be fetched"):
        Remote(("file:///etc/passwd",), checksum())
    with pytest.raises(ConfigError, match="crc:1234 is no checksum"):
        Remote(("https://a.test/b",), "crc:1234")


FAULTS = ["none", "truncate", "corrupt", "ignore range", "other piece", "hang up", "no length"]


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    faults=st.lists(st.sampled_from([*FAULTS, 404, 416, 503]), max_size=5),
    part=st.sampled_from([b"", CONTENT[:1], CONTENT[:7777], b"other", CONTENT, CONTENT + b"x"]),
)
def test_whatever_happens_the_file_is_right_or_not_there(quick, server, tmp_path, faults, part):
    path = tmp_path / "file"
    path.unlink(missing_ok=True)
    (tmp_path / "file.part").write_bytes(part)
    server.faults = list(faults)
    try:
        quick(path, patience=2)
    except DataError:
        assert not path.exists()
        server.faults = []
        quick(path, patience=2)
    assert path.read_bytes() == CONTENT
    assert not (tmp_path / "file.part").exists()
