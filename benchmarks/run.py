"""Run benchmarks, each in a process of its own, and put their tables into docs/benchmarks.md: ``make bench ARGS="engine roads"``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"
PEERS = HERE.parent / ".venv-bench" / "bin" / "python"  # our environment, and the other libraries
VERSIONS = "import sys; from importlib.metadata import version; print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
HEAD = """# Benchmarks

Made by `make bench`, or a part of it by `make bench ARGS=engine`; on a shared machine, so trust the ratios, and the orders of magnitude.
"""


@dataclass(frozen=True)
class Part:
    """A benchmark: a section of the document.

    Attributes
    ----------
    title : str
    libraries : tuple of str
        Whose versions matter.
    script : str
    file : str
        A file it needs, in the folder of real data; "" for none.
    peers : bool
        Whether it asks other libraries as well.
    """

    title: str
    libraries: tuple[str, ...]
    script: str
    file: str = ""
    peers: bool = False


PARTS = {
    "engine": Part(
        "The search, beside other libraries",
        ("numba", "scipy", "networkx", "osmnx", "igraph", "networkit", "rustworkx", "pandana"),
        "engine.py",
        peers=True,
    ),
    "sites": Part("One site more, moved, closed", ("numba", "numpy"), "sites.py"),
    "memory": Part("Many facilities on many nodes", ("numba", "numpy"), "memory.py"),
    "start": Part("The first search", ("numba", "llvmlite"), "start.py"),
    "roads": Part("Roads: a file of 348,000 nodes, three modes", ("osmium", "numpy", "shapely"), "roads.py", file="porto/porto.osm.pbf"),
    "county": Part("The example county", ("numba", "geopandas", "highspy"), "county.py"),
    "page": Part("The page in Chromium, and the files it gives", ("streamlit", "geopandas", "playwright"), "page.py"),
    "circles": Part(
        "Circles of the example county: a raster of distances beside the exact union of buffers", ("shapely", "contourpy"), "circles.py"
    ),
    "siting": Part("Siting: covering models, proven, beside other libraries", ("numba", "highspy", "scipy", "spopt", "pulp"), "siting.py"),
}


def output(python: Path, *arguments: str) -> str:
    """What a command prints."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parent)}
    return subprocess.run([str(python), *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout  # noqa: S603


def section(part: Part) -> str:
    """Run one benchmark; what it printed, under a line that says with what."""
    data = Path(os.environ.get("CIRCLE15_DATA") or HERE.parent.parent / "shared" / "data") / part.file
    if part.file and not data.is_file():
        return f"(skipped: no {data.name})\n"
    if part.peers and not PEERS.with_name("ready").is_file():
        return "(skipped: the other libraries could not be installed)\n"
    python = PEERS if part.peers else Path(sys.executable)
    before = os.getloadavg()[0]
    table = output(python, str(HERE / part.script), *([str(data)] if part.file else []))
    versions = output(python, "-c", VERSIONS, *part.libraries).strip()
    machine = f"{os.cpu_count()} cores ({processor()}), {platform.system()}; Python {platform.python_version()}, {versions}."
    load = f"Load {before:.1f} before, {os.getloadavg()[0]:.1f} after: above {os.cpu_count()}, others were at work."
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d}; {machine} {load}\n\n{table}"


def processor() -> str:
    """The processor's name, where Linux tells it."""
    known = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", known.read_text(encoding="utf-8")) if known.is_file() else None
    return found[1].strip() if found else platform.machine()


def kept_sections() -> dict[str, str]:
    """The sections of the document as it stands, by title."""
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.is_file() else ""
    return {title: body.strip("\n") + "\n" for title, body in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", text, flags=re.MULTILINE)}


def main() -> None:
    """Measure, print and write after each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="all unless named")
    for name in parser.parse_args().parts or PARTS:
        part = PARTS[name]
        print(f"\n## {part.title}\n", flush=True)
        made = kept_sections() | {part.title: section(part)}
        print(made[part.title], flush=True)
        known = "".join(f"\n## {one.title}\n\n{made[one.title]}" for one in PARTS.values() if one.title in made)
        DOCUMENT.write_text(HEAD + known, encoding="utf-8")


if __name__ == "__main__":
    main()
