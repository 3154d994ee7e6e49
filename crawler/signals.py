"""Signals of our own, sent through Scrapy's signal manager like its built-in ones."""

from __future__ import annotations

site_closed = object()
"""A site's crawl has ended: whoever keeps state for it lets go. Handlers get `domain`."""
