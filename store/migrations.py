"""The schema: named migrations, each applied once and whole. Only ever append to this file.

A record and everything under it is keyed by `record.id`, one per (crawl, site). `site` points at the
record that speaks for the domain now (store/current.py says which); `site_technology` and
`site_category` repeat that record's findings keyed by technology and by category, so that "uses X and
lacks category Y" walks two key ranges instead of every detection ever stored.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x54475248
"""`TGRH` in the file's header: tells our database from any other SQLite file."""

MIGRATIONS = Migrations("technograph")


@MIGRATIONS(name="0001_records")
def _records(db: Database) -> None:
    db.executescript(f"PRAGMA application_id = {APPLICATION_ID};")
    db.executescript(_TAXONOMY)
    db.executescript(_RECORDS)
    db.executescript(_CURRENT)
    db.executescript(_VIEWS)


@MIGRATIONS(name="0002_scores")
def _scores(db: Database) -> None:
    db.executescript(_SCORES)


@MIGRATIONS(name="0003_watches")
def _watches(db: Database) -> None:
    db.executescript(_WATCHES)


@MIGRATIONS(name="0004_hosts")
def _hosts(db: Database) -> None:
    db.executescript(_HOSTS)


@MIGRATIONS(name="0005_crawl_reports")
def _crawl_reports(db: Database) -> None:
    db.executescript(_CRAWL_REPORTS)


@MIGRATIONS(name="0006_addresses")
def _addresses(db: Database) -> None:
    db.executescript("ALTER TABLE record ADD COLUMN address TEXT NOT NULL DEFAULT '';")


_TAXONOMY = """
CREATE TABLE category (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL DEFAULT '',
    observability TEXT NOT NULL DEFAULT '',
    is_exclusive INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE technology (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    vendor TEXT NOT NULL DEFAULT '',
    website TEXT NOT NULL DEFAULT '',
    pricing TEXT NOT NULL DEFAULT 'unknown',
    status TEXT NOT NULL DEFAULT 'active'
) STRICT;
CREATE TABLE technology_category (
    technology_id INTEGER NOT NULL REFERENCES technology (id),
    category_id INTEGER NOT NULL REFERENCES category (id),
    is_primary INTEGER NOT NULL,
    PRIMARY KEY (technology_id, category_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX technology_category_by_category ON technology_category (category_id);
CREATE TABLE technology_alias (
    alias TEXT PRIMARY KEY,
    technology_id INTEGER NOT NULL REFERENCES technology (id)
) STRICT, WITHOUT ROWID;
-- What the rules said about a technology when it was detected: an old record reads as it was written.
CREATE TABLE technology_description (
    id INTEGER PRIMARY KEY,
    technology_id INTEGER NOT NULL REFERENCES technology (id),
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    categories TEXT NOT NULL,
    pricing TEXT NOT NULL,
    UNIQUE (technology_id, name, category, categories, pricing)
) STRICT;
"""

