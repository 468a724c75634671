"""Pictures in a line: some threads read them, one answers as many together as are ready.

On few cores reading and computing do not pay side by side: a thread of the network that loses its
core to a decoder keeps all others waiting. So by default the two take turns.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from residua.deploy.serve.problems import RefusalError, later

# Pictures that are ready wait for those being read at most so many seconds, or for half the time
# that the network took last if that is longer.
SHORTEST = 0.02
# Those who were answered together ask again together: so long, as a share of that time and in
# seconds, another may come after the last.
SHARE, LONGEST = 0.05, 0.005


@dataclass(frozen=True)
class Wish:
    """What is to be said of a picture.

    Args:
        top: of classifiers: how many classes.
        maps: of classifiers: their activation maps too.
        invert: of classifiers: swap light and dark first.
        threshold: of detectors: the least score.
    """

    top: int = 5
    maps: bool = False
    invert: bool = False
    threshold: float = 0.5


class Desk(Protocol):
    """Reads pictures and answers what is wished of them.

    Attributes:
        most: pictures that are answered together.
    """

    @property
    def most(self) -> int: ...

    def prepare(self, content: bytes, wish: Wish) -> Any:
        """Read a picture; several threads do."""
        ...

    def answer(self, prepared: Sequence[Any], wishes: Sequence[Wish]) -> list[dict[str, Any]]:
        """Say what is wished of each; one thread does."""
        ...


@dataclass(frozen=True)
class Answered:
    """What was said of a picture, and the seconds that it took.

    Args:
        content: what was said.
        read: seconds for reading it.
        waited: seconds in the line.
        computed: seconds of the network, for all pictures that were answered together.
        together: how many these were.
    """

    content: dict[str, Any]
    read: float
    waited: float
    computed: float
    together: int


@dataclass(eq=False)
class Job:
    """A picture in the line."""

    content: bytes
    wish: Wish
    future: asyncio.Future[Answered]
    came: float = field(default_factory=time.perf_counter)
    read: float = 0.0
    prepared: Any = None
    begun: bool = False
    given_up: bool = False


Outcome = Answered | BaseException


class Line:
    """`ask` puts a picture into it, and waits for what is said of it.

    Args:
        desk: reads and answers.
        readers: threads that read.
        ahead: whether they read while the network computes.
    """

    def __init__(self, desk: Desk, *, readers: int, ahead: bool) -> None:
        self._desk = desk
        self._ahead = ahead
        self._changed = threading.Condition()
        self._unread: deque[Job] = deque()
        self._ready: deque[Job] = deque()
        self._reading = 0
        self._computing = False
        self._closed = False
        self._arrived = 0
        self._spent = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        works: list[Callable[[], None]] = [*([self._read_all] * readers), self._answer_all]
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]

    def __len__(self) -> int:
        return len(self._unread) + len(self._ready) + self._reading

    @property
    def works(self) -> bool:
        """Whether all of its threads are there."""
        return all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        """Begin; in the thread of the event loop that will ask."""
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def close(self, seconds: float = 60.0) -> None:
        """Finish all that is in the line, and end; give up after some seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(seconds)

    async def ask(self, content: bytes, wish: Wish, seconds: float) -> Answered:
        """Wait for what is said of a picture.

        Args:
            content: of its file.
            wish: what is to be said.
            seconds: to wait at most.

        Raises:
            DataError: it cannot be read.
            RefusalError: the time is over.
        """
        job = Job(content, wish, asyncio.get_running_loop().create_future())
        with self._changed:
            self._unread.append(job)
            self._arrived += 1
            self._changed.notify_all()
        try:
            async with asyncio.timeout(seconds):
                return await job.future
        except TimeoutError:
            if job.begun:
                raise RefusalError(
                    503, f"the network has not answered within {seconds:g} s", {"Retry-After": "5"}
                ) from None
            raise later(
                f"the picture waited {seconds:g} s for its turn; come back later", seconds
            ) from None
        finally:
            job.given_up = True

    def _read_all(self) -> None:
        while (job := self._next()) is not None:
            began, fault = time.perf_counter(), None
            try:
                job.prepared = self._desk.prepare(job.content, job.wish)
            except BaseException as error:
                fault = error
            job.content, job.read = b"", time.perf_counter() - began
            with self._changed:
                self._reading -= 1
                if fault is None:
                    self._ready.append(job)
                self._changed.notify_all()
            if fault is not None:
                self._hand_back([(job, fault)])

    def _next(self) -> Job | None:
        """Wait for a picture to read; None once there will be no more."""
        with self._changed:
            while True:
                self._changed.wait_for(self._may_read)
                if not self._unread:
                    return None
                job = self._unread.popleft()
                if not job.given_up:
                    self._reading += 1
                    return job

    def _may_read(self) -> bool:
        if not self._unread:
            return self._closed
        # What is read is large, what is not read is not.
        room = len(self._ready) + self._reading < 2 * self._desk.most
        return room and (self._ahead or not self._computing)

    def _answer_all(self) -> None:
        while jobs := self._batch():
            began = time.perf_counter()
            outcomes = self._answers(jobs)
            self._spent = time.perf_counter() - began
            with self._changed:
                self._computing = False
                self._changed.notify_all()
            self._hand_back(list(zip(jobs, outcomes, strict=True)))

    def _batch(self) -> list[Job]:
        """Wait for pictures that are ready; none once there will be no more."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._ready or self._over())
                if not self._ready:
                    return []
                self._gather()
                count = min(len(self._ready), self._desk.most)
                jobs = [self._ready.popleft() for _ in range(count)]
                self._changed.notify_all()
                wanted = [job for job in jobs if not job.given_up]
                for job in wanted:
                    job.begun = True
                self._computing = bool(wanted)
                if wanted:
                    return wanted

    def _gather(self) -> None:
        """Wait a little for others that are about to be ready."""
        end = time.perf_counter() + max(SHORTEST, self._spent / 2)
        pause = min(LONGEST, SHARE * self._spent)
        while len(self._ready) < self._desk.most and (left := end - time.perf_counter()) > 0:
            arrived = self._arrived
            if self._changed.wait_for(self._enough, left) and not self._changed.wait_for(
                lambda seen=arrived: self._arrived != seen, pause
            ):
                return

    def _over(self) -> bool:
        return self._closed and not self._unread and not self._reading

    def _enough(self) -> bool:
        return len(self._ready) >= self._desk.most or not (self._unread or self._reading)

    def _answers(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Answer pictures together; if that fails, each alone, so that one spoils no other."""
        began = time.perf_counter()
        try:
            contents = self._desk.answer([j.prepared for j in jobs], [j.wish for j in jobs])
        except BaseException as error:
            return [error] if len(jobs) == 1 else [self._answers([job])[0] for job in jobs]
        spent = time.perf_counter() - began
        return [
            Answered(content, job.read, began - job.came - job.read, spent, len(jobs))
            for job, content in zip(jobs, contents, strict=True)
        ]

    def _hand_back(self, outcomes: list[tuple[Job, Outcome]]) -> None:
        assert self._loop is not None
        for job, _ in outcomes:
            job.prepared = None
        self._loop.call_soon_threadsafe(_deliver, outcomes)


def _deliver(outcomes: list[tuple[Job, Outcome]]) -> None:
    for job, outcome in outcomes:
        if job.future.done():
            continue
        if isinstance(outcome, BaseException):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
