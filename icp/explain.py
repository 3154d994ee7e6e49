"""A score as text: a line per criterion, penalties, caps, disqualifiers, the sum, and what would flip it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fingerprints.model import Evidence, Record
from fingerprints.model.cells import clean
from icp.model import Flip, Result, Score, ScoreLine

_RESULT_WIDTH = max(len(result.value) for result in Result)


def explain_text(score: Score, record: Record | None = None) -> str:
    """Why the score is what it is; with the record, each piece of evidence shows its excerpt."""
    excerpts = _excerpts(record) if record else {}
    lines = [_headline(score)]
    for line in _section(score, "criteria"):
        lines.append(_criterion(line))
        lines += [f"           {_shown(item, excerpts)}" for item in line.evidence]
    lines += [f"  {text}" for text in _gates(score)]
    lines.append(f"  basis: {', '.join(score.basis) or 'none'}")
    lines.append(f"  {_sum(score)}")
    if score.flips:
        lines.append(f"  flips: {'; '.join(map(flip_text, score.flips))}")
    return "\n".join(lines)


def flip_text(flip: Flip) -> str:
    """One flip, as `T2 reviews absent -> 100 A`."""
    what = f"{flip.id} {flip.assumed}".strip()
    return f"{what} -> {'no score' if flip.score is None else flip.score} {flip.tier}"


def _headline(score: Score) -> str:
    status = f" ({score.icp_status})" if score.icp_status else ""
    parts = [
        score.domain,
        f"ICP {score.icp} v{score.icp_version}{status}",
        f"score {'none' if score.score is None else score.score}",
        f"tier {score.tier}" + (" provisional" if score.provisional and score.score is not None else ""),
        f"coverage {score.coverage:.2f}",
        f"interval {score.raw_low:.0f}-{score.raw_high:.0f}",
        f"timing {'unknown' if score.timing is None else f'{score.timing:.2f}'}",
        f"qualified_now {'yes' if score.qualified_now else 'no'}",
    ]
    return "  ".join(parts)


def _criterion(line: ScoreLine) -> str:
    earned = "-" if line.result is Result.UNKNOWN else f"{line.points_earned:.1f}"
    result = line.result.value.replace("_", " ")
    return f"  {result:<{_RESULT_WIDTH}}  {line.id:<4} {earned:>5}/{line.points_max:<4g} {clean(line.reason)}"


def _gates(score: Score) -> Iterator[str]:
    """What acts on the sum of the criteria."""
    met = [
        f"{line.id} {line.points_earned:+g} ({line.reason})"
        for line in _section(score, "penalties")
        if _is_met(line)
    ]
    yield "penalties: " + ("; ".join(met) or "none met") + _unknowns(_section(score, "penalties"))
    yield "caps: " + ("; ".join(score.caps) or "none")
    met = [f"{line.id} ({line.reason})" for line in _section(score, "disqualifiers") if _is_met(line)]
    yield "disqualifiers: " + ("; ".join(met) or "none met") + _unknowns(_section(score, "disqualifiers"))


def _unknowns(lines: Iterable[ScoreLine]) -> str:
    unknown = [f"{line.id} ({line.reason})" for line in lines if line.result is Result.UNKNOWN]
    return f"; unknown: {', '.join(unknown)}" if unknown else ""


def _sum(score: Score) -> str:
    """The arithmetic from points to score, with what lowered it named."""
    known = [line for line in _section(score, "criteria") if line.result is not Result.UNKNOWN]
    if score.raw is None:
        return "raw = none: nothing is known"
    earned, points = sum(line.points_earned for line in known), sum(line.points_max for line in known)
    minus = sum(line.points_earned for line in _section(score, "penalties"))
    steps = f" {minus:+g}" if minus else ""
    if score.disqualified_by:
        ending = f"0, disqualified by {', '.join(score.disqualified_by)}"
    elif score.score is None:
        ending = f"no score, only {score.coverage:.0%} of the points are known"
    else:
        ending = f"{score.score}"
        if score.raw + minus > score.score + 0.5:
            steps += ", capped"
    return f"raw = 100*{earned:.1f}/{points:g} = {score.raw:.2f}{steps} -> {ending}"


def _section(score: Score, section: str) -> list[ScoreLine]:
    return [line for line in score.lines if line.section == section]


def _is_met(line: ScoreLine) -> bool:
    return line.result is Result.MET


def _excerpts(record: Record) -> dict[str, Evidence]:
    """Evidence by the form it has in a score line."""
    pieces = (item for detection in record.detections for item in detection.evidence)
    return {f"{item.signal} @ {item.page_url} {item.channel}": item for item in pieces}


def _shown(reference: str, excerpts: dict[str, Evidence]) -> str:
    piece = excerpts.get(reference)
    excerpt = clean(piece.excerpt).replace("\n", " ") if piece else ""
    return clean(f"[{reference}]") + (f"  {excerpt}" if excerpt else "")
