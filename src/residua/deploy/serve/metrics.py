"""What a server has done so far, in numbers, as Prometheus reads them.

Sources:
    [T] Prometheus, Exposition formats, text-based format 0.0.4.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Upper ends of classes, in seconds and in pictures.
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
PICTURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Tally:
    """A number for every combination of labels, that only grows.

    Args:
        name: as [T] wants it; ends in _total.
        what: is counted.
        labels: their names.
    """

    def __init__(self, name: str, what: str, labels: Sequence[str] = ()) -> None:
        self.name, self.what, self.labels = name, what, tuple(labels)
        # What has no labels is 0 from the beginning.
        self.counts: Counter[tuple[str, ...]] = Counter({} if self.labels else {(): 0})

    def add(self, *values: str, count: int = 1) -> None:
        """Add to the number of these values of the labels."""
        self.counts[values] += count

    def lines(self) -> list[str]:
        """Write it."""
        rows = [
            f"{self.name}{_labels(dict(zip(self.labels, values, strict=True)))} {count}"
            for values, count in sorted(self.counts.items())
        ]
        return [*_head(self.name, self.what, "counter"), *rows]


class Spread:
    """How often values fell into each class.

    Args:
        name: as [T] wants it; ends in the unit.
        what: has these values.
        ends: upper ends of the classes, rising.
    """

    def __init__(self, name: str, what: str, ends: Sequence[float] = SECONDS) -> None:
        self.name, self.what, self.ends = name, what, tuple(ends)
        self.counts = [0] * (len(self.ends) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.ends, value)] += 1
        self.sum += value

    def lines(self) -> list[str]:
        """Write it; every class holds those below it, as [T] wants."""
        rows, below = _head(self.name, self.what, "histogram"), 0
        for end, count in zip((*map(_number, self.ends), "+Inf"), self.counts, strict=True):
            below += count
            rows.append(f'{self.name}_bucket{{le="{end}"}} {below}')
        return [*rows, f"{self.name}_sum {self.sum:.6f}", f"{self.name}_count {below}"]


class Gauge:
    """A number that is asked for when it is wanted.

    Args:
        name: as [T] wants it.
        what: it is.
        value: returns it.
        labels: that it always has.
        counter: whether it only grows.
    """

    def __init__(
        self,
        name: str,
        what: str,
        value: Callable[[], float],
        *,
        labels: dict[str, str] | None = None,
        counter: bool = False,
    ) -> None:
        self.name, self.what, self.value = name, what, value
        self.labels, self.kind = labels or {}, "counter" if counter else "gauge"

    def lines(self) -> list[str]:
        """Write it."""
        row = f"{self.name}{_labels(self.labels)} {_number(self.value())}"
        return [*_head(self.name, self.what, self.kind), row]


def text(metrics: Sequence[Tally | Spread | Gauge]) -> str:
    """Write all of them."""
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())


def _head(name: str, what: str, kind: str) -> list[str]:
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]


def _labels(labels: dict[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return f"{value:.10g}"
