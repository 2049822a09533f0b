"""What is counted and timed, for Prometheus: one value a process (or a test) holds, no global registry.

Labels are small closed sets, never a number, an id or a path. Times are seconds.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
# Around the figures we are judged by: 0.3 s to first audio and context, 0.7/1.2 s response gap, 0.4 s to stop.
_BUCKETS: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2, 1.6, 2.0, 3.0, 5.0)


class Metrics:
    """Counters and timings of one process. Methods are cheap and never raise."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._webhooks = self._counter("webhooks", "Webhooks by kind and how they were answered", "kind", "result")
        self._signatures = self._counter("bad_signatures", "Requests whose signature was wrong, by door", "door")
        self._media = self._counter("media_sockets", "Media sockets by how they ended", "end")
        self._requests = self._counter("api_requests", "Requests by route and status", "route", "status")
        self._started = self._counter("calls_started", "Calls dialled or come in", "direction")
        self._ended = self._counter("calls_ended", "Calls ended, by disposition", "disposition")
        self._refused = self._counter("attempts_refused", "Attempts the gate refused, by rule", "rule")
        self._faults = self._counter("faults", "Things that went wrong and were survived, by code", "code")
        self._dropped = self._counter("live_events_dropped", "Live events a slow reader lost")
        self._live = Gauge("offhook_live_calls", "Calls going on now", registry=self.registry)
        self._readers = Gauge("offhook_event_readers", "Open live event sockets", registry=self.registry)
        self._gap = self._timing("response_gap", "Caller stopped to agent audible")
        self._first = self._timing("first_audio", "Answer to first agent audio")
        self._stop = self._timing("barge_in_stop", "Caller took the floor to agent silent")
        self._context = Histogram(
            "offhook_context_seconds",
            "Context gathered, from dialling, by source",
            ["source"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def webhook(self, kind: str, result: str) -> None:
        self._webhooks.labels(kind, result).inc()

    def bad_signature(self, door: str) -> None:
        self._signatures.labels(door).inc()

    def media_socket(self, end: str) -> None:
        self._media.labels(end).inc()

    def request(self, route: str, status: int) -> None:
        self._requests.labels(route, str(status)).inc()

    def call_started(self, direction: str) -> None:
        self._started.labels(direction).inc()
        self._live.inc()

    def call_ended(self, disposition: str) -> None:
        self._ended.labels(disposition).inc()
        self._live.dec()

    def attempt_refused(self, rule: str) -> None:
        self._refused.labels(rule).inc()

    def fault(self, code: str) -> None:
        self._faults.labels(code).inc()

    def events_dropped(self, count: int) -> None:
        self._dropped.inc(count)

    def reader_joined(self) -> None:
        self._readers.inc()

    def reader_left(self) -> None:
        self._readers.dec()

    def response_gap(self, seconds: float) -> None:
        self._gap.observe(seconds)

    def first_audio(self, seconds: float) -> None:
        self._first.observe(seconds)

    def barge_in_stop(self, seconds: float) -> None:
        self._stop.observe(seconds)

    def context_took(self, source: str, seconds: float) -> None:
        self._context.labels(source).observe(seconds)

    def exposition(self) -> bytes:
        """The text a scraper reads."""
        return generate_latest(self.registry)

    def value(self, name: str, **labels: str) -> float:
        """The value of a sample now, 0 if it was never touched: for tests and the doctor."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"offhook_{name}", meaning, labels, registry=self.registry)

    def _timing(self, name: str, meaning: str) -> Histogram:
        return Histogram(f"offhook_{name}_seconds", meaning, buckets=_BUCKETS, registry=self.registry)
