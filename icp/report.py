"""Backtests and reviews as text for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from icp.backtest import Backtest, Group, Work
from icp.criteria import Profile
from icp.model import Tier
from icp.review import Advice, Migration
from icp.traits import Trait

_WORK_HEADER = (
    f"  {'criterion':<10}{'best met':>10}{'worst met':>11}{'without: best':>15}{'worst':>7}{'AUC change':>12}"
)


def derivation_text(traits: Sequence[Trait]) -> str:
    """The traits with their counts; selected ones carry a star."""
    header = f"  {'trait':<40}{'best':>8}{'worst':>8}{'unknown':>9}{'p':>9}{'q':>7}{'L':>7}{'points':>8}"
    return "\n".join([f"{header}{'stable':>8}{'universe':>10}", *map(_trait, traits)])


def _trait(trait: Trait) -> str:
    counts = trait.counts
    best, worst = f"{counts.best_with}/{counts.best}", f"{counts.worst_with}/{counts.worst}"
    unknown = f"{counts.best_unknown}+{counts.worst_unknown}"
    twin = f"  as {trait.same_as}" if trait.same_as else ""
    return (
        f"{'*' if trait.selected else ' '} {trait.name:<40}{best:>8}{worst:>8}{unknown:>9}{trait.p:>9.4f}"
        f"{trait.q:>7.3f}{trait.lower:>7.2f}{trait.points:>8}{_percent(trait.stability):>8}"
        f"{_percent(trait.universe):>10}{twin}"
    )


def backtest_text(profile: Profile, result: Backtest, high: Sequence[Tier]) -> str:
    """The verdict, the confusion table and what each criterion adds."""
    best, worst = result.best, result.worst
    lines = [
        f"{profile.name} v{profile.version} ({profile.status}), high fit is tier {' or '.join(high)}",
        headline(result),
        f"precision {_percent(result.precision)}, AUC {_number(result.auc)}",
        "",
        f"  {'':<9}{'high fit':>9}{'not':>6}{'no score':>10}",
        *(f"  {g.name:<9}{g.high:>9}{g.scored - g.high:>6}{g.unscored:>10}" for g in (best, worst)),
        "",
        _WORK_HEADER,
        *(_work(work) for work in result.works if work.is_known),
    ]
    if idle := [work.id for work in result.works if not work.is_known]:
        lines.append(f"  never known, so without effect: {', '.join(sorted(idle))}")
    if best.unscored or worst.unscored:
        lines += ["", "`no score`: no record, or too little known (tier U); left out of every share"]
    return "\n".join(lines)


def headline(result: Backtest) -> str:
    """As `high-fit best 15/20 75% (Wilson 53-89) -> inside 70-85 but inconclusive; worst 3/15 20%; ...`."""
    low, high = result.interval
    parts = [
        f"high-fit best {_share(result.best)} (Wilson {100 * low:.0f}-{100 * high:.0f}) -> {result.verdict}",
        f"worst {_share(result.worst)}",
    ]
    if result.universe is not None:
        rate = result.universe.rate
        parts.append(f"universe {'none scored' if rate is None else f'{rate:.1%}'}")
        parts.append(f"lift {_number(result.lift, 1)}")
    return "; ".join(parts)


def _share(group: Group) -> str:
    return f"{group.high}/{group.scored} {_percent(group.rate)}" if group.scored else "0/0"


def _work(work: Work) -> str:
    change = "-" if work.auc_change is None else f"{work.auc_change:+.3f}"
    best, worst = f"{work.best_met}/{work.best_known}", f"{work.worst_met}/{work.worst_known}"
    rates = f"{_percent(work.best_rate_without):>15}{_percent(work.worst_rate_without):>7}"
    return f"  {work.id:<10}{best:>10}{worst:>11}{rates}{change:>12}"


def review_text(
    profile: Profile, advice: Sequence[Advice], added: Sequence[Trait], migration: Migration | None, old: str
) -> str:
    """Advice per criterion, what to add, and what moved since the older version."""
    lines = [f"{profile.name} v{profile.version}: criteria against outcomes", ""]
    lines += [
        f"  {'':<6}{'criterion':<10}{'won':>8}{'lost':>8}{'lift':>7}{'p':>8}  why",
        *map(_advice, advice),
    ]
    lines += ["", "add (technographic traits of the won that no criterion asks for):"]
    lines += [
        f"  {t.name}: won {t.counts.best_with}/{t.counts.best}, lost {t.counts.worst_with}/{t.counts.worst}, "
        f"q {t.q:.3f}, {t.points} points"
        for t in added
    ] or ["  none that passes"]
    if migration:
        lines += ["", *_migration(migration, old, f"v{profile.version}")]
    return "\n".join(lines)


def _advice(advice: Advice) -> str:
    c = advice.counts
    return (
        f"  {advice.advice:<6}{advice.id:<10}{f'{c.best_with}/{c.best}':>8}{f'{c.worst_with}/{c.worst}':>8}"
        f"{_number(advice.lift, 1):>7}{advice.p:>8.3f}  {advice.why}"
    )


def _migration(migration: Migration, old: str, new: str) -> Iterator[str]:
    yield f"tier migration of {migration.accounts:,} accounts, {old} (rows) to {new} (columns):"
    yield "  " + "".join(f"{name:>8}" for name in ("", *Tier))
    for row in Tier:
        yield "  " + "".join(
            f"{cell:>8}" for cell in (row, *(migration.moves[row, column] for column in Tier))
        )
    yield f"breadth: {migration.old_breadth:.1%} -> {migration.new_breadth:.1%} in tier A or B"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
