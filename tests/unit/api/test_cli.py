from __future__ import annotations

import logging
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer

from api import cli
from api.settings import Settings
from voice.build import is_compiled

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """A command sets the log up for its process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> dict[str, types.ModuleType]:
    """Modules that commands import, made up for a test: `parts["api.x"]`."""

    class Made(dict[str, types.ModuleType]):
        def __missing__(self, name: str) -> types.ModuleType:
            module = types.ModuleType(name)
            monkeypatch.setitem(sys.modules, name, module)
            self[name] = module
            return module

    return Made()


def mount(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setattr(cli, "MOUNTED", {"thing": cli.Mounted(module, "Things.", "offhook thing first x")})
    monkeypatch.setattr(cli, "_exists", lambda _: True)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name in ("demo", "serve", "call", "doctor", "replay", "simulator"):
        assert f"  {name} " in shown
    assert "Example: offhook demo" in shown


@pytest.mark.parametrize("name", ["demo", "serve", "call", "doctor", *cli.MOUNTED])
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([name, "--help"]) == (0 if name not in cli.MOUNTED or cli._exists(cli.MOUNTED[name].module) else 2)
    printed = "".join(capsys.readouterr())
    assert f"Example: offhook {name}" in printed or "No such command" in printed


def test_no_command_is_help_and_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([]) == 2
    assert "Commands" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "x"], ["serve", "--port", "70000"], ["call"], ["--nope"]]
)
def test_a_usage_error_exits_with_2_and_no_traceback(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == 2
    assert "Traceback" not in "".join(capsys.readouterr())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("offhook ")
    assert told.rstrip().endswith("compiled" if is_compiled() else "interpreted")


def test_help_imports_nothing_heavy() -> None:
    heavy = "{'fastapi', 'numpy', 'sqlalchemy', 'pydantic', 'uvicorn', 'onnxruntime', 'phonenumbers', 'twilio', 'httpx'}"
    code = f"import sys; from api.cli import run; run(['--help']); print({heavy} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_serve_hands_over_what_was_said(parts: dict[str, types.ModuleType]) -> None:
    seen: list[tuple[object, ...]] = []
    parts["api.serve"].serve = lambda *given: seen.append(given)  # type: ignore[attr-defined]
    assert cli.run(["serve", "--port", "0", "--workers", "2"]) == 0
    ((settings, host, port, workers),) = seen
    assert isinstance(settings, Settings)
    assert (host, port, workers) == ("127.0.0.1", 0, 2)


def test_serve_without_keys_listens_on_loopback_only(
    parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    parts["api.serve"].serve = lambda *_: pytest.fail("it must not start")  # type: ignore[attr-defined]
    assert cli.run(["serve", "--host", "0.0.0.0"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("offhook: refusing to listen on 0.0.0.0")
    assert error.count("\n") == 1


@pytest.mark.parametrize("status", [0, 1])
def test_demo_exits_as_it_ended(parts: dict[str, types.ModuleType], status: int) -> None:
    parts["api.demo"].run = lambda *, seed, as_json: status if (seed, as_json) == (7, True) else 99  # type: ignore[attr-defined]
    assert cli.run(["demo", "--seed", "7", "--json"]) == status


def test_wrong_settings_are_a_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", "x")
    monkeypatch.setenv("TWILIO_API_URL", "y")
    assert cli.run(["serve"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["OFFHOOK_PUBLIC_URL", "TWILIO_API_URL"]


def test_a_typer_app_is_mounted(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    app = typer.Typer()

    @app.command()
    def first(word: str) -> None:
        typer.echo(f"first {word}")

    @app.command()
    def second() -> None: ...

    parts["made.up"].app = app  # type: ignore[attr-defined]
    mount(monkeypatch, "made.up")
    assert cli.run(["thing", "first", "x"]) == 0
    assert capsys.readouterr().out == "first x\n"
    assert cli.run(["thing", "--help"]) == 0
    assert "Example: offhook thing first x" in capsys.readouterr().out
    assert cli.run(["--help"]) == 0
    assert "Things." in capsys.readouterr().out


def test_one_module_may_hold_several(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    def thing(number: str) -> None:
        """Check one."""
        typer.echo(f"checked {number}")

    parts["made.up"].thing = thing  # type: ignore[attr-defined]
    mount(monkeypatch, "made.up")
    assert cli.run(["thing", "+1"]) == 0
    assert capsys.readouterr().out == "checked +1\n"


def test_a_module_that_reads_its_own_arguments_gets_them_all(
    monkeypatch: pytest.MonkeyPatch, parts: dict[str, types.ModuleType]
) -> None:
    seen: list[list[str]] = []

    def main(arguments: list[str]) -> int:
        seen.append(arguments)
        return 3

    parts["made.up"].main = main  # type: ignore[attr-defined]
    mount(monkeypatch, "made.up")
    assert cli.run(["thing", "turns", "--corpus", "x", "--help", "-v"]) == 3
    assert seen == [["turns", "--corpus", "x", "--help", "-v"]]


def test_what_is_not_installed_is_not_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(
        cli, "MOUNTED", {"thing": cli.Mounted("no.such.module", "Things."), "other": cli.Mounted("api.no_such", "Others.")}
    )
    cli.run(["--help"])
    shown = capsys.readouterr().out
    assert "thing" not in shown.split()
    assert cli.run(["thing"]) == 2


def raising(parts: dict[str, types.ModuleType], error: BaseException) -> None:
    def run(**_: object) -> int:
        raise error

    parts["api.demo"].run = run  # type: ignore[attr-defined]


def test_errors_of_every_room_are_a_line(parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]) -> None:
    from compliance.errors import ReceiptError
    from context.errors import KnowledgeLocked
    from storage.errors import DatabaseUnusable
    from telephony.errors import CarrierError
    from voice.errors import AgentFileError

    for error in (
        AgentFileError("missing", "solar.toml: goal is missing"),
        DatabaseUnusable("no database there"),
        CarrierError("down", "no answer", retryable=True),
        KnowledgeLocked("another process has it"),
        ReceiptError("broken"),
        FileNotFoundError(2, "No such file or directory", "contacts.csv"),
        ModuleNotFoundError("No module named 'deepgram'", name="deepgram"),
    ):
        raising(parts, error)
        assert cli.run(["demo"]) == 1
        said = capsys.readouterr().err
        assert said.startswith("offhook: ")
        assert said.count("\n") == 1


def test_a_missing_extra_says_what_to_install(
    parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    raising(parts, ModuleNotFoundError("No module named 'asyncpg'", name="asyncpg"))
    assert cli.run(["demo"]) == 1
    assert "pip install 'offhook[postgres]'" in capsys.readouterr().err


def test_a_fault_of_ours_is_not_hidden(parts: dict[str, types.ModuleType]) -> None:
    raising(parts, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        cli.run(["demo"])


def test_ctrl_c_is_130(parts: dict[str, types.ModuleType]) -> None:
    raising(parts, KeyboardInterrupt())
    assert cli.run(["demo"]) == 130


def test_main_leaves_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["offhook", "--version"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0


def test_the_log_does_not_stand_in_the_way_of_the_answer(
    parts: dict[str, types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*, seed: int, as_json: bool) -> int:
        structlog.get_logger().info("a detail")
        structlog.get_logger().warning("ringing_failed", number="+14155550123")
        return 0

    parts["api.demo"].run = run  # type: ignore[attr-defined]
    assert cli.run(["demo", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "ringing_failed" in err
    assert "a detail" not in err
    assert "4155550123" not in err
