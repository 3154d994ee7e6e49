"""The end of one visit's time, known to every request made for it."""

from __future__ import annotations

from dataclasses import dataclass

from scrapy.exceptions import DownloadTimeoutError

META_KEY = "deadline"
"""Where a request carries the deadline of its visit."""


@dataclass(slots=True)
class Deadline:
    """Counts from the first request that is really sent: a queue before it is not the site's doing."""

    timeout_s: float
    ends_s: float
    has_begun: bool = False
    address: str = ""
    """Where the visit's last request was sent to."""

    @classmethod
    def after(cls, timeout_s: float, now_s: float) -> Deadline:
        return cls(timeout_s, now_s + timeout_s)

    def begin(self, now_s: float, address: str = "") -> None:
        """A request is being sent to the address; only the first one counts for the time."""
        self.address = address
        if not self.has_begun:
            self.has_begun = True
            self.ends_s = now_s + self.timeout_s

    def elapsed_s(self, now_s: float) -> float:
        """Seconds since the first request was sent; while there is none, since the visit was planned."""
        return now_s - (self.ends_s - self.timeout_s)

    def is_over(self, now_s: float) -> bool:
        return now_s >= self.ends_s

    def allowed_s(self, wanted_s: float, now_s: float) -> float:
        """Seconds that a request may take, at most `wanted_s`. Raises DownloadTimeoutError when none are left."""
        left_s = self.ends_s - now_s
        if left_s <= 0:
            raise DownloadTimeoutError(f"the {self.timeout_s:g} s of this site are over")
        return min(wanted_s, left_s)
