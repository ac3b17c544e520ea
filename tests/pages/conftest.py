"""A browser to look at pages in: Debian's chromium, driven by what `tests/pages/browser/package.json` pins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"


@pytest.fixture(scope="session")
def look(tmp_path_factory):
    """Looks at a file: what each look saw. The pictures are kept in FINGERPRINT_PICTURES if that names a folder."""
    missing = [tool for tool in ("chromium", "node") if not shutil.which(tool)]
    missing += [] if (BROWSER / "node_modules" / "puppeteer-core").is_dir() else ["npm install in tests/pages/browser"]
    if missing:
        assert not os.environ.get("CI"), f"{' and '.join(missing)} is missing"
        pytest.skip(f"pages cannot be looked at: {' and '.join(missing)} is missing")

    def looked(file):
        folder = Path(os.environ.get("FINGERPRINT_PICTURES") or tmp_path_factory.mktemp("pictures")) / file.stem
        folder.mkdir(parents=True, exist_ok=True)
        profile = tmp_path_factory.mktemp("profile")
        command = ["node", "look.mjs", shutil.which("chromium"), str(profile), str(file), str(folder)]
        done = subprocess.run(command, cwd=BROWSER, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["looks"], folder

    return looked
