"""Known vulnerabilities in what constraints.txt installs, by pip-audit.

One that is found fails the build. A source of vulnerability data that cannot be reached, or that knows none of
our packages, does not; the build then says that nothing was audited.

    python3 .ci/audit.py [constraints.txt]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from typing import Any

SERVICES = ("pypi", "osv")
LIMIT_S = 120


def main(constraints: str = "constraints.txt") -> int:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit"]
        installed = subprocess.run(pip, capture_output=True, text=True, check=False)
        if installed.returncode:
            print(
                f"dependency audit: NOT DONE, pip-audit cannot be installed: {installed.stderr[-200:].strip()}"
            )
            return 0
        for service in SERVICES:
            done, message = judged(service, asked(f"{folder}/bin/pip-audit", service, constraints))
            print(f"dependency audit: {message}", flush=True)
            if done is not None:
                return done
    print("dependency audit: NOT DONE, no source of vulnerability data answers from here")
    return 0


def asked(program: str, service: str, constraints: str) -> str:
    """pip-audit's JSON; empty when the service cannot be reached."""
    command = [program, "--requirement", constraints, "--no-deps", "--disable-pip", "--format", "json"]
    command += ["--progress-spinner", "off", "--vulnerability-service", service]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S).stdout
    except subprocess.TimeoutExpired:
        return ""


def judged(service: str, found: str) -> tuple[int | None, str]:
    """Exit code and what to say; None for the code when this service could not answer."""
    try:
        packages = json.loads(found)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None, f"{service} cannot be reached"
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return None, f"{service} knows none of the {len(packages)} packages"
    lines = [_line(package, vuln) for package in audited for vuln in package["vulns"]]
    if lines:
        return 1, "\n  ".join(["vulnerable packages; raise them in constraints.txt", *lines])
    return 0, f"{service} knows of nothing in {len(audited)} of {len(packages)} packages"


def _line(package: dict[str, Any], vuln: dict[str, Any]) -> str:
    fixed = ", ".join(vuln["fix_versions"]) or "no version yet"
    return f"{package['name']} {package['version']}: {vuln['id']}, fixed in {fixed}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
