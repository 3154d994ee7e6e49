"""Why the reference engine and ours differ on one technology of one page: a cause that was tried, or none.

A cause is not guessed from the kind of difference: the pattern is searched again in the way, and in the
text, that the cause claims, and must come out as the other engine had it (bench/reference.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench import reference as reading
from bench.naive import selected
from fingerprints.detector import Detector
from fingerprints.javascript import for_python, translate
from fingerprints.markup import visible_text
from fingerprints.model import Detection, DetectionState, Evidence, Observation, ResourceKind
from fingerprints.regexes import plausible_version
from fingerprints.rules import Signal

UNEXPLAINED = "not explained"
FETCHED = frozenset({"scripts:ext", "scriptSrc:loaded"})
"""Places only the reference saw: scripts it loaded and what they loaded in turn."""

Found = Mapping[str, Detection]
Theirs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One technology of one page on which the engines do not agree, or only on its version."""

    side: str
    name: str
    cause: str
    detail: str


class Comparison:
    """Explains differences, with the rules as loaded and as written."""

    def __init__(self, detector: Detector, patterns: reading.Patterns) -> None:
        self.detector = detector
        self.patterns = patterns

    def differences(self, theirs: Theirs, ours: Found, page: Observation) -> Iterator[Difference]:
        for name in sorted(theirs.keys() | ours.keys()):
            if name not in ours:
                cause = self.cause_theirs(name, theirs, ours, page)
                yield Difference("only the reference", name, cause, ", ".join(theirs[name]["seen_in"]))
            elif name not in theirs:
                cause = self.cause_ours(ours[name], theirs, ours, page)
                yield Difference("only ours", name, cause, ", ".join(e.signal for e in ours[name].evidence))
            elif (theirs[name].get("version") or "") != ours[name].version:
                pair = f"{theirs[name].get('version') or 'none'}, ours {ours[name].version or 'none'}"
                yield Difference("version", name, self.cause_version(theirs[name], ours[name], page), pair)

    # --- only the reference ---

    def cause_theirs(self, name: str, theirs: Theirs, ours: Found, page: Observation) -> str:
        seen_in = set(theirs[name]["seen_in"]) - FETCHED
        if not seen_in:
            return "a script that it fetched"
        if seen_in == {"implied"}:
            is_open = any(self._implies(other, name) for other in theirs.keys() - ours.keys())
            return "implied by a technology only it found" if is_open else UNEXPLAINED
        if self._waits_for_more(name, ours):
            return "its required technology is below the threshold here (our choice)"
        causes = {self._lost(name, reading.FIELDS[field.partition(".")[0]], page) for field in seen_in}
        return causes.pop() if len(causes) == 1 else UNEXPLAINED

    def _implies(self, source: str, name: str) -> bool:
        rule = next(rule for rule in self.detector.rules.values() if rule.technology.name == source)
        slugs = {implied.slug for implied in rule.implies}
        return any(
            self.detector.rules[slug].technology.name == name for slug in slugs & set(self.detector.rules)
        )

    def _waits_for_more(self, name: str, ours: Found) -> bool:
        rule = next(rule for rule in self.detector.rules.values() if rule.technology.name == name)
        present = {found.slug for found in ours.values() if found.state is DetectionState.PRESENT}
        return bool(rule.requires) and not present & set(rule.requires)

    def _lost(self, name: str, channel: str, page: Observation) -> str:
        """Why patterns that match the reference's text of a channel match nothing in ours."""
        if channel not in reading.TEXTS:
            return UNEXPLAINED
        text, ours = reading.TEXTS[channel](page), _OURS[channel](page)
        for pattern in self.patterns[name, channel]:
            if reading.as_meant(pattern).search(ours):
                return UNEXPLAINED  # it is there, and we do not report it
            if reading.as_read(pattern).search(text):
                return _LOST[channel]
        return UNEXPLAINED

    # --- only ours ---

    def cause_ours(self, found: Detection, theirs: Theirs, ours: Found, page: Observation) -> str:
        if not found.evidence:
            source = self.detector.rules[found.implied_by].technology.name
            return "implied by a technology only we found" if source not in theirs else UNEXPLAINED
        if found.slug in self.detector.rules and self._gate_is_only_ours(found, theirs, ours):
            return "requires a technology only we found"
        causes = [self._won(item, page) for item in found.evidence]
        return causes[0] if UNEXPLAINED not in causes else UNEXPLAINED

    def _gate_is_only_ours(self, found: Detection, theirs: Theirs, ours: Found) -> bool:
        slugs = self.detector.rules[found.slug].requires
        names = {self.detector.rules[slug].technology.name for slug in slugs if slug in self.detector.rules}
        return bool(names) and not names & theirs.keys()

    def _won(self, item: Evidence, page: Observation) -> str:
        """Why the reference did not see one piece of our evidence."""
        signal = self._signal(item.signal)
        pattern = self._written(signal, item)
        if signal.on == "url" and item.kind == ResourceKind.SCRIPT and is_held_back(page, item.place):
            return "a lazy or consent-held script, which we read (our choice)"
        if signal.on == "selector":
            return self._won_element(signal, pattern, item, page)
        if signal.on == "meta" and not item.excerpt.partition(": ")[2]:
            return "a meta element without content (our choice: it is there)"
        if signal.on == "url":
            return _limit(pattern, item.place.removeprefix("url:"), signal.version) or UNEXPLAINED
        if signal.on not in reading.TEXTS:
            return UNEXPLAINED
        limit = _limit(pattern, _OURS[signal.on](page), signal.version)
        if limit:
            return limit
        if not reading.as_read(pattern).search(reading.TEXTS[signal.on](page)):
            return _CUT[signal.on]
        return _NEAR_CUT if signal.on == "html" and reading.is_near_row_end(pattern, page) else UNEXPLAINED

    def _won_element(self, signal: Signal, pattern: str, item: Evidence, page: Observation) -> str:
        """The reference does not read inside noscript, and tests an attribute on the first element that has it."""
        elements = selected(signal.name, page)
        hidden = set(selected("noscript *", page))
        seen = [element for element in elements if element not in hidden]
        if elements and not seen:
            return "an element inside noscript (our choice: every visitor without scripts gets it)"
        if all(element.tag in _SVG and element.tag not in signal.name for element in seen):
            return "an element of SVG with a capital in its name (limit of the reference's parser)"
        before = self._elements_before(signal, page)
        if signal.text:
            texts = [element.content.decode("utf-8", "replace") for element in seen]
            limits = [_limit(pattern, text, signal.version) for text in texts]
            if any(limits):
                return next(filter(None, limits))
            before += next(n for n, text in enumerate(texts) if reading.as_meant(pattern).search(text))
        values = [value for e in seen for name, value in e.items() if name == signal.attribute]
        first = reading.as_read(pattern).search(values[0]) if values else None
        if values and (first is None or (item.version and item.version not in first.groups())):
            return "an attribute of any element, not of the first only (bug of the reference)"
        if before >= reading.ELEMENTS:
            return "more than 50 elements for one technology (limit of the reference)"
        return UNEXPLAINED

    def _elements_before(self, signal: Signal, page: Observation) -> int:
        """How many elements the selectors that come first in the signal's rule choose."""
        signals = self.detector.rules[signal.id.rpartition("#")[0]].signals
        earlier = [s.name for s in signals[: signals.index(signal)] if s.on == "selector"]
        return sum(len(selected(name, page)) for name in dict.fromkeys(earlier))

    def _signal(self, id: str) -> Signal:
        rule = self.detector.rules[id.rpartition("#")[0]]
        return next(signal for signal in rule.signals if signal.id == id)

    def _written(self, signal: Signal, item: Evidence) -> str:
        """The signal's pattern as its rule file has it."""
        name = self.detector.rules[item.technology].technology.name
        texts = self.patterns.get((name, signal.on.value), ())
        loaded = {text: translate(text) for text in texts}
        known = signal.pattern or ""
        return next((text for text, own in loaded.items() if known in (own, for_python(own))), known)

    # --- versions ---

    def cause_version(self, theirs: Mapping[str, Any], found: Detection, page: Observation) -> str:
        version = str(theirs.get("version") or "")
        if FETCHED & set(theirs["seen_in"]) and version:
            return "told by a script that the reference fetched"
        if len(found.version) > 10 and not version:
            return "longer than the reference's 10 characters (our choice: 32)"
        if version and plausible_version(version) != version:
            return "a hash or another thing that is no version (our choice: none)"
        seen = {item.version for item in found.evidence if item.version}
        if version in seen:
            return "several versions: by the channel that is most trusted, not the longest (our choice)"
        if version and any(version in self._versions(item, page) for item in found.evidence):
            return "one pattern, several versions: the first on the page, not the longest (our choice)"
        causes = [self._won(item, page) for item in found.evidence if item.version == found.version]
        return causes[0] if causes and UNEXPLAINED not in causes else UNEXPLAINED

    def _versions(self, item: Evidence, page: Observation) -> set[str]:
        """What the pattern of a piece of evidence captures anywhere on the page."""
        signal = self._signal(item.signal)
        if signal.on == "url":
            texts = [resource.url for resource in page.resources]
        else:
            texts = [e.get(signal.attribute) or "" for e in selected(signal.name, page) if signal.attribute]
        found = (reading.as_read(self._written(signal, item)).search(text) for text in texts)
        return {group for match in found if match for group in match.groups("")}


