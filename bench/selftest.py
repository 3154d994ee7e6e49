"""Which signals fire on a page made from their own pattern, and why the others were not tried.

    python -m bench.selftest [--rules DIR]

Counts for our rules and, with --rules, for a rule set in the Wappalyzer JSON format.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from fingerprints.detector import Detector
from fingerprints.match import match
from fingerprints.rules import Signal
from fingerprints.selectors import parse_compound, split_list
from fingerprints.selftest import VOID, matching_text, page_for

FIRES = "fires"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=Path, help="a rule set in the Wappalyzer format")
    arguments = parser.parse_args()
    report("our rules", Detector.default())
    if arguments.rules is not None:
        report(str(arguments.rules), Detector.load([arguments.rules], ours=False))


def report(name: str, detector: Detector) -> None:
    signals = [signal for rule in detector.rules.values() for signal in rule.signals]
    outcomes = {signal: outcome(detector, signal) for signal in signals}
    print(f"\n{name}: {len(detector.rules)} technologies, {len(signals)} signals")
    for reason, count in Counter(outcomes.values()).most_common():
        print(f"  {count:>6}  {reason}")
    silent = [signal.id for signal, reason in outcomes.items() if reason == "tried, and does not fire"]
    if silent:
        print("  does not fire:", ", ".join(sorted(silent)[:20]))


def outcome(detector: Detector, signal: Signal) -> str:
    """Whether the signal fires through the whole engine, or why it was not tried."""
    if signal.backtracks:
        return "not tried: look-around, no text can be made from its parse tree"
    page = page_for(signal)
    if page is None:
        return f"not tried: {why_not(signal)}"
    fired = any(evidence.signal == signal.id for evidence in match(detector.plan, page)[0])
    return FIRES if fired else "tried, and does not fire"


def why_not(signal: Signal) -> str:
    if signal.pattern and matching_text(signal.pattern) is None:
        return "no matching text found"
    compound = parse_compound(split_list(signal.name)[0])
    if signal.text and compound is not None and compound.tag in VOID:
        return "text in an element that never has any: a dead rule"
    return "selector with combinators"


if __name__ == "__main__":
    main()
