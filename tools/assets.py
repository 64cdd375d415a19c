"""What the browser gets: bundles static/src into static/dist, or, without npm, checks that static/dist is whole.

    python tools/assets.py            build (npm ci when node_modules is missing or older than the lock)
    python tools/assets.py --check    only compare static/dist with its manifest
    python tools/assets.py --skip canvas    leave an entry out while its sources are being written

The output is committed, so running Agentbase needs no Node. Entries, by place:

    static/src/NAME.js, NAME.css            app.js, app.css, …
    static/src/FOLDER/index.js, index.css   FOLDER.js, FOLDER.css (canvas.js, …)
    static/src/sites/site.js                site.js
    static/src/sites/NAME.css               site-NAME.css (fonts of a theme)
    marketplace/packages/themes/NAME/theme.css   theme-NAME.css

Scripts share their common parts (one keyboard registry, one htmx) as chunk.HASH.js files.
Beside them lies sprite.svg: every Lucide icon that a template, a script or Python names, and no other.
manifest.json maps each logical name to its file and sha256 and lists the packages with version and licence.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "static" / "src"
DIST = ROOT / "static" / "dist"
MODULES = ROOT / "node_modules"
SHIPPED = (
    "htmx.org",
    "lucide-static",
    "@fontsource-variable/inter",
    "@fontsource-variable/jetbrains-mono",
    "@fontsource-variable/bricolage-grotesque",
    "@fontsource-variable/newsreader",
)
"""Packages of which something reaches the browser; the others only build or test."""

ICON = re.compile(r"""\bicon["']?\s*[(=:]\s*["']([a-z][a-z0-9]*(?:-[a-z0-9]+)*)["']""")
"""icon("play"), icon='play', icon: "play", "icon": "play"."""
ICON_LIST = re.compile(r"""icons:\s*((?:[a-z][a-z0-9-]*\s*)+)""")
"""A comment `icons: play pause` names icons that are chosen at run time."""
QUOTED = re.compile(r"""["']([a-z][a-z0-9]*(?:-[a-z0-9]+)*)["']""")
"""In our own templates macros take icons by position too, so every quoted word that is an icon's name counts."""
ICON_SOURCES = (
    ("templates", "*.html"),
    ("marketplace", "*.html"),
    ("marketplace", "*.toml"),
    ("app", "*.py"),
    ("flows", "*.py"),
    ("components", "*.py"),
    ("static/src", "*.js"),
)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def entries() -> dict[str, Path]:
    """Logical name with suffix -> source file. Two sources for one name is an error, not a race."""
    found: dict[str, Path] = {}
    places = [
        *((path.name, path) for path in SRC.glob("*.*")),
        *((path.parent.name + path.suffix, path) for path in SRC.glob("*/index.*")),
        *((path.name, path) for path in SRC.glob("sites/site.js")),
        *((f"site-{path.name}", path) for path in SRC.glob("sites/*.css")),
        *((f"theme-{path.parent.name}.css", path) for path in ROOT.glob("marketplace/packages/themes/*/theme.css")),
    ]
    for name, path in sorted(places):
        if path.suffix not in {".js", ".css"}:
            continue
        if name in found:
            raise SystemExit(f"{name} would come from both {found[name]} and {path}. Rename one.")
        found[name] = path
    return found


def icons_used() -> dict[str, str]:
    """Icon name -> the first file that names it."""
    used: dict[str, str] = {}
    for folder, pattern in ICON_SOURCES:
        for path in sorted((ROOT / folder).rglob(pattern)):
            text = path.read_text(encoding="utf-8")
            names = set(ICON.findall(text))
            for listed in ICON_LIST.findall(text):
                names.update(listed.split())
            if folder == "templates":
                names.update(name for name in QUOTED.findall(text) if drawing(name).is_file())
            for name in names:
                used.setdefault(name, str(path.relative_to(ROOT)))
    return dict(sorted(used.items()))


def drawing(name: str) -> Path:
    return MODULES / "lucide-static" / "icons" / f"{name}.svg"


def sprite(used: dict[str, str]) -> bytes:
    """One SVG with a <symbol> for each icon. Stroke and size are the CSS's business, so they are left out here.

    Raises SystemExit naming the file when an icon is not one of Lucide's: it would be an empty square on the page.
    """
    symbols: list[str] = []
    for name, where in used.items():
        source = drawing(name)
        if not source.is_file():
            raise SystemExit(f"{where} uses the icon {name!r}, which Lucide does not have. Look it up on lucide.dev.")
        body = source.read_text(encoding="utf-8")
        inner = re.sub(r"\s+", " ", body[body.index(">", body.index("<svg")) + 1 : body.rindex("</svg>")]).strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner.replace("> <", "><")}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n").encode()


