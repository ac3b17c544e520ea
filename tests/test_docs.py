"""The documentation: its code runs, its pages build, its figures are those of the program."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint.plugins import registry

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(not (DOCS / "conf.py").exists(), reason="the documentation is not installed")


def python_of(page):
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def test_the_first_analysis_of_the_tutorial_runs(capsys):
    for code in python_of("tutorial/first-analysis.md"):
        exec(compile(code, "first-analysis.md", "exec"), {})
    assert "RST" in capsys.readouterr().out


def test_the_readme_shows_what_the_demo_prints():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import paste_demo
    finally:
        sys.path.pop(0)
    readme = (ROOT / "README.md").read_text()
    assert paste_demo.pasted(readme) == readme, "run: python scripts/paste_demo.py"


def test_the_readme_names_every_technique():
    readme = (ROOT / "README.md").read_text()
    assert [known for known, _ in registry.load().techniques if f"`{known}`" not in readme] == []


def test_links_of_the_readme_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        assert links
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_no_page_names_a_machine_of_ours():
    pages = [*DOCS.glob("**/*.md"), *ROOT.glob("*.md")]
    ours = re.compile(r"/work/|/home/|/root/|\.\./shared")
    assert [page.name for page in pages if "_build" not in page.parts and ours.search(page.read_text())] == []


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path):
    subprocess.run([sys.executable, DOCS / "generate.py"], check=True)
    build = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", DOCS, tmp_path]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_box_of_the_laboratory_page_swallows_what_it_should(tmp_path, monkeypatch, capsys):
    box, simulated = python_of("howto/laboratory.md")
    (tmp_path / "deaf.py").write_text(box)
    monkeypatch.syspath_prepend(str(tmp_path))
    exec(compile(simulated, "laboratory.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["garden.test answered", "forum.test silent"]
    assert Path(said[2].removeprefix("packets in ")).is_file()