_RECORDS = """
CREATE TABLE crawl (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    settings_hash TEXT NOT NULL,
    ruleset TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    config TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT
) STRICT;
CREATE INDEX crawl_unfinished ON crawl (source, settings_hash, ruleset) WHERE finished_at IS NULL;
CREATE TABLE site (
    id INTEGER PRIMARY KEY,
    domain TEXT NOT NULL UNIQUE,
    record_id INTEGER REFERENCES record (id),
    outcome TEXT NOT NULL DEFAULT '',
    scanned_at TEXT NOT NULL DEFAULT '',
    platform TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX site_by_outcome ON site (outcome);
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    crawl_id INTEGER NOT NULL REFERENCES crawl (id),
    site_id INTEGER NOT NULL REFERENCES site (id),
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    input_id TEXT NOT NULL,
    url TEXT NOT NULL,
    redirected_to TEXT NOT NULL,
    http_status INTEGER,
    containers_found TEXT NOT NULL,
    containers_parsed TEXT NOT NULL,
    dns_ok INTEGER,
    rendered INTEGER NOT NULL,
    flags TEXT NOT NULL,
    coverage REAL NOT NULL,
    attrs TEXT NOT NULL,
    scanned_at TEXT NOT NULL,
    ruleset TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    UNIQUE (crawl_id, site_id)
) STRICT;
CREATE INDEX record_by_site ON record (site_id, scanned_at);
CREATE INDEX record_by_outcome ON record (crawl_id, outcome);
CREATE TABLE page (
    record_id INTEGER NOT NULL REFERENCES record (id),
    position INTEGER NOT NULL,
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    body_bytes INTEGER NOT NULL,
    flags TEXT NOT NULL,
    PRIMARY KEY (record_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE detection (
    record_id INTEGER NOT NULL REFERENCES record (id),
    technology_id INTEGER NOT NULL REFERENCES technology (id),
    position INTEGER NOT NULL,
    description_id INTEGER NOT NULL REFERENCES technology_description (id),
    state TEXT NOT NULL,
    confidence REAL NOT NULL,
    version TEXT NOT NULL,
    accounts TEXT NOT NULL,
    implied_by TEXT NOT NULL,
    scope TEXT NOT NULL,
    PRIMARY KEY (record_id, technology_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (
    record_id INTEGER NOT NULL REFERENCES record (id),
    technology_id INTEGER NOT NULL REFERENCES technology (id),
    position INTEGER NOT NULL,
    signal TEXT NOT NULL,
    channel TEXT NOT NULL,
    strength REAL NOT NULL,
    page_url TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    version TEXT NOT NULL,
    account TEXT NOT NULL,
    place TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (record_id, technology_id, position)
) STRICT, WITHOUT ROWID;
-- The few distinct lists of surfaces one record's assessments share; 70 assessments repeat about five.
CREATE TABLE surfaces (
    record_id INTEGER NOT NULL REFERENCES record (id),
    number INTEGER NOT NULL,
    names TEXT NOT NULL,
    PRIMARY KEY (record_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE assessment (
    record_id INTEGER NOT NULL REFERENCES record (id),
    category_id INTEGER NOT NULL REFERENCES category (id),
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    confidence REAL,
    checked INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    PRIMARY KEY (record_id, category_id)
) STRICT, WITHOUT ROWID;
"""

_CURRENT = """
CREATE TABLE site_technology (
    technology_id INTEGER NOT NULL REFERENCES technology (id),
    site_id INTEGER NOT NULL REFERENCES site (id),
    state TEXT NOT NULL,
    scope TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (technology_id, site_id)
) STRICT, WITHOUT ROWID;
-- Only what is known: a category that is neither present nor absent here is unknown.
CREATE TABLE site_category (
    category_id INTEGER NOT NULL REFERENCES category (id),
    state TEXT NOT NULL CHECK (state IN ('present', 'absent')),
    site_id INTEGER NOT NULL REFERENCES site (id),
    PRIMARY KEY (category_id, state, site_id)
) STRICT, WITHOUT ROWID;
"""

_VIEWS = """
CREATE VIEW latest_record AS
    SELECT site.domain, site.platform, record.*
    FROM site JOIN record ON record.id = site.record_id;
CREATE VIEW latest_detection AS
    SELECT site.domain, technology.slug AS technology, described.name, described.category, detection.state,
           detection.confidence, detection.version, detection.accounts, detection.implied_by,
           detection.scope, described.pricing, site.scanned_at
    FROM site
    JOIN detection ON detection.record_id = site.record_id
    JOIN technology ON technology.id = detection.technology_id
    JOIN technology_description AS described ON described.id = detection.description_id;
CREATE VIEW latest_assessment AS
    SELECT site.domain, category.slug AS category, assessment.state, assessment.reason,
           assessment.confidence, checked.names AS checked, missing.names AS missing, site.scanned_at
    FROM site
    JOIN assessment ON assessment.record_id = site.record_id
    JOIN category ON category.id = assessment.category_id
    JOIN surfaces AS checked
        ON checked.record_id = assessment.record_id AND checked.number = assessment.checked
    JOIN surfaces AS missing
        ON missing.record_id = assessment.record_id AND missing.number = assessment.missing;
"""

