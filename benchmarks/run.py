"""Run every benchmark in a process of its own and write docs/benchmarks.md: ``make bench``."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARIES = ("numpy", "scipy", "shapely", "highspy", "osmium", "networkx", "streamlit")


def run(script: str, *arguments: str) -> str:
    """Output of one benchmark."""
    command = [sys.executable, str(HERE / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(HERE.parent)}).stdout  # noqa: S603


def main() -> None:
    """Measure, print and write."""
    data = Path(os.environ.get("CIRCLE15_DATA") or HERE.parent.parent / "shared" / "data")
    before = os.getloadavg()[0]
    porto = data / "porto" / "porto.osm.pbf"
    sections = [
        (
            "Roads: a file of 348,000 nodes, three modes",
            run("roads.py", str(porto)) if porto.is_file() else f"(skipped: no porto.osm.pbf in {data.name})\n",
        ),
        ("The example county", run("county.py")),
        ("The page in Chromium, and the files it gives", run("page.py")),
        ("Circles of the example county: a raster of distances beside the exact union of buffers", run("circles.py")),
        ("Siting: exact maximal covering, lexicographic where there are two limits", run("siting.py")),
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    text = "# Benchmarks\n\nMade by `make bench`; one run on a shared machine, so trust the orders of magnitude and the ratios.\n\n"
    text += f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; {versions}.\n"
    text += f"Load of the machine {before:.1f} before, {os.getloadavg()[0]:.1f} after: "
    text += f"above {os.cpu_count()}, others were at work, and all is slower.\n"
    text += "".join(f"\n## {title}\n\n{table}" for title, table in sections)
    (HERE.parent / "docs" / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
