"""What a crawl came to, and what to do with it."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from cli.progress import duration
from cli.recording import Recorder
from crawler.targets import TargetReport

TOP_TECHNOLOGIES = 10
TOP_CATEGORIES = 12


def crawl_summary(recorder: Recorder, report: TargetReport, *, finished: bool) -> str:
    """Outcomes, what can be assessed, what is used most, and the next commands; several lines."""
    store, crawl_id = recorder.store, recorder.crawl.id
    outcomes = store.outcomes(crawl_id)
    took = duration(monotonic() - recorder.began_s)
    lines = [
        f"{'done' if finished else 'stopped'} after {took}: {sum(outcomes.values()):,} targets have a record",
        _row("outcomes", outcomes.items()),
        _row("list", _list_counts(report)),
    ]
    if report.first_rejected:
        lines.append(f"  rejected     {report.first_rejected}; all of them are in {report.rejected_path}")
    assessable = sorted(store.assessable(crawl_id).items(), key=lambda item: (-item[1], item[0]))
    lines.append(_row("assessable", assessable[:TOP_CATEGORIES]))
    lines.append(_row("most used", store.top_technologies(crawl_id, TOP_TECHNOLOGIES)))
    lines.append(f"  log          {store.path.with_suffix('.log')}")
    lines += _next_steps(recorder, finished=finished)
    return "\n".join(line for line in lines if line)


def _list_counts(report: TargetReport) -> list[tuple[str, int]]:
    counts = [
        ("lines", report.lines),
        ("duplicates", report.duplicates),
        ("rejected", report.rejected),
        ("suppressed", report.suppressed),
    ]
    return [(name, count) for name, count in counts if count]


def _row(label: str, counts: Iterable[tuple[str, int]]) -> str:
    text = ", ".join(f"{name} {count:,}" for name, count in counts)
    return f"  {label:<12} {text}" if text else ""


def _next_steps(recorder: Recorder, *, finished: bool) -> list[str]:
    database = f" --db {recorder.store.path}" if str(recorder.store.path) != "data/technograph.db" else ""
    lines = ["next:"]
    if not finished:
        lines.append("  run the same command again to go on where it stopped")
    lines.append(f"  technograph find 'tech:shopify AND lacks:reviews'{database}")
    lines.append(f"  technograph score data/icp/dtc-reviews.yaml{database}")
    return lines