def packages() -> dict[str, dict[str, str]]:
    described: dict[str, dict[str, str]] = {}
    for name in SHIPPED:
        about = json.loads((MODULES / name / "package.json").read_text(encoding="utf-8"))
        described[name] = {"version": about["version"], "licence": about["license"]}
    return described


def licences() -> bytes:
    parts: list[str] = []
    for name, about in packages().items():
        text = (MODULES / name / "LICENSE").read_text(encoding="utf-8").strip()
        parts.append(f"{name} {about['version']} ({about['licence']})\n\n{text}\n")
    return ("\n" + "-" * 100 + "\n\n").join(parts).encode()


def bundle(into: Path, skip: list[str]) -> dict[str, str]:
    """Run esbuild over every entry; gives logical name -> file name. Fonts that a style sheet names come along."""
    names = {name: path for name, path in entries().items() if Path(name).stem not in skip}
    metafile = into / "meta.json"
    found: dict[str, str] = {}
    for suffix in (".js", ".css"):
        chosen = [f"{Path(name).stem}={path}" for name, path in names.items() if name.endswith(suffix)]
        command = [
            str(MODULES / ".bin" / "esbuild"), *chosen, "--bundle", "--minify", "--format=esm", "--target=es2022",
            "--charset=utf8", "--legal-comments=none", "--loader:.woff2=file", f"--outdir={into}",
            "--entry-names=[name].[hash]", "--asset-names=[name].[hash]", "--splitting",
            "--chunk-names=chunk.[hash]", f"--metafile={metafile}", "--log-level=warning",
        ]  # fmt: skip
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603
        outputs: dict[str, Any] = json.loads(metafile.read_text(encoding="utf-8"))["outputs"]
        for made in outputs:
            file = Path(made).name
            stem, _, rest = file.partition(".")
            found[file if stem == "chunk" else f"{stem}.{rest.rpartition('.')[2]}"] = file
        metafile.unlink()
    return found


def build(skip: list[str]) -> None:
    fresh = MODULES / ".package-lock.json"
    if not fresh.is_file() or fresh.stat().st_mtime < (ROOT / "package-lock.json").stat().st_mtime:
        npm = shutil.which("npm")
        if npm is None:
            print("npm is not here, so nothing is bundled; checking what is committed instead.")
            return check()
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], check=True, cwd=ROOT)  # noqa: S603
        fresh.touch()
    into = DIST.with_name("dist.new")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    files = bundle(into, skip)
    used = icons_used()
    plain = (("sprite.svg", sprite(used)), ("licences.txt", licences()), ("icon.svg", (SRC / "icon.svg").read_bytes()))
    for name, content in plain:
        stem, _, suffix = name.partition(".")
        files[name] = f"{stem}.{digest(content)[:8].upper()}.{suffix}"
        (into / files[name]).write_bytes(content)
    manifest = {
        "files": {
            name: {"file": file, "sha256": digest((into / file).read_bytes())} for name, file in sorted(files.items())
        },
        "icons": list(used),
        "packages": packages(),
    }
    (into / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    DIST.mkdir(exist_ok=True)
    keep = {path.name for path in into.iterdir()}
    for path in into.iterdir():  # new files first, the manifest by rename: a page served meanwhile finds all it names
        path.replace(DIST / path.name)
    for path in DIST.iterdir():
        if path.name not in keep:
            path.unlink()
    into.rmdir()
    total = sum(path.stat().st_size for path in DIST.iterdir())
    print(f"static/dist: {len(keep)} files, {total / 1024:.0f} KB, {len(used)} icons")


def check() -> None:
    """Every file of the manifest is there, whole, and nothing else lies beside it."""
    manifest = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    wrong: list[str] = []
    for name, entry in manifest["files"].items():
        path = DIST / entry["file"]
        if not path.is_file():
            wrong.append(f"{name}: {entry['file']} is missing")
        elif digest(path.read_bytes()) != entry["sha256"]:
            wrong.append(f"{name}: {entry['file']} was changed by hand")
    missing = sorted(set(icons_used()) - set(manifest["icons"]))
    if missing:
        wrong.append(f"the sprite lacks: {', '.join(missing)}")
    if wrong:
        raise SystemExit("static/dist is not what its manifest says. Run `make assets`.\n  " + "\n  ".join(wrong))
    print(f"static/dist: {len(manifest['files'])} files as the manifest says")


def main() -> None:
    options = argparse.ArgumentParser(description="Build static/dist.")
    options.add_argument("--check", action="store_true", help="compare static/dist with its manifest, build nothing")
    options.add_argument("--skip", action="append", default=[], metavar="NAME", help="leave an entry out")
    chosen = options.parse_args()
    if chosen.check:
        check()
    else:
        build(chosen.skip)


if __name__ == "__main__":
    sys.exit(main())
