"""Prefect's API is for the service's own account: another account, another site's page and a changed deployment get nowhere."""

import base64
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.rows import csv, row

ROOT = Path(__file__).parents[2]
NOBODY = 65534
EVIL = """
from pathlib import Path
Path(__file__).with_name("loaded").touch()
from prefect import flow


@flow
def nightly(home: str = "", as_of: str | None = None):
    pass
"""
# Stops being root for good, then asks as anybody on the machine could.
AS_NOBODY = """
import http.client, json, os, sys
"its modules are root's".encode("idna")
os.setgroups([]); os.setgid(65534); os.setuid(65534)
port, requests = int(sys.argv[1]), json.loads(sys.argv[2])
answers = []
for method, path, body in requests:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
    answers.append(connection.getresponse().status)
try:
    answers.append(open(sys.argv[3]).read())
except OSError as problem:
    answers.append(type(problem).__name__)
print(json.dumps(answers))
"""


@dataclass
class Served:
    """A `kpi serve` that goes on: its process, its port, its home, what it has printed."""

    process: subprocess.Popen[str]
    port: int
    home: Path
    lines: list[str]

    @property
    def secret(self) -> str:
        return (self.home / "secret" / "prefect-api").read_text().strip()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """As somebody who has the password and a token against forged requests, unless ``headers`` say otherwise."""
        password = {"Authorization": "Basic " + base64.b64encode(self.secret.encode()).decode()}
        if method != "GET":
            token = self.ask("GET", "/api/csrf-token?client=test")[2]
            password |= {"Prefect-Csrf-Token": token["token"], "Prefect-Csrf-Client": "test"}
        return self.send(method, path, body, **(password | headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Asks again for as long as the server says that its database is busy (503), which no answer of the door is."""
        for _ in range(20):
            answered = self._send_once(method, path, body, headers)
            if answered[0] != 503:
                break
            time.sleep(0.5)
        return answered

    def _send_once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            text = answer.read().decode()
        try:
            return answer.status, dict(answer.getheaders()), json.loads(text) if text else None
        except json.JSONDecodeError:
            return answer.status, dict(answer.getheaders()), text

    def wait_for(self, text: str, seconds: float = 60) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := [line for line in self.lines if text in line]:
                return found[0]
            assert self.process.poll() is None, self.lines
            time.sleep(0.1)
        raise AssertionError(f"{text!r} is not in {self.lines}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, prefect_database: Path) -> Iterator[Served]:
    """`kpi serve` of a home with one delivery, as its command line starts it."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(prefect_database, home / "prefect")
    (home / "inbox" / "pension").mkdir(parents=True)
    (home / "inbox" / "pension" / "a.csv").write_text(csv(row("pension")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KPI_"))} | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "KPI_UI_PORT": str(port),
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    }
    command = [sys.executable, "-c", "from flows.cli import main; main()", "serve", "--home", str(home)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        serving = Served(process, port, home, [])

        def read() -> None:
            serving.lines += process.stdout or ()

        threading.Thread(target=read, daemon=True).start()
        try:
            # Lines are added one by one: `+=` of a stream extends the list as it is read.
            serving.wait_for("They ask for a password")
            yield serving
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.mark.slow
def test_the_pages_are_at_the_chosen_port_and_the_terminal_says_where_the_password_lies(served: Served) -> None:
    assert served.wait_for("Prefect's pages:").strip() == f"Prefect's pages: http://127.0.0.1:{served.port}"
    place = served.home / "secret" / "prefect-api"
    assert served.wait_for("They ask for").strip() == f"They ask for a password: the line in {place}"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    status, _, page = served.send("GET", "/", Accept="text/html")
    assert status in (200, 307), page


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another account needs root")
def test_another_account_can_neither_read_nor_change_anything(served: Served) -> None:
    requests = [
        ("POST", "/api/deployments/filter", {}),
        ("POST", "/api/flow_runs/filter", {}),
        ("GET", "/api/admin/settings", None),
        ("POST", "/api/flow_runs/", {"flow_id": "0" * 32, "parameters": {"home": "/tmp"}}),
    ]
    arguments = [str(served.port), json.dumps(requests), str(served.home / "secret" / "prefect-api")]
    asked = subprocess.run(
        ["/usr/bin/env", "python3", "-c", AS_NOBODY, *arguments], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    # Without the token the change is refused before the password is asked for.
    assert json.loads(asked.stdout) == [403, 403, 401, 403, "PermissionError"]
    status, _, _ = served.ask("POST", "/api/deployments/filter", {}, Authorization="Basic a3BpOndyb25n")
    assert status == 401
    assert served.ask("POST", "/api/deployments/filter", {})[0] == 200


@pytest.mark.slow
def test_neither_a_foreign_origin_nor_another_name_of_the_machine_is_answered(served: Served) -> None:
    own = f"http://127.0.0.1:{served.port}"
    assert served.ask("GET", "/api/admin/version", Origin=own)[0] == 200
    for origin in ("http://evil.example", "null", f"http://localhost:{served.port}"):
        status, headers, said = served.ask("GET", "/api/admin/version", Origin=origin)
        assert (status, said) == (403, "pages of another site may not ask this server\n"), origin
        assert "access-control-allow-origin" not in {name.lower() for name in headers}
    # A name that leads here (DNS rebinding) makes a page of that name its own origin.
    status, _, said = served.ask("GET", "/api/admin/version", Host=f"evil.example:{served.port}")
    assert (status, said) == (403, f"this server answers at {own} only\n")


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_of_another_site_gets_no_answer_in_a_browser(served: Served, tmp_path: Path) -> None:
    """Also with the password: the browser must not hand over what the server would say."""
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is not there: apt-get install chromium"
    password = base64.b64encode(served.secret.encode()).decode()
    script = """
    const say = text => { document.title = document.title + " " + text };
    const ask = (name, path, options) => fetch("http://127.0.0.1:PORT" + path, options)
        .then(answer => say(name + "=" + answer.status), () => say(name + "=kept"));
    ask("health", "/api/health", {})
      .then(() => ask("simple", "/api/deployments/filter", {method: "POST", body: "{}"}))
      .then(() => ask("password", "/api/admin/version", {headers: {Authorization: "Basic PASSWORD"}}))
      .then(() => say("ready"));
    """.replace("PORT", str(served.port)).replace("PASSWORD", password)

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<title>site</title><script>{script}</script>".encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        shown = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path}",
             "--virtual-time-budget=10000", "--dump-dom", f"http://127.0.0.1:{site.server_port}/"],
            capture_output=True, text=True, timeout=120, env=os.environ | {"HOME": str(tmp_path)}, check=True,
        ).stdout  # fmt: skip
        site.shutdown()
    assert "<title>site health=kept simple=kept password=kept ready</title>" in shown


@pytest.mark.slow
def test_a_changed_deployment_changes_neither_what_runs_nor_where(served: Served, tmp_path: Path) -> None:
    """With the password even: the code and the home are the serving process's own."""
    (tmp_path / "evil.py").write_text(EVIL)
    other = tmp_path / "other"
    [deployment] = served.ask("POST", "/api/deployments/filter", {})[2]
    changes = {
        "entrypoint": f"{tmp_path}/evil.py:nightly",
        "path": str(tmp_path),
        "enforce_parameter_schema": False,
        "parameters": {},
        "job_variables": {"env": {"KPI_HOME": str(other), "PYTHONPATH": str(tmp_path)}},
    }
    assert served.ask("PATCH", f"/api/deployments/{deployment['id']}", changes)[0] == 204
    create = f"/api/deployments/{deployment['id']}/create_flow_run"

    assert served.ask("POST", create, {"parameters": {"home": str(other), "as_of": "2099-12-31"}})[0] == 201
    assert " nightly 20" in served.wait_for("crashed; ")
    assert any(
        "expects parameters [] but was provided with parameters ['home', 'as_of']" in said for said in served.lines
    )
    assert not (served.home / "warehouse.duckdb").exists()

    assert served.ask("POST", create, {})[0] == 201
    line = served.wait_for("completed; ")
    assert "completed; run-000001: 1 deliveries taken in, 0 refused, " in line
    assert line.endswith(" values changed; published\n")
    assert " nightly 20" in line
    assert (served.home / "published" / "kpi.duckdb").exists()
    assert not other.exists()
    assert not (tmp_path / "loaded").exists()
    with closing(sqlite3.connect(served.home / "prefect" / "prefect.db")) as database:
        names = {name for (name,) in database.execute("SELECT name FROM flow_run WHERE state_type = 'COMPLETED'")}
    assert any(name.startswith("nightly 20") for name in names)


@pytest.mark.slow
def test_the_password_is_in_no_command_line_and_in_no_file_but_its_own(served: Served) -> None:
    password = served.secret.partition(":")[2]
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    shown = []
    for process in processes:
        try:
            shown.append((process / "cmdline").read_bytes().decode(errors="replace"))
        except OSError:
            continue
    assert any("prefect_door" in line for line in shown)
    assert not [line for line in shown if password in line]
    assert not [line for line in served.lines if password in line]
    encoded = base64.b64encode(served.secret.encode())
    for file in served.home.rglob("*"):
        if file.is_file() and file != served.home / "secret" / "prefect-api":
            content = file.read_bytes()
            assert password.encode() not in content and encoded not in content, file


@pytest.mark.slow
def test_a_port_that_is_taken_is_named(served: Served, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    command = [sys.executable, "-c", "from flows.cli import main; main()", "serve", "--home", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KPI_"))}
    second = subprocess.run(
        command,
        env=environment | {"KPI_UI_PORT": str(served.port), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert second.returncode == 3
    assert second.stderr == (
        f"kpi: port {served.port} is taken, by another `kpi serve` or another program: end it, "
        "or choose another port by KPI_UI_PORT\n"
    )
