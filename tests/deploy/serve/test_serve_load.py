"""Many at a time: answered together, refused beyond the queue, and a stop that loses nothing."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from residua.deploy.serve.gate import Gate
from residua.deploy.serve.limits import Limits
from residua.deploy.serve.line import Line, Wish
from residua.deploy.serve.metrics import Spread, Tally, text
from residua.deploy.serve.problems import RefusalError
from residua.errors import ConfigError, DataError
from served import Bright, bright, picture, refused, serving


class Numbers:
    """A desk that reads numbers and doubles them."""

    most = 4

    def __init__(self, wait=0.0):
        self.wait = wait
        self.batches = []

    def prepare(self, content, wish):
        if content == b"bad":
            raise DataError("the picture is no number")
        return int(content)

    def answer(self, prepared, wishes):
        self.batches.append(list(prepared))
        time.sleep(self.wait)
        if 666 in prepared:
            raise RuntimeError("unlucky")
        return [{"twice": 2 * number} for number in prepared]


def asked(desk, contents, *, ahead=False, seconds=5.0, readers=2):
    """Ask about all contents at once; the answers or what was raised."""

    async def all_of_them():
        line = Line(desk, readers=readers, ahead=ahead)
        line.start()
        asking = [line.ask(content, Wish(), seconds) for content in contents]
        found = await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.to_thread(line.close)
        assert not line.works
        assert len(line) == 0
        return found

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("ahead", [False, True])
def test_everybody_gets_the_own_answer_and_many_are_answered_together(ahead):
    desk = Numbers(wait=0.01)
    found = asked(desk, [str(number).encode() for number in range(40)], ahead=ahead)
    assert [each.content["twice"] for each in found] == [2 * number for number in range(40)]
    assert sorted(number for batch in desk.batches for number in batch) == list(range(40))
    assert max(map(len, desk.batches)) == Numbers.most
    assert len(desk.batches) <= 14
    assert {each.together for each in found} <= {1, 2, 3, 4}


def test_one_that_fails_spoils_no_other():
    found = asked(Numbers(), [b"1", b"bad", b"666", b"4"])
    assert found[0].content["twice"] == 2
    assert isinstance(found[1], DataError)
    assert isinstance(found[2], RuntimeError)
    assert found[3].content["twice"] == 8


def test_who_waits_too_long_is_told_why():
    desk = Numbers(wait=0.3)
    found = asked(desk, [b"1"] * 8, seconds=0.15)
    statuses = sorted(each.status for each in found)
    assert set(statuses) == {429, 503}
    # Who gave up is not computed for.
    assert sum(map(len, desk.batches)) == statuses.count(503)


def test_the_gate_counts_and_has_an_end():
    gate = Gate(Limits(queue=2, memory=100))
    with gate.entered(), gate.entered():
        with pytest.raises(RefusalError) as told, gate.entered():
            pass
        assert told.value.status == 429
        assert int(told.value.headers["Retry-After"]) >= 1
        gate.hold(60)
        with pytest.raises(RefusalError):
            gate.hold(41)
        gate.release(60)
    assert (gate.under_way, gate.accepted, gate.answered, gate.bytes) == (0, 2, 2, 0)


def test_limits_that_let_nothing_through_are_refused():
    with pytest.raises(ConfigError, match=r"limits\.queue must be above 0, got 0"):
        Limits(queue=0).check()


def test_numbers_are_written_as_prometheus_reads_them():
    tally, spread = Tally("a_total", "A.", ("b",)), Spread("s_seconds", "S.", (0.1, 1.0))
    tally.add('say "hi"')
    for value in (0.05, 0.1, 0.5, 7.0):
        spread.add(value)
    assert text([tally, spread]) == (
        "# HELP a_total A.\n# TYPE a_total counter\n"
        'a_total{b="say \\"hi\\""} 1\n'
        "# HELP s_seconds S.\n# TYPE s_seconds histogram\n"
        's_seconds_bucket{le="0.1"} 2\ns_seconds_bucket{le="1"} 3\n'
        's_seconds_bucket{le="+Inf"} 4\ns_seconds_sum 7.650000\ns_seconds_count 4\n'
    )


def test_requests_of_many_clients_are_answered_together(tmp_path):
    engine = Bright(wait=0.02)
    with serving(bright(tmp_path, engine=engine)) as client:
        engine.batches.clear()

        def shine(light):
            (result,) = post(client, picture(light=light)).json()["results"]
            return result["classes"][0]["class"], light

        with ThreadPoolExecutor(16) as pool:
            found = list(pool.map(shine, [0, 255] * 40))
    assert all((name == "bright") == (light == 255) for name, light in found)
    assert sum(engine.batches) == 80
    assert len(engine.batches) < 40


def test_more_than_the_queue_takes_are_told_when_to_come_back(tmp_path):
    with serving(bright(tmp_path, engine=Bright(wait=0.2)), queue=2) as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(client, picture()), range(8)))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 429}
        for answer in answers:
            if answer.status_code == 429:
                assert "come back" in refused(answer, 429)
                assert int(answer.headers["Retry-After"]) >= 1


def test_more_connections_than_allowed_are_refused(tmp_path):
    with serving(bright(tmp_path), connections=1) as client:
        assert client.get("/health").status_code == 200
        with httpx.Client(trust_env=False, verify=False) as other:
            answer = other.get(f"http://127.0.0.1:{client.port}/health")
        assert "connections" in refused(answer, 429)


def test_a_network_that_fails_is_no_trace_and_no_end(tmp_path, caplog):
    class Failing(Bright):
        def __call__(self, pixels):
            if pixels.float().mean() < 50:
                raise RuntimeError("secret: /home/me")
            return super().__call__(pixels)

    with serving(bright(tmp_path, engine=Failing())) as client:
        sentence = refused(client.post("/v1/classify", content=picture(light=0)), 500)
        assert "secret" not in sentence
        assert client.post("/v1/classify", content=picture(light=200)).status_code == 200
    assert "secret" in caplog.text


def test_a_stop_under_load_loses_no_accepted_request(tmp_path):
    engine = Bright(wait=0.03)
    answers, broken = [], []
    with serving(bright(tmp_path, engine=engine)) as client:
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    answers.append(post(client, picture()))
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    broken.append(error)
                    return

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        time.sleep(0.4)
        client.server.should_exit = True
        for asker in askers:
            asker.join(10)
        stop.set()
        gate = client.service.gate
    assert len(answers) > 20
    assert {answer.status_code for answer in answers} == {200}
    assert broken == []
    assert gate.accepted == gate.answered == len(answers)


def post(client, content):
    return client.post("/v1/classify", content=content)
