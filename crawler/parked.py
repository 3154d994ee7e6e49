"""Domains without a site: parked, for sale, suspended, or still showing their server's default page."""

from __future__ import annotations

import re

from crawler.glance import BARE_LINKS, Glance
from crawler.notices import text_of, title_parts, words

PARKED_TEXT_CHARS = 5_000
PARKED_LINKS = 30
"""Most text and own links of a parked or default page; Debian's Apache page shows 3,400 characters."""

PARKERS = {
    "img1.wsimg.com/parking-lander": "GoDaddy",
    "sedoparking.com": "Sedo",
    "parkingcrew.net": "ParkingCrew",
    "parking.bodiscdn.com": "Bodis",
    "bodis.com": "Bodis",
    "above.com": "Above",
    "parklogic.com": "ParkLogic",
    "skenzo.com": "Skenzo",
    "cashparking.com": "GoDaddy",
    "domainsponsor.com": "DomainSponsor",
    "uniregistry.com": "Uniregistry",
    "voodoo.com": "Voodoo",
    "tonic.com": "Tonic",
    "namedrive.com": "NameDrive",
    "smartname.com": "SmartName",
    "fabulous.com": "Fabulous",
    "team-internet.com": "Team Internet",
    "afternic.com": "Afternic",
    "dan.com": "Dan",
    "hugedomains.com": "HugeDomains",
    "efty.com": "Efty",
}  # fmt: skip
"""Where parked pages load their parts from: host, optionally with a part of the path."""

_SALE_URL = re.compile(
    r"//(?:[\w-]+\.)*(?:dan\.com/buy-domain|afternic\.com/(?:forsale|domain)|(?:www\.)?godaddy\.com/forsale"
    r"|hugedomains\.com/domain_profile|sedo\.com/search/details|atom\.com/name|squadhelp\.com/name"
    r"|buydomains\.com/lander|domainmarket\.com/buynow|brandbucket\.com/names|dynadot\.com/market)",
    re.IGNORECASE,
)
_DEAD_URL = re.compile(r"/cgi-sys/(defaultwebpage|suspendedpage)\.cgi", re.IGNORECASE)
_CLOSED_SHOP_URL = re.compile(r"//[^/]+/password/?(?:[?#]|$)")
"""Where Shopify sends everybody while a shop has not opened."""
_LANDER_SCRIPT = re.compile(
    r"location(?:\.href)?\s*=\s*[\"']/lander|\bLANDER_SYSTEM\b|_trfd\.push\(\{[^}]{0,80}[\"']?ap[\"']?\s*:\s*[\"']parking"
)
_SALE_TITLE = re.compile(
    r"\b(?:this |the )?domain(?: name)?\b.{0,60}\b(?:is |may be )?for sale\b"
    r"|^[\w-]+(?:\.[\w-]+)+ (?:is |may be )?for sale\b|\bbuy this domain\b|\bparked (?:free|domain|by)\b"
    r"|\bdomain (?:parking|(?:ist |steht )?(?:zum verkauf|zu verkaufen))\b|\bdomaine? (?:est )?à vendre\b"
    r"|\bdominio (?:en venta|in vendita)\b"
)
_LISTING = ("index of /", "directory listing for /")
_IIS_LISTING = re.compile(r"[\w.-]+\.[a-z]{2,20} - /$")
_DEFAULT_TITLES = (
    ("welcome to nginx", "default page of nginx"),
    ("test page for the nginx", "default page of nginx"),
    ("welcome to openresty", "default page of OpenResty"),
    ("welcome to tengine", "default page of Tengine"),
    ("apache2 default page", "default page of Apache"),
    ("apache2 ubuntu default page", "default page of Apache"),
    ("apache2 debian default page", "default page of Apache"),
    ("test page for the apache", "default page of Apache"),
    ("apache http server test page", "default page of Apache"),
    ("http server test page", "default page of Apache"),
    ("apache tomcat/", "default page of Tomcat"),
    ("iis windows", "default page of IIS"),
    ("iis7", "default page of IIS"),
    ("internet information services", "default page of IIS"),
    ("microsoft internet information services", "default page of IIS"),
    ("caddy works", "default page of Caddy"),
    ("welcome to xampp", "default page of XAMPP"),
    ("welcome to centos", "default page of Apache"),
    ("default web site page", "default page of cPanel"),
    ("web server's default page", "default page of Plesk"),
    ("domain default page", "default page of Plesk"),
    ("default parallels plesk", "default page of Plesk"),
    ("plesk obsidian", "default page of Plesk"),
    ("congratulations! your website is working", "default page of the host"),
    ("microsoft azure app service", "default page of Azure"),
    ("web app - unavailable", "suspended account"),
    ("hello! welcome to synology", "default page of the server"),
    ("the install worked successfully", "default page of Django"),
    ("votre site web est en ligne", "default page of the host"),
    ("account suspended", "suspended account"),
    ("this account has been suspended", "suspended account"),
    ("website suspended", "suspended account"),
    ("site suspended", "suspended account"),
    ("website expired", "suspended account"),
    ("site not found", "domain without a site"),
    ("404: not_found", "domain without a site"),
    ("congratulations! you have successfully installed", "default page of the server"),
)
_DEFAULT_TEXTS = (
    ("it works!", "default page of Apache"),
    ("congratulations! you have successfully installed", "default page of the server"),
    ("you are all set to go!", "default page of the host"),
    ("this page is used to test the proper operation of", "default page of the host"),
    ("this website has been suspended", "suspended account"),
    ("hier entsteht eine neue", "default page of the host"),
    ("site not found", "domain without a site"),
    ("404: not_found code: deployment_not_found", "domain without a site"),
    ("future home of something quite cool", "default page of the host"),
    ("this account has been suspended", "suspended account"),
    ("looks like this domain isn't connected to a website yet", "domain without a site"),
    ("there isn't a github pages site here", "domain without a site"),
    ("sorry, this shop is currently unavailable", "closed shop"),
    ("sorry, this store is currently unavailable", "closed shop"),
    ("php version ", "default page of PHP"),
)
_SOON_TEXT_CHARS = 400


