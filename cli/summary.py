"""What a crawl came to, and what to do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic

from cli.progress import duration
from cli.recording import Recorder
from crawler.targets import TargetReport

TOP_TECHNOLOGIES = 10
TOP_CATEGORIES = 12


def crawl_summary(
    recorder: Recorder,
    report: TargetReport,
    stats: Mapping[str, float],
    *,
    finished: bool,
    page: Path | None = None,
) -> str:
    """Outcomes, what can be assessed, what is used most, what it cost, and the next commands; several lines.

    `stats` are the counters of this run; counts that are missing are not shown.
    """
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
    lines.append(_line("requests", requests_text(stats)))
    lines.append(_line("spared", sparing_text(stats)))
    lines.append(_line("rendered", rendering_text(stats)))
    lines.append(f"  log          {recorder.log.path}")
    lines.append(_line("report", str(page) if page else ""))
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
    return _line(label, ", ".join(f"{name} {count:,}" for name, count in counts))


def _line(label: str, text: str) -> str:
    return f"  {label:<12} {text}" if text else ""


def requests_text(stats: Mapping[str, float]) -> str:
    """Requests of this run, robots.txt and redirects included; empty when nothing was asked for.

    >>> requests_text({"requests/all": 12, "requests/sites": 4, "requests/most_of_a_site": 5})
    '12 to 4 sites, 3.0 a site, at most 5'
    """
    requests, sites = int(stats.get("requests/all", 0)), int(stats.get("requests/sites", 0))
    if not sites:
        return ""
    most, containers = int(stats["requests/most_of_a_site"]), int(stats.get("requests/containers", 0))
    text = f"{requests:,} to {sites:,} sites, {requests / sites:.1f} a site, at most {most}"
    return text + (f"; {containers:,} for tag containers" if containers else "")


def sparing_text(stats: Mapping[str, float]) -> str:
    """What --pages auto did not ask for; empty when nothing was spared.

    >>> sparing_text({"requests/sites": 9, "pages/sites_spared": 5, "pages/spared": 17})
    'all inner pages of 5 of 9 sites; 17 requests in all'
    """
    if not stats.get("pages/spared"):
        return ""
    sites, of = int(stats["pages/sites_spared"]), int(stats.get("requests/sites", 0))
    return f"all inner pages of {sites:,} of {of:,} sites; {int(stats['pages/spared']):,} requests in all"


def rendering_text(stats: Mapping[str, float]) -> str:
    """What the browser was used for, what it changed and what that cost; empty when it was not used."""
    sites = int(stats.get("render/sites", 0))
    if not sites and "render/browsers" not in stats:
        return ""
    of = int(stats.get("requests/sites", 0))
    text = f"{sites:,} of {of:,} sites in {stats.get('render/seconds', 0):.0f} s of browser time"
    missed = int(stats.get("render/not_loaded", 0))
    text += f", {missed:,} of them not shown" if missed else ""
    if "render/tiers_changed" in stats:
        text += f"; {int(stats['render/tiers_changed']):,} tiers changed"
    return text


def _next_steps(recorder: Recorder, *, finished: bool) -> list[str]:
    database = f" --db {recorder.store.path}" if str(recorder.store.path) != "data/technograph.db" else ""
    lines = ["next:"]
    if not finished:
        lines.append("  run the same command again to go on where it stopped")
    lines.append(f"  technograph find 'tech:shopify AND lacks:reviews'{database}")
    lines.append(f"  technograph score data/icp/dtc-reviews.yaml{database}")
    return lines
