"""Clients of a server, in one process on one core: as many as asked for, each asks again at once.

Prints one line of JSON: how many requests got which status, the seconds of each good one in
percentiles, the processor time of this process, and what was left without an answer. Bad requests
(bench/serve_kinds.py) come on connections of their own, and every kind equally often.
"""

import argparse
import json
import os
import random
import resource
import selectors
import socket
import statistics
import time
from collections import Counter

from serve_kinds import good, hostile

READ = 1 << 18
DRIP = 0.5
LONGEST = 60.0
# Bad requests at a time.
BAD = 64


class Tally:
    """What came of all requests."""

    def __init__(self):
        self.statuses = Counter()
        self.bad = Counter()
        self.seconds = []
        self.lost = 0
        self.refused = 0


class Asker:
    """A good client: sends, waits for the answer, and sends again on the same connection."""

    def __init__(self, load, requests):
        self.load = load
        self.requests = requests
        self.line = None

    def begin(self):
        """Ask the next, on a new connection if there is none."""
        content = self.load.next_good(self.requests)
        if content is None:
            self.end()
            return
        if self.line is None and not self.connect():
            return
        self.left, self.got, self.began = memoryview(content), bytearray(), time.perf_counter()
        self.send()

    def connect(self):
        """Open a connection; a server that is gone is asked no more."""
        try:
            self.line = socket.create_connection(self.load.place, timeout=5)
        except OSError:
            self.load.tally.refused += 1
            self.load.askers -= 1
            return False
        self.line.setblocking(False)
        self.load.selector.register(self.line, selectors.EVENT_READ, self)
        return True

    def end(self):
        self.close()
        self.load.askers -= 1

    def close(self):
        if self.line is not None:
            self.load.selector.unregister(self.line)
            self.line.close()
            self.line = None

    def send(self):
        try:
            while self.left:
                self.left = self.left[self.line.send(self.left) :]
        except BlockingIOError:
            pass
        except OSError:
            self.left = self.left[:0]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.left else 0)
        if self.load.selector.get_key(self.line).events != events:
            self.load.selector.modify(self.line, events, self)

    def happened(self, events):
        if events & selectors.EVENT_WRITE:
            self.send()
        if events & selectors.EVENT_READ:
            try:
                part = self.line.recv(READ)
            except OSError:
                part = b""
            self.got += part
            if not part or whole(self.got):
                self.answered()

    def answered(self):
        """Count the answer, or that there will be none."""
        if not whole(self.got):
            self.load.tally.lost += 1
            self.close()
        else:
            self.load.tally.statuses[status(self.got)] += 1
            self.load.tally.seconds.append(time.perf_counter() - self.began)
            if b"\r\nconnection: close" in self.got.partition(b"\r\n\r\n")[0].lower():
                self.close()
        self.begin()


class Stranger:
    """A bad client: one request, in its way."""

    def __init__(self, load, kind, sent):
        self.load, self.kind, self.sent = load, kind, sent
        self.left, self.got = memoryview(sent.content), bytearray()
        self.line = socket.create_connection(load.place, timeout=5)
        self.line.setblocking(False)
        self.end_at = time.monotonic() + LONGEST
        self.drip_at = time.monotonic() + DRIP
        load.selector.register(self.line, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def happened(self, events):
        if events & selectors.EVENT_READ:
            try:
                part = self.line.recv(READ)
            except OSError:
                part = b""
            self.got += part
            if not part or whole(self.got):
                self.finish()
                return
        if events & selectors.EVENT_WRITE:
            self.send()

    def send(self):
        try:
            while self.left:
                self.left = self.left[self.line.send(self.left) :]
        except BlockingIOError:
            return
        except OSError:
            pass
        if self.sent.way == "leave":
            self.finish(left=True)
            return
        self.load.selector.modify(self.line, selectors.EVENT_READ, self)

    def tick(self, now):
        """Send one letter more, where that is the way."""
        if now > self.end_at:
            self.finish()
        elif self.sent.way == "drip" and now > self.drip_at and not self.left:
            self.drip_at = now + DRIP
            try:
                self.line.send(b"a")
            except OSError:
                self.finish()

    def finish(self, *, left=False):
        told = "left" if left else (status(self.got) if whole(self.got) else "no answer")
        self.load.tally.bad[f"{self.kind}: {told}"] += 1
        self.load.selector.unregister(self.line)
        self.line.close()
        self.load.strangers.discard(self)


class Load:
    """All clients of one stretch."""

    def __init__(self, options, requests, kinds):
        self.place = ("127.0.0.1", options.port)
        self.selector = selectors.DefaultSelector()
        self.tally = Tally()
        self.strangers = set()
        self.random = random.Random(options.seed)
        count = round(options.requests * options.hostile) if kinds else 0
        names = list(kinds)
        self.waiting = [(names[i % len(names)], kinds[names[i % len(names)]]) for i in range(count)]
        self.random.shuffle(self.waiting)
        self.good = options.requests - count if options.requests else None
        self.share = options.hostile
        self.until = time.monotonic() + options.seconds if not options.requests else float("inf")
        self.requests = requests
        self.sent = 0
        self.askers = options.clients

    def next_good(self, requests):
        """Give the next good request; None if there are enough."""
        if time.monotonic() > self.until or (self.good is not None and self.sent >= self.good):
            return None
        self.sent += 1
        return requests[self.sent % len(requests)]

    def run(self):
        clients = [Asker(self, self.requests) for _ in range(self.askers)]
        for client in clients:
            client.begin()
        while self.askers or self.strangers or (self.waiting and self.good is not None):
            for key, events in self.selector.select(0.05):
                key.data.happened(events)
            self.admit()
            now = time.monotonic()
            for stranger in list(self.strangers):
                stranger.tick(now)

    def admit(self):
        """Let bad clients in at their share, and the rest of them in the end."""
        due = (self.sent + 1) * self.share / (1 - self.share) if self.askers else float("inf")
        begun = sum(self.tally.bad.values()) + len(self.strangers)
        while self.waiting and begun < due and len(self.strangers) < BAD:
            self.strangers.add(Stranger(self, *self.waiting.pop()))
            begun += 1


def whole(got):
    """Whether an answer has arrived to its end."""
    head, end, _ = bytes(got[:4096]).partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(got) - len(head) - 4 >= int(line[15:])
    return False


def status(got):
    return str(int(bytes(got[9:12])))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--pictures", required=True)
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--requests", type=int, default=0, help="so many instead of a time")
    options.add_argument("--hostile", type=float, default=0.0, help="share of bad requests")
    options.add_argument("--core", type=int, default=-1)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    if chosen.core >= 0:
        os.sched_setaffinity(0, {chosen.core})
    requests = good(chosen.pictures)
    picture = requests[0].partition(b"\r\n\r\n")[2]
    load = Load(chosen, requests, hostile(picture) if chosen.hostile else {})
    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    load.run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    spent = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    seconds = sorted(load.tally.seconds) or [0.0]
    cuts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    told = {
        "statuses": dict(load.tally.statuses),
        "bad": dict(sorted(load.tally.bad.items())),
        "lost": load.tally.lost,
        "wall": time.perf_counter() - began,
        "processor": spent,
        "p50": cuts[49],
        "p99": cuts[98],
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