_SCORES = """
CREATE TABLE icp (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    scored_at TEXT NOT NULL
) STRICT;
CREATE TABLE score (
    icp_id INTEGER NOT NULL REFERENCES icp (id),
    site_id INTEGER NOT NULL REFERENCES site (id),
    icp_version INTEGER NOT NULL,
    icp_status TEXT NOT NULL,
    record_id INTEGER NOT NULL REFERENCES record (id),
    score INTEGER,
    tier TEXT NOT NULL,
    raw REAL,
    raw_low REAL NOT NULL,
    raw_high REAL NOT NULL,
    coverage REAL NOT NULL,
    timing REAL,
    qualified_now INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    disqualified_by TEXT NOT NULL,
    review TEXT NOT NULL,
    caps TEXT NOT NULL,
    basis TEXT NOT NULL,
    flips TEXT NOT NULL,
    scored_at TEXT NOT NULL,
    PRIMARY KEY (icp_id, site_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX score_by_tier ON score (icp_id, tier, site_id);
CREATE TABLE score_line (
    icp_id INTEGER NOT NULL REFERENCES icp (id),
    site_id INTEGER NOT NULL REFERENCES site (id),
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    section TEXT NOT NULL,
    layer TEXT NOT NULL,
    result TEXT NOT NULL,
    degree REAL,
    points_max REAL NOT NULL,
    points_earned REAL NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (icp_id, site_id, position)
) STRICT, WITHOUT ROWID;
"""

_WATCHES = """
CREATE TABLE watch (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    query TEXT NOT NULL,
    icp TEXT NOT NULL,
    added_at TEXT NOT NULL,
    told_at TEXT NOT NULL
) STRICT;
-- The sites each watch has told of, with the tier it last told; empty where there was none.
CREATE TABLE watched_site (
    watch_id INTEGER NOT NULL REFERENCES watch (id),
    site_id INTEGER NOT NULL REFERENCES site (id),
    tier TEXT NOT NULL,
    PRIMARY KEY (watch_id, site_id)
) STRICT, WITHOUT ROWID;
"""

_HOSTS = """
CREATE TABLE host (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
-- The few distinct ways in which hosts are loaded: on which kinds of page, and as what.
CREATE TABLE host_use (
    id INTEGER PRIMARY KEY,
    kinds TEXT NOT NULL,
    pages TEXT NOT NULL,
    UNIQUE (kinds, pages)
) STRICT;
-- The third-party hosts a record's pages load from. Records of before this table have none.
CREATE TABLE record_host (
    record_id INTEGER NOT NULL REFERENCES record (id),
    host_id INTEGER NOT NULL REFERENCES host (id),
    use_id INTEGER NOT NULL REFERENCES host_use (id),
    PRIMARY KEY (record_id, host_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_host_by_host ON record_host (host_id);
CREATE VIEW latest_host AS
    SELECT site.domain, host.name AS host, host_use.kinds, host_use.pages, site.scanned_at
    FROM site
    JOIN record_host ON record_host.record_id = site.record_id
    JOIN host ON host.id = record_host.host_id
    JOIN host_use ON host_use.id = record_host.use_id;
"""

_CRAWL_REPORTS = """
ALTER TABLE record ADD COLUMN took_ms INTEGER;
ALTER TABLE record ADD COLUMN requests INTEGER;
-- What happened to a crawl as a whole: every start, every end that was not a crash, every warning.
CREATE TABLE crawl_event (
    id INTEGER PRIMARY KEY,
    crawl_id INTEGER NOT NULL REFERENCES crawl (id),
    at TEXT NOT NULL,
    event TEXT NOT NULL CHECK (event IN ('started', 'resumed', 'stopped', 'finished', 'warning')),
    text TEXT NOT NULL
) STRICT;
CREATE INDEX crawl_event_by_crawl ON crawl_event (crawl_id, id);
"""
