"""Is the fetched page the site, or something that stands in its place?

A wall, a parked domain or an empty page is an outcome and never evidence of absence. The order is the
one in which pages mislead: what the transport says, bot walls, parked and default pages, login walls,
empty pages and shells, and only then `ok`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from crawler.blocked import blocked_by
from crawler.glance import BARE_LINKS, Glance
from crawler.notices import asks_for_scripts, is_gate, notice_on, title_parts
from crawler.parked import parked_as
from fingerprints.model import Observation, Outcome, PageKind, ResourceKind

DENIED = frozenset({401, 403, 407, 429, 451, 999})
"""Statuses that refuse us even when no wall can be named; 999 is LinkedIn's."""

NOTE_LINKS = 2
NOTE_TEXT_CHARS = 800
"""Most own links and text of a home page that may stand in for the site: a note that it moved, a gate, a parked domain
in a language we have no words of, a shell with a cookie banner. Few sites are as small: 5 of 1,578 pages."""

SHELL_TEXT_CHARS = 250
"""Most text of a home page whose few links are all there is: header and footer of a shell, a choice of languages."""

SHELL_LINKS = 4
"""Most own links of an inner page with as little text; it stands in for nothing, and an empty cart says little."""

LOGIN_TEXT_CHARS = 600
"""Most text beside a password field on a page that only asks who you are."""

CONSENT = "consent_gated"
SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one fetched page is."""

    outcome: Outcome
    detail: str = ""
    """One clause on why, as `Cloudflare challenge`; empty when ok."""
    flags: frozenset[str] = frozenset()
    """`shell` and `consent_gated`: the page is the site's, but too little of it shows to miss anything."""


_LOGIN_PATH = re.compile(
    r"/(?:log[-_]?in|sign[-_]?in|wp-login\.php|sso|saml2?|oauth2?|adfs|auth|anmelden|connexion)(?:[/.?;]|$)",
    re.IGNORECASE,
)
_PASSWORD_FIELD = re.compile(rb"<input\b[^>]{0,400}\btype\s*=\s*[\"']?password")
_USER_FIELD = re.compile(rb"<input\b[^>]{0,400}\b(?:name|id)\s*=\s*[\"']?(?:user|login|email|identifier)")
_LOGIN_TITLE = re.compile(
    r"(?:sign|log)[ -]?in\b|anmelden\b|anmeldung\b|connexion\b|acceder\b|accedi\b|inloggen\b|logga in\b"
)
_SSO_HOST = re.compile(
    r"(?:^|\.)(?:login\.microsoftonline\.com|accounts\.google\.com|login\.salesforce\.com|okta\.com|auth0\.com"
    r"|onelogin\.com|pingidentity\.com|cloudflareaccess\.com)$"
)

_APP_ROOT = re.compile(
    rb"<(?:div|main)\b[^>]{0,200}\bid=[\"']?(?:root|app|app-root|__next|__nuxt|q-app|___gatsby|main-app)[\"']?[^>]{0,200}>\s*</"
    rb"|<app-root\b[^>]{0,200}>\s*</"
)
"""An empty element into which an app draws itself."""

_CONSENT_HOST = re.compile(r"^(?:consent|cmp|privacywall|mein-consent)\.")
_CONSENT_PATH = re.compile(
    r"^/(?:consent|cookie-?wall|zustimmung|privacy-?(?:wall|gate)|pur(?:-?abo)?)(?:[/.?]|$)", re.IGNORECASE
)
_CONSENT_WORDS = re.compile(
    r"zustimmung erforderlich|(?:weiter)?lesen mit werbung|mit werbung (?:und tracking )?(?:weiter)?(?:lesen|nutzen)"
    r"|before you continue|cookie ?wall|consent required|we value your privacy|\bpur-abo\b"
    r"|(?:must|need to|have to|to continue,?) accept (?:all |our )?cookies"
    r"|accept (?:all |our )?cookies to (?:continue|proceed|access)"
    r"|avant d.accéder|continuer sans accepter|antes de ir a|bevor sie fortfahren"
)

_NOT_A_PAGE = re.compile(
    r"^(?:image|audio|video|font|model|multipart)/|^application/(?!xhtml)|^text/(?!html)|\bxml$|\bjson$"
)
_FILE_MARKS = {
    b"PNG\n": "a PNG image",
    b"GIF8": "a GIF image",
    b"JFIF": "a JPEG image",
    b"Exif": "a JPEG image",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "an archive",
}
"""In the first bytes; the others of them did not survive the way to UTF-8 and to lines as in Unix."""
_TEXT_START = re.compile(
    rb"(?:<!--.{0,2000}?-->\s*)*<(?P<XML>\?xml|rss|feed|urlset|sitemapindex|svg)\b|(?P<JSON>\{|\[\s*[\[{\"\d])",
    re.DOTALL,
)
_HTML_START = re.compile(
    rb"(?:<\?xml[^>]{0,200}>\s*|<!--.{0,2000}?-->\s*)*<(?:!doctype html|html|head|body)\b", re.DOTALL
)


