"""The folders depend on one another one way only."""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "addon"

MAY_IMPORT = {
    "neutral": set(),
    "wire": {"neutral"},
    "formats": {"wire", "neutral"},
    "providers": {"formats", "wire", "neutral"},
    "rules": {"providers", "formats", "wire", "neutral"},
    "translation": {"providers", "formats", "wire", "neutral"},
    "engine": {"vault", "translation", "providers", "formats", "wire", "neutral"},
    "sockets": {"engine", "stateful", "formats", "wire", "neutral"},
    "views": {"formats", "wire", "neutral"},
    "interceptor": {
        "views",
        "sockets",
        "ledger",
        "telemetry",
        "authority",
        "stateful",
        "vault",
        "engine",
        "rules",
        "translation",
        "providers",
        "formats",
        "wire",
        "neutral",
    },
    "inspection": {
        "vault",
        "interceptor",
        "engine",
        "rules",
        "translation",
        "providers",
        "formats",
        "wire",
        "neutral",
    },
    "dashboard": {
        "inspection",
        "interceptor",
        "authority",
        "ledger",
        "engine",
        "rules",
        "providers",
        "formats",
        "wire",
        "neutral",
    },
    "embedded": {"wire"},
    "vault": {"optional_packages"},
    "telemetry": {"optional_packages", "ledger", "formats", "wire", "neutral"},
    "ledger": {"vault"},
    "stateful": {"vault", "wire", "neutral"},
    "conformance": set(),
    "authority": set(),
    "commands": None,  # the outermost layer
    "doctor": None,  # a part of it
}
"""What each folder may know of the others; None: everything."""

SANS_IO = ("neutral", "wire", "formats", "providers", "rules", "translation", "stateful")
FORBIDDEN_IN_CORE = ("mitmproxy", "httpx2", "httpx", "asyncio", "socket", "click")


def modules():
    return sorted(path for path in ADDON.rglob("*.py") if path.parent != ADDON)


def imports(path):
    """Return the absolute names that a module imports, however deep the statement stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            if node.module == "addon":
                names |= {f"addon.{alias.name}" for alias in node.names}
            if node.module == "addon.formats":
                names |= {f"addon.formats.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ADDON)))
def test_imports_point_one_way(path):
    folder = path.relative_to(ADDON).parts[0]
    allowed = MAY_IMPORT[folder]
    if allowed is None:
        return
    for name in imports(path):
        if name.startswith("addon.") and not name.startswith("addon.__"):
            other = name.split(".")[1]
            assert other == folder or other in allowed, f"{folder} must not import {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ADDON)))
def test_the_core_does_no_io(path):
    if path.relative_to(ADDON).parts[0] in SANS_IO:
        roots = {name.split(".")[0] for name in imports(path)}
        assert not roots & set(FORBIDDEN_IN_CORE)


@pytest.mark.parametrize("path", sorted((ADDON / "formats").rglob("*.py")), ids=lambda p: str(p))
def test_no_format_knows_another(path):
    inside = path.relative_to(ADDON / "formats").parts
    if len(inside) == 1:
        return
    for name in imports(path):
        if name.startswith("addon.formats.") and name.split(".")[2] != "base":
            assert name.split(".")[2] == inside[0]


def test_every_folder_has_its_place():
    folders = {path.name for path in ADDON.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(MAY_IMPORT)