def _limit(pattern: str, text: str, version: str) -> str:
    """The limit of the reference that keeps a pattern from what it was meant to find in a text, or nothing."""
    read, bounded, meant = (
        _outcome(regex(pattern).search(text), version)
        for regex in (reading.as_read, reading.bounded, reading.as_meant)
    )
    if read == meant:
        return ""
    if bounded == meant:
        return "`\\/` in a pattern, which never matches there (bug of the reference)"
    return "more than 250 repeats in a pattern (limit of the reference)"


def _outcome(match: re.Match[str] | None, version: str) -> object:
    return match and (match.groups() if version else True)


def is_held_back(page: Observation, place: str) -> bool:
    """Whether the URL of a piece of evidence is in no script's own `src`."""
    if page.tree is None:
        return False
    url = place.removeprefix("url:")
    sources = [(script.get("src") or "").strip() for script in page.tree.elements("script")]
    return not any(url.endswith(source) for source in sources if source)


_OURS: dict[str, Callable[[Observation], str]] = {
    "html": lambda page: page.body.decode("utf-8", "replace"),
    "text": visible_text,
    "script": lambda page: "\n;\n".join(page.scripts),
}
_LOST = {
    "html": "only in the page as a browser writes it again: quotes and case (our choice: as it was sent)",
    "text": "text inside scripts, which no visitor reads (our choice)",
    "script": "JSON-LD taken for a script (our choice: it is data)",
}
_NEAR_CUT = "near the end of a 2,000-character row, which lies elsewhere in its own page (likely its limit)"
_SVG = frozenset({"clippath", "lineargradient", "radialgradient", "foreignobject", "textpath"})
_CUT = {
    "html": "across the end of a 2,000-character row (limit of the reference)",
    "text": "text after the first 25,000 characters (limit of the reference)",
    "script": "a script in a data: URL or a consent manager's attribute, which we read (our choice)",
}
