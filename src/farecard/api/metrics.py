"""What is counted, for Prometheus.

A command costs a few additions to plain numbers; the text is made when it is asked for. Several workers leave their
numbers in one folder once a second, and whichever is asked adds all of them up; those of a worker that is
gone stay, so that no count ever falls.
"""

import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from farecard.wire.answer import Answer

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
COMMANDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
COUNTERS = {
    "decisions": (
        "Decisions by outcome and rule, or by code where no rule speaks.",
        ("outcome", "rule"),
    ),
    "repeated": ("Commands that had been decided before and got the same answer.", ()),
    "requests": ("Requests by route and status.", ("route", "status")),
}
HISTOGRAMS = {
    "request_seconds": (
        "Seconds from a request's headers to the end of its answer.",
        ("route",),
        SECONDS,
    ),
    "commit_seconds": ("Seconds from sending a batch to its being durable.", (), SECONDS),
    "batch_commands": ("Commands a commit.", (), COMMANDS),
}
GAUGES = {
    "queue_waiting": "Commands that wait to be decided.",
    "connections": "Open connections.",
}
_APART = "\x1f"


class Spread:
    """How often values fell between bounds, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Numbers(msgspec.Struct):
    """One process's counts, as they lie in the folder; labels are joined."""

    counters: dict[str, dict[str, int]]
    histograms: dict[str, dict[str, tuple[list[int], float]]]
    gauges: dict[str, float]


class Metrics:
    """What this process counts; with a ``folder`` it shares it with the other workers."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._decisions: Counter[tuple[str, ...]] = Counter()
        self._repeated = 0
        self._requests: Counter[tuple[str, ...]] = Counter()
        self._seconds: dict[str, Spread] = defaultdict(lambda: Spread(SECONDS))
        self._commit = Spread(SECONDS)
        self._batch = Spread(COMMANDS)

    def kept(self, commands: int, seconds: float) -> None:
        """A batch became durable."""
        self._batch.add(commands)
        self._commit.add(seconds)

    def answered(self, answers: list[Answer]) -> None:
        """Decisions leave."""
        for one in answers:
            reasons = one.reasons
            rule = (reasons[0].rule or reasons[0].code) if reasons else ""
            self._decisions[one.outcome, rule] += 1
            self._repeated += one.repeated

    def request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests[route, str(status)] += 1
        self._seconds[route].add(seconds)

    # -- for Prometheus ----------------------------------------------------------------------

    def _numbers(self, gauges: dict[str, float]) -> Numbers:
        def joined(counter: Counter[tuple[str, ...]]) -> dict[str, int]:
            return {_APART.join(labels): count for labels, count in counter.items()}

        def told(one: Spread) -> tuple[list[int], float]:
            return one.counts, one.sum

        return Numbers(
            {
                "decisions": joined(self._decisions),
                "repeated": {"": self._repeated},
                "requests": joined(self._requests),
            },
            {
                "request_seconds": {route: told(one) for route, one in self._seconds.items()},
                "commit_seconds": {"": told(self._commit)},
                "batch_commands": {"": told(self._batch)},
            },
            gauges,
        )

    def share(self, gauges: dict[str, float]) -> None:
        """Leave the numbers where the other workers find them."""
        if self._folder is None:
            return
        part = self._folder / f"{os.getpid()}.part"
        part.write_bytes(msgspec.json.encode(self._numbers(gauges)))
        part.rename(part.with_suffix(".json"))

    def leave(self) -> None:
        """The same for the last time: nothing waits here any more."""
        self.share(dict.fromkeys(GAUGES, 0.0))

    def text(self, gauges: dict[str, float]) -> bytes:
        """What Prometheus reads."""
        every = [self._numbers(gauges)]
        if self._folder is not None:
            others = (path for path in self._folder.glob("*.json") if path.stem != str(os.getpid()))
            every += [msgspec.json.decode(path.read_bytes(), type=Numbers) for path in others]
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Told(every))
        return generate_latest(registry)


class _Told:
    """Some processes' numbers as Prometheus' client library takes them."""

    def __init__(self, every: list[Numbers]) -> None:
        self._every = every

    def collect(self) -> Iterator[Metric]:
        """Each metric, added up."""
        for name, (text, labels) in COUNTERS.items():
            counter = CounterMetricFamily(f"farecard_{name}", text, labels=labels)
            total: Counter[str] = Counter()
            for one in self._every:
                total.update(one.counters[name])
            for key, count in sorted(total.items()):
                counter.add_metric(_labels(key, labels), count)
            yield counter
        for name, (text, labels, bounds) in HISTOGRAMS.items():
            histogram = HistogramMetricFamily(f"farecard_{name}", text, labels=labels)
            for key, spread in sorted(self._added(name, bounds).items()):
                up_to, buckets = 0, []
                for bound, count in zip((*bounds, float("inf")), spread.counts, strict=True):
                    up_to += count
                    buckets.append(("+Inf" if bound == float("inf") else str(bound), up_to))
                histogram.add_metric(_labels(key, labels), buckets, spread.sum)
            yield histogram
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(
                f"farecard_{name}", text, value=sum(one.gauges.get(name, 0) for one in self._every)
            )

    def _added(self, name: str, bounds: tuple[float, ...]) -> dict[str, Spread]:
        found: dict[str, Spread] = defaultdict(lambda: Spread(bounds))
        for one in self._every:
            for key, (counts, seconds) in one.histograms[name].items():
                spread = found[key]
                spread.counts = [a + b for a, b in zip(spread.counts, counts, strict=True)]
                spread.sum += seconds
        return found


def _labels(key: str, names: tuple[str, ...]) -> list[Any]:
    return key.split(_APART) if names else []