def classify(observation: Observation, *, content_type: str = "") -> Verdict:
    """What the fetched page is; `content_type` only where it is not among the observation's headers.

    A status of None counts as 200. Anything that is not known to be something else is `ok`.
    """
    glance = Glance(observation)
    return (
        _transport(glance, content_type)
        or _blocked(glance)
        or _parked(glance)
        or _error_status(glance)
        or _login(glance)
        or _noticed(glance)
        or _content(glance)
    )


def _transport(glance: Glance, content_type: str) -> Verdict | None:
    if glance.status in (204, 205):
        return Verdict(Outcome.EMPTY, f"{glance.status} {_phrase(glance.status)}")
    if 300 <= glance.status < 400:
        return Verdict(Outcome.HTTP_ERROR, f"{glance.status} {_phrase(glance.status)} that leads nowhere")
    if glance.status >= 400:
        return None
    start = glance.head[:4_096].lstrip()
    if _HTML_START.match(start):
        return None  # whatever it is declared as, a browser's view of it can be had
    kind = (content_type or glance.header("content-type")).partition(";")[0].strip().lower()
    if _NOT_A_PAGE.search(kind):
        return Verdict(Outcome.NOT_HTML, kind)
    first = glance.observation.body[:32]
    names = [name for mark, name in _FILE_MARKS.items() if mark in first]
    text = _TEXT_START.match(start)
    if text and text.lastgroup:
        names.append(text.lastgroup)
    return Verdict(Outcome.NOT_HTML, names[0]) if names else None


def _blocked(glance: Glance) -> Verdict | None:
    wall = blocked_by(glance)
    return Verdict(Outcome.BLOCKED, wall) if wall else None


def _parked(glance: Glance) -> Verdict | None:
    reason = parked_as(glance)
    return Verdict(Outcome.PARKED, reason) if reason else None


def _error_status(glance: Glance) -> Verdict | None:
    status = glance.status
    if status < 400:
        return None
    outcome = Outcome.BLOCKED if status in DENIED else Outcome.HTTP_ERROR
    return Verdict(outcome, f"{status} {_phrase(status)}".strip())


def _login(glance: Glance) -> Verdict | None:
    """A page that only asks who you are: nothing of the site is on it."""
    place = urlsplit(glance.observation.url)
    if _SSO_HOST.search(place.hostname or ""):
        return Verdict(Outcome.BLOCKED, "login wall")
    asks_password = bool(_PASSWORD_FIELD.search(glance.head))
    at_login = bool(_LOGIN_PATH.search(place.path)) and (
        asks_password or bool(_USER_FIELD.search(glance.head))
    )
    says_login = any(_LOGIN_TITLE.match(part) for part in title_parts(glance))
    only_asks = asks_password and (says_login or len(glance.text) <= LOGIN_TEXT_CHARS)
    if glance.is_bare and (at_login or only_asks):
        return Verdict(Outcome.BLOCKED, "login wall")
    return None


def _noticed(glance: Glance) -> Verdict | None:
    noticed = notice_on(glance)
    return Verdict(*noticed) if noticed else None


def _content(glance: Glance) -> Verdict:
    observation = glance.observation
    if not observation.body.strip():
        return Verdict(Outcome.EMPTY, "empty body")
    flags = {CONSENT} if _is_consent_wall(glance) else set()
    if not flags and not _has_parts(glance):
        return Verdict(Outcome.EMPTY, "nothing on the page")
    if _is_shell(glance) or is_gate(glance):
        flags.add(SHELL)
    return Verdict(Outcome.OK, flags=frozenset(flags))


def _has_parts(glance: Glance) -> bool:
    """Whether there is anything to see, or anything that scripts or frames may bring."""
    observation = glance.observation
    if glance.text or observation.links or observation.scripts:
        return True
    if glance.has(b"<frameset", b"<frame ", b"<iframe", b'http-equiv="refresh"'):
        return True
    return any(resource.kind is not ResourceKind.LINK for resource in observation.resources)


def _is_consent_wall(glance: Glance) -> bool:
    place = urlsplit(glance.observation.url)
    if _CONSENT_HOST.match(place.hostname or "") or _CONSENT_PATH.match(place.path):
        return True
    return glance.is_bare and bool(_CONSENT_WORDS.search(glance.title) or _CONSENT_WORDS.search(glance.text))


def _is_shell(glance: Glance) -> bool:
    """Whether too little shows to tell: scripts or frames fill it, or it is a splash, or a note."""
    observation = glance.observation
    if observation.tree is None or glance.has(b"<frameset"):
        return True
    is_home = observation.kind is PageKind.HOME
    chars = len(glance.text)
    if chars <= SHELL_TEXT_CHARS and glance.link_count <= (BARE_LINKS if is_home else SHELL_LINKS):
        return True
    if is_home and chars <= NOTE_TEXT_CHARS and glance.link_count <= NOTE_LINKS:
        return True
    if not glance.is_bare:
        return False
    if any("url" in content.lower() for content in observation.meta.get("refresh", ())):
        return True  # leads elsewhere, after longer than we follow
    return glance.has(b"<script") and (asks_for_scripts(glance) or bool(_APP_ROOT.search(glance.head)))


def _phrase(status: int) -> str:
    if 520 <= status <= 530:
        return "(Cloudflare cannot reach the site)"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
