"""The npm package oidc-provider in a process of its own: an OpenID Connect provider by others."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

import pytest

NPM = Path(__file__).parents[1] / "browser" / "npm"
WAIT_S = 30.0


class ProviderProcess:
    """A provider on loopback, whose one client is smsd. A context manager that ends it."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None or not (NPM / "node_modules" / "oidc-provider").exists():
            pytest.skip("oidc-provider is not installed: make npm-parts")
        self._process = subprocess.Popen(
            [node, "provider.mjs"],
            cwd=NPM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.issuer = f"http://127.0.0.1:{self._next('listening')['port']}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(
        self,
        redirect_uri: str,
        secret: str | None = "a secret of tests",
        alg: str = "RS256",
        claims_in: str = "id_token",
    ) -> None:
        """Describe its client; from then on it answers."""
        assert self._process.stdin is not None
        settings = {
            "redirect_uri": redirect_uri,
            "secret": secret,
            "alg": alg,
            "claims_in": claims_in,
        }
        self._process.stdin.write(json.dumps(settings) + "\n")
        self._process.stdin.flush()
        self._next("ready")

    def stop(self) -> None:
        """As when its machine is switched off."""
        self._process.kill()
        self._process.communicate(timeout=WAIT_S)

    def _next(self, saw: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the provider ended; its own words are on stderr"
        seen: dict[str, Any] = json.loads(line)
        assert seen["saw"] == saw
        return seen
