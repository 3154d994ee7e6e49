"""Scrapy settings of the crawl. Each line says what Scrapy's default is and why ours differs.

`scrapy crawl site` reads this module; `technograph crawl` reads it too and sets the few values that the
command line offers (crawler/crawl.py). Settings of our own start with TECHNOGRAPH_.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

try:
    _VERSION = version("technograph")
except PackageNotFoundError:  # a checkout that was never installed
    _VERSION = "0"

BOT_NAME = "technograph"
SPIDER_MODULES = ["crawler.spiders"]

# -- Who we are and what we may do ---------------------------------------------------------------------

# Set with `technograph crawl --contact URL`; a site's owner must be able to find out who asks.
USER_AGENT = f"technograph/{_VERSION} (technographic survey; obeys robots.txt)"  # default: Scrapy's own name
ROBOTSTXT_USER_AGENT = "technograph"  # default: the whole User-Agent; robots.txt groups name a product token
ROBOTSTXT_OBEY = True  # default False
DEFAULT_REQUEST_HEADERS = {  # default: the same; stated because sites choose their language by it
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en",
}

# -- How fast ------------------------------------------------------------------------------------------

CONCURRENT_REQUESTS = 256  # default 16: sites open at once in one process; mostly they are waited for
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8: never two requests at a time to one site
DOWNLOAD_DELAY = 1.0  # default 0: seconds between the pages of one site (robots.txt may ask for more)
TECHNOGRAPH_REQUESTS_PER_ADDRESS = 16  # at a time to one IP address, many sites share one; 0 for no limit
DOWNLOAD_DELAY_JITTER = 0  # default 0.5, which would make every second pause shorter than promised
CONCURRENT_ITEMS = 1  # default 100: Scrapy starts that many tasks per response, and we yield one object

# -- Limits --------------------------------------------------------------------------------------------

TECHNOGRAPH_PAGES = 4  # the home page and three more (product, cart, pricing...) per site
TECHNOGRAPH_CONDENSE = "pipelines.detect.Condense"  # a page's markup is matched as it comes and let go
TECHNOGRAPH_PAGE_CHOICE = ""  # "pipelines.choice.PageChoice": of those, only what can change the ICP's tier
TECHNOGRAPH_TARGET_TIMEOUT = 60  # seconds for one site in all; what was read by then is what counts
TECHNOGRAPH_MAX_CRAWL_DELAY = 10  # seconds; a longer Crawl-delay or Retry-After ends the site early instead
TECHNOGRAPH_MAX_BODY_BYTES = 2 * 1024 * 1024  # a page is cut here and kept; what is above is data
TECHNOGRAPH_MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309 section 2.5 asks for at least 500 KiB
DOWNLOAD_TIMEOUT = 15  # default 180: seconds for one response; a body dripping for 2/3 of it is cut and kept
TECHNOGRAPH_CONNECT_TIMEOUT = 5  # seconds; long enough for two lost packets. Ports 443 and 80 are both tried
DNS_TIMEOUT = 5  # default 60
DOWNLOAD_MAXSIZE = 0  # default 1 GiB: throws larger pages away; our own caps keep what came before them
DOWNLOAD_WARNSIZE = 0  # default 32 MiB: a warning per site is noise here
DOWNLOAD_FAIL_ON_DATALOSS = False  # default True would throw away every page with a wrong Content-Length
MEMUSAGE_LIMIT_MB = 1500  # default 0: a worker this large has a leak; it stops and a fresh one takes over

# -- Addresses -----------------------------------------------------------------------------------------

TWISTED_DNS_RESOLVER = "crawler.resolver.PublicResolver"  # default: threads, IPv4 only, connects anywhere
TECHNOGRAPH_ALLOW_PRIVATE_ADDRESSES = False  # True in the demo and the tests: their web is on this machine
TECHNOGRAPH_RESOLVE_ALL_TO = ""  # "IP:PORT" or "http=IP:PORT,https=IP:PORT" of a web of our own
TECHNOGRAPH_NAME_SERVERS: list[str] = []  # empty: the system's; best for large crawls: a local cache
DOWNLOAD_HANDLERS = {
    "http": "crawler.handler.LeanHTTPHandler",  # default keeps idle sockets 240 s, has no cap on headers,
    "https": "crawler.handler.LeanHTTPHandler",  # and takes twice the CPU
    "data": None,
    "file": None,  # a redirect must never read this machine's files
    "ftp": None,
    "s3": None,
}
HTTPPROXY_ENABLED = False  # default True: a proxy from the environment would connect where we refuse to

# -- The parts of Scrapy that run -----------------------------------------------------------------------

DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # the spider has its own rules
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.robots.RobotsMiddleware": 100,  # forgets a finished site, which Scrapy's does not
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": None,  # the handler knows it
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,  # the spider's ladder and Retry-After decide
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "crawler.decompress.DecompressionMiddleware": 590,  # cuts a bomb at the page limit and keeps what came
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "crawler.cookies.SiteCookiesMiddleware": 700,  # one jar a site, dropped with the site
}
SPIDER_MIDDLEWARES = {  # each would wrap every response's results in another generator
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": None,  # all our requests have one queue
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,  # would lose a site without a word
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # a 404 is an outcome, not an error
    "scrapy.spidermiddlewares.referer.RefererMiddleware": None,
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,  # we never copy a response's meta
}
EXTENSIONS = {
    "crawler.requests.RequestCount": 200,
    "scrapy.extensions.corestats.CoreStats": None,  # our own counters say more, and cost less
    "scrapy.extensions.logstats.LogStats": None,
}
DOWNLOADER_STATS = False  # default True, likewise
ITEM_PIPELINES = {
    "pipelines.dns.DnsPipeline": 40,  # MX, TXT, NS, SOA and aliases; failures kept apart from no record
    "pipelines.containers.ContainersPipeline": 50,  # what the tag containers on the pages would load
    "pipelines.detect.DetectPipeline": 100,  # the site's pages -> its record
    "pipelines.render.RenderPipeline": 200,  # pages once more in a browser, when asked for; detects again
    "pipelines.store.StorePipeline": 900,  # record -> database, when one is set; then the record as JSON
}
TECHNOGRAPH_DNS = True  # False: no lookups, and what only DNS shows stays unknown
TECHNOGRAPH_CONTAINERS = True  # False: containers stay unread, and what they may load stays unknown
TECHNOGRAPH_RENDER = "never"  # "always", or "auto" for sites where a browser can change the ICP's tier
TECHNOGRAPH_ICP = ""  # an ICP file for "auto"; without one, every site with an unknown a browser can settle
TECHNOGRAPH_DB = ""  # `scrapy crawl site -s TECHNOGRAPH_DB=FILE` stores records there
TECHNOGRAPH_RULES = ""  # a folder or file of rules to load beside ours, or a list of them
TECHNOGRAPH_RULES_ONLY = False  # those instead of ours

SCHEDULER_PRIORITY_QUEUE = "scrapy.pqueues.ScrapyPriorityQueue"  # default slows down with every open site
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"  # default drops a second site's request without a word
ASYNCIO_EVENT_LOOP = None if sys.platform == "win32" else "uvloop.Loop"  # default is 0.3 ms a page slower
REMOTE_CONTROL_ENABLED = False  # default True opens a port that runs code
TELNETCONSOLE_ENABLED = False  # default True, likewise
FEED_EXPORT_ENCODING = "utf-8"  # default writes non-ASCII as \u escapes
LOG_LEVEL = "INFO"  # default DEBUG logs every response
