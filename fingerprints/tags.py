"""What some tags and attributes of HTML mean, for both readers of pages."""

from __future__ import annotations

UNSEEN_TAGS = frozenset(
    {"script", "style", "noscript", "noframes", "template", "title", "head", "iframe", "object"}
)
"""Elements that show nothing, with all that is in them."""

REFERENCE_NAMES = frozenset({"src", "data-original", "consent-original-src-_"})
"""Attributes that always hold a URL, perhaps until the page needs it or its visitor agrees."""


def is_reference(tag: str, name: str, value: str) -> bool:
    """Whether an attribute holds the URL of what the element shows or runs, perhaps for later.

    `:src` and the like are expressions, unless a URL is seen in them; optimisers have names of their own
    for that of a script, which may be a `data:` URL with its text.
    """
    if name in REFERENCE_NAMES or (name == "data" and tag == "object"):
        return True
    is_src = name.endswith("src")
    if tag == "script" and value[:5].lower() == "data:":
        return True
    return (is_src and name.startswith("data-")) or ((is_src or tag == "script") and "//" in value[:8])


NOT_FETCHED = ("data:", "blob:", "javascript:", "about:", "mailto:", "tel:")
"""Schemes with their colon: `javascripts/app.js` is a path."""
