"""The house rules that a reader relies on, walked through the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for room in ("smsd", "rules", "storage", "simulators")
    for path in (ROOT / room).rglob("*.py")
)
LINES_MAX = 400

# Who may import what of ours; the longest matching name counts. README, Architecture.
ALLOWED: dict[str, set[str]] = {
    "rules": {"rules"},
    "smsd.smpp": {"smsd.smpp"},
    "storage": {"storage", "rules"},
    "smsd.config": {
        "smsd.config_desk", "smsd.config_environment", "smsd.config_faults", "smsd.config_values",
        "rules.toml_lines", "storage.records",
    },
    "smsd.config_desk": {"smsd.config_values", "storage.roles"},
    "smsd.config_values": set(),
    "smsd.config_environment": set(),
    "smsd.config_faults": {"rules.toml_lines"},
    "smsd.logs": set(),
    "smsd.gateway": {"smsd.gateway", "smsd.smpp", "smsd.config", "rules", "storage"},
    "smsd.desk": {
        "smsd.desk", "smsd.gateway", "smsd.config", "smsd.config_desk", "smsd.smpp.constants",
        "rules", "storage",
    },
    "smsd.daemon": {"smsd", "rules", "storage"},
    "smsd.writer_process": {"smsd", "rules", "storage"},
    "smsd.service": {"smsd"},
    "smsd.lawbook": {"smsd.gateway", "rules", "storage"},
    "smsd.tools": {
        "smsd.tools", "smsd.config", "smsd.desk.access.passwords", "smsd.smpp.statuses", "rules",
        "storage",
    },
    "smsd.cli": {"smsd", "rules"},
    "smsd.cli_options": {"smsd", "rules"},
    "smsd.cli_users": {"smsd", "storage.roles"},
    "smsd.__main__": {"smsd.cli"},
    "smsd.demo": {"smsd.demo", "simulators", "rules"},
    "smsd": {"smsd"},
    "simulators": {"simulators", "smsd.smpp"},
}  # fmt: skip
OURS = ("smsd", "rules", "storage", "simulators", "benchmarks", "tests")

# Third parties with a home.
HOMES: dict[str, tuple[str, ...]] = {
    "twisted": (
        "smsd.gateway", "smsd.desk", "smsd.daemon", "smsd.service", "smsd.logs", "simulators",
    ),
    "pysqlite3": ("storage",),
    "sqlite3": ("storage",),
    "sqlite_utils": ("storage",),
    "prometheus_client": ("smsd.desk",),
    "OpenSSL": ("smsd.gateway.tls", "smsd.gateway.certificates", "smsd.desk.web.tls"),
    "jinja2": ("smsd.desk",),
    "authlib": ("smsd.desk.access",),
    "joserfc": ("smsd.desk.access",),
    "requests": ("smsd.desk.access",),
    "argon2": ("smsd.desk.access.passwords",),
}  # fmt: skip

# The functional core never asks: no clock, no randomness, no files, sockets or threads.
CORE = ("rules", "smsd.smpp")
ASKING = {
    "time", "random", "secrets", "uuid", "socket", "threading", "asyncio", "subprocess",
    "os", "shutil", "tempfile", "logging", "structlog",
}  # fmt: skip


def module_of(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, at whatever depth of the code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a thing comes from"
            module = node.module or ""
            for alias in node.names:
                # `from smsd import logs` imports the module smsd.logs.
                whole = f"{module}.{alias.name}"
                is_module = (ROOT / (whole.replace(".", "/") + ".py")).exists()
                yield whole if is_module else module


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def allowed_for(module: str) -> set[str]:
    return ALLOWED[max((room for room in ALLOWED if within(module, room)), key=len)]


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_follow_the_arrows(path: Path) -> None:
    """A module imports only from the rooms that its own may enter."""
    allowed = allowed_for(module_of(path))
    for imported in imports_of(path):
        if imported.split(".")[0] in OURS:
            assert any(within(imported, room) for room in allowed), imported


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_third_parties_stay_in_their_homes(path: Path) -> None:
    """Twisted, SQL and metrics are met only where the architecture puts them."""
    module = module_of(path)
    for imported in imports_of(path):
        homes = HOMES.get(imported.split(".")[0])
        assert homes is None or any(within(module, home) for home in homes), imported


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_the_core_never_asks(path: Path) -> None:
    """Rules and SMPP are told the time and the bytes; they reach for nothing."""
    if any(within(module_of(path), room) for room in CORE):
        assert not ASKING.intersection(name.split(".")[0] for name in imports_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_modules_fit_in_the_head(path: Path) -> None:
    """No module outgrows 400 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


def test_a_forbidden_arrow_is_noticed(tmp_path: Path) -> None:
    """The walker sees imports within functions, and under any form."""
    source = tmp_path / "module.py"
    source.write_text("def f():\n    from storage import Store\n    import twisted.internet\n")
    assert set(imports_of(source)) == {"storage", "twisted.internet"}
    assert "storage" not in allowed_for("rules.decide")
    assert "simulators" not in allowed_for("smsd.gateway.link")