def parked_as(glance: Glance) -> str:
    """Why the page is no site, as `parked at Sedo` or `default page of nginx`; empty for a real page.

    Only what a page loads, its scripts, its title and how little is on it count; words about parking
    in an article do not.
    """
    url = glance.observation.url
    if _SALE_URL.search(url):
        return "domain for sale"
    dead = _DEAD_URL.search(url)
    if dead:
        return "suspended account" if dead[1].lower() == "suspendedpage" else "default page of cPanel"
    if _CLOSED_SHOP_URL.search(url) and glance.has(b"shopify"):
        return "closed shop"
    if glance.title.startswith(_LISTING) and glance.text.startswith(_LISTING):
        return "directory listing"
    if _IIS_LISTING.match(glance.title) and glance.text.startswith(glance.title):
        return "directory listing"
    if len(glance.text) > PARKED_TEXT_CHARS or glance.link_count > PARKED_LINKS:
        return ""
    return _parker(glance) or _default_page(glance) or _unfinished(glance)


def _parker(glance: Glance) -> str:
    for url in glance.foreign_urls:
        place = url.partition("//")[2]
        host = place.partition("/")[0]
        for parker, name in PARKERS.items():
            parker_host, _, path = parker.partition("/")
            if (host == parker_host or host.endswith("." + parker_host)) and (
                not path or f"/{path}" in place
            ):
                return f"parked at {name}"
        if "/adsense/domains/caf.js" in place:
            return "parked"
    tree = glance.observation.tree
    if tree is not None and tree.get("data-adblockkey"):
        return "parked"
    if any(_LANDER_SCRIPT.search(script[:5_000]) for script in glance.observation.scripts[:20]):
        return "parked at GoDaddy"
    return "domain for sale" if _SALE_TITLE.search(glance.title) else ""


def _default_page(glance: Glance) -> str:
    if glance.link_count > BARE_LINKS:
        return ""
    for start, reason in _DEFAULT_TITLES:
        if glance.title.startswith(start):
            return reason
    for start, reason in _DEFAULT_TEXTS:
        if glance.text.startswith(start):
            return reason
    if glance.is_bare and words("ownerless").search(glance.text):
        return "domain without a site"
    if glance.has(b"/cgi-sys/suspendedpage.cgi"):
        return "suspended account"
    return "default page of cPanel" if glance.has(b"/cgi-sys/defaultwebpage.cgi") else ""


def _unfinished(glance: Glance) -> str:
    if len(glance.text) > _SOON_TEXT_CHARS or glance.link_count > 8:
        return ""
    text = text_of(glance)
    says_soon = any(words("soon").match(said) for said in (*title_parts(glance), text))
    return "coming-soon page" if says_soon or words("soon_anywhere").search(text) else ""
