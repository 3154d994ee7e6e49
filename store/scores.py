"""Scores in the database: the newest one of each account for each profile, with its lines."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from icp.model import Flip, Result, Score, ScoreLine, Tier
from store.rows import storable, to_text, to_tuple

SCORE_COLUMNS = (
    "icp_version", "icp_status", "score", "tier", "raw", "raw_low", "raw_high", "coverage", "timing",
    "qualified_now", "provisional", "disqualified_by", "review", "caps", "basis", "flips", "scored_at",
)  # fmt: skip
LINE_COLUMNS = (
    "id", "section", "layer", "result", "degree", "points_max", "points_earned", "reason", "evidence",
)  # fmt: skip


def save_score(connection: sqlite3.Connection, score: Score) -> bool:
    """Store the score in place of the older one; False when its domain has no record here."""
    site = connection.execute(
        "SELECT id, record_id FROM site WHERE domain = ? AND record_id IS NOT NULL", (score.domain,)
    ).fetchone()
    if site is None:
        return False
    icp_id = connection.execute(_ICP, (score.icp, score.icp_version, score.scored_at)).fetchone()[0]
    connection.execute(_SCORE, (icp_id, *site, *_score_row(score)))
    connection.execute("DELETE FROM score_line WHERE icp_id = ? AND site_id = ?", (icp_id, site[0]))
    connection.executemany(
        _LINE, [(icp_id, site[0], position, *_line_row(line)) for position, line in enumerate(score.lines)]
    )
    return True


def load_score(connection: sqlite3.Connection, domain: str, icp: str) -> Score | None:
    """The account's stored score for the profile; None when it was never scored."""
    row = connection.execute(_LOAD_SCORE, (domain, icp)).fetchone()
    if row is None:
        return None
    icp_id, site_id, *values = row
    lines = connection.execute(_LOAD_LINES, (icp_id, site_id))
    return _to_score(domain, icp, values, tuple(_to_line(line) for line in lines))


def _score_row(score: Score) -> tuple[Any, ...]:
    return (
        score.icp_version,
        score.icp_status,
        score.score,
        score.tier.value,
        score.raw,
        score.raw_low,
        score.raw_high,
        score.coverage,
        score.timing,
        score.qualified_now,
        score.provisional,
        to_text(score.disqualified_by),
        to_text(score.review),
        to_text(score.caps),
        to_text(score.basis),
        json.dumps([asdict(flip) for flip in score.flips]),
        score.scored_at,
    )


def _line_row(line: ScoreLine) -> tuple[Any, ...]:
    return storable(
        (
            line.id,
            line.section,
            line.layer,
            line.result.value,
            line.degree,
            line.points_max,
            line.points_earned,
            line.reason,
            to_text(line.evidence),
        )
    )


def _to_score(domain: str, icp: str, values: Sequence[Any], lines: tuple[ScoreLine, ...]) -> Score:
    row = dict(zip(SCORE_COLUMNS, values, strict=True))
    return Score(
        domain=domain,
        icp=icp,
        icp_version=row["icp_version"],
        icp_status=row["icp_status"],
        score=row["score"],
        tier=Tier(row["tier"]),
        raw=row["raw"],
        raw_low=row["raw_low"],
        raw_high=row["raw_high"],
        coverage=row["coverage"],
        timing=row["timing"],
        qualified_now=bool(row["qualified_now"]),
        provisional=bool(row["provisional"]),
        disqualified_by=to_tuple(row["disqualified_by"]),
        review=to_tuple(row["review"]),
        caps=to_tuple(row["caps"]),
        basis=to_tuple(row["basis"]),
        lines=lines,
        flips=tuple(
            Flip(flip["id"], flip["assumed"], flip["score"], Tier(flip["tier"]))
            for flip in json.loads(row["flips"])
        ),
        scored_at=row["scored_at"],
    )


def _to_line(row: Sequence[Any]) -> ScoreLine:
    id_, section, layer, result, degree, points_max, points_earned, reason, evidence = row
    return ScoreLine(
        id_,
        section,
        layer,
        Result(result),
        degree,
        points_max,
        points_earned,
        reason,
        to_tuple(evidence),
    )


_ICP = """
INSERT INTO icp (slug, version, scored_at) VALUES (?, ?, ?)
ON CONFLICT (slug) DO UPDATE SET version = excluded.version, scored_at = excluded.scored_at
RETURNING id
"""
_SCORE = f"""
INSERT OR REPLACE INTO score (icp_id, site_id, record_id, {", ".join(SCORE_COLUMNS)})
VALUES ({", ".join("?" * (3 + len(SCORE_COLUMNS)))})
"""
_LINE = f"""
INSERT INTO score_line (icp_id, site_id, position, {", ".join(LINE_COLUMNS)})
VALUES ({", ".join("?" * (3 + len(LINE_COLUMNS)))})
"""
_LOAD_SCORE = f"""
SELECT score.icp_id, score.site_id, {", ".join(f"score.{column}" for column in SCORE_COLUMNS)}
FROM site
JOIN icp ON icp.slug = ?2
JOIN score ON score.icp_id = icp.id AND score.site_id = site.id
WHERE site.domain = ?1
"""
_LOAD_LINES = f"""
SELECT {", ".join(LINE_COLUMNS)} FROM score_line WHERE icp_id = ? AND site_id = ? ORDER BY position
"""
