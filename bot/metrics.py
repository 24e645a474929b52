"""What Prometheus may ask: questions, how long they took, what waits. No text, no user, no address."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.metrics_core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_GAUGES = {
    "entries": "Entries of the knowledge in use",
    "in_hand": "Questions that are being answered or written",
    "spooled": "Questions that wait for the log to take rows again",
    "unsafe": "Questions of these that are only in memory",
    "dropped": "Questions that the log will never have",
}


class Metrics:
    """`health` is asked at every scrape: its numbers, and those of its channels, become gauges."""

    def __init__(self, health: Callable[[], dict[str, Any]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_State(health))
        new: dict[str, Any] = {"namespace": "reformbot", "registry": self._registry}
        questions = Counter("questions", "Questions by channel and status", ["channel", "status"], **new)
        answered = "Seconds from understanding a question to its worded reply"
        answer = Histogram("answer_seconds", answered, ["channel"], buckets=_SECONDS, **new)
        handled = "Seconds from taking a message to its durable row"
        handle = Histogram("handle_seconds", handled, ["channel"], buckets=_SECONDS, **new)
        self._questions, self._answer, self._handle = (
            cache(questions.labels),
            cache(answer.labels),
            cache(handle.labels),
        )
        self._verdicts = Counter("verdicts", "Verdicts of citizens", ["verdict"], **new)
        self._events = Counter("events", "Things that happen behind the scenes", ["kind", "outcome"], **new)

    def asked(self, channel: str, status: str, answer_seconds: float, handle_seconds: float) -> None:
        """One question is done."""
        self._questions(channel, status).inc()
        self._answer(channel).observe(answer_seconds)
        self._handle(channel).observe(handle_seconds)

    def judged(self, verdict: str | None) -> None:
        """A citizen gave a verdict, or took it back."""
        self._verdicts.labels(verdict or "withdrawn").inc()

    def happened(self, kind: str, outcome: str = "ok") -> None:
        """A reload, a token refresh, a purge; both words from a small fixed set."""
        self._events.labels(kind, outcome).inc()

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _State(Collector):
    """The numbers of /healthz."""

    def __init__(self, health: Callable[[], dict[str, Any]]) -> None:
        self._health = health

    def describe(self) -> Iterator[Metric]:
        """Nothing to say beforehand: there is no health before the program runs."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One gauge a number."""
        state = self._health()
        yield GaugeMetricFamily("reformbot_up", "Whether everything works", value=float(state["status"] == "ok"))
        for name, text in _GAUGES.items():
            yield GaugeMetricFamily(f"reformbot_{name}", text, value=float(state.get(name, 0)))
        yield GaugeMetricFamily("reformbot_alerts", "Alerts that last", value=float(len(state.get("alerts", {}))))
        version = GaugeMetricFamily("reformbot_knowledge_info", "Knowledge in use", labels=["version"])
        version.add_metric([state["knowledge"]], 1.0)
        yield version
        yield from _channels(state.get("channels", {}))


def _channels(channels: dict[str, dict[str, Any]]) -> Iterator[Metric]:
    up = GaugeMetricFamily("reformbot_channel_up", "Whether a channel works", labels=["channel"])
    waiting = GaugeMetricFamily("reformbot_channel_waiting", "Replies that wait to be sent", labels=["channel"])
    for name, state in channels.items():
        up.add_metric([name], float(state.get("status") == "ok"))
        waiting.add_metric([name], float(state.get("waiting", 0)))
    yield up
    yield waiting
