from __future__ import annotations

import json
from pathlib import Path

import pytest

from api import cli, doctor
from api.doctor import Finding, Report, State, examine, show
from api.settings import env_names

SECRET = "hunter2hunter2hunter2"


def part(report: Report, name: str) -> Finding:
    return next(finding for finding in report.findings if finding.part == name)


def test_with_nothing_set_all_is_well_and_every_setting_shown() -> None:
    report = examine(offline=True)
    shown = [finding.part for finding in report.findings if finding.group == "settings"]
    assert shown == env_names()
    assert part(report, "OFFHOOK_PUBLIC_URL").detail == "http://127.0.0.1:8080  (default)"
    for name in (
        "pocketsphinx",
        "espeak-ng",
        "onnxruntime",
        "qdrant-edge",
        "silero",
        "cores",
        "open files",
        "disk",
        "python",
    ):
        assert part(report, name).state in (State.OK, State.WARN)


def test_secrets_are_masked_everywhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("TWILIO_AUTH_TOKEN", "OFFHOOK_API_KEYS", "DEEPGRAM_API_KEY", "OPENAI_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OFFHOOK_REDIS_URL", f"redis://:{SECRET}@127.0.0.1:1/0")
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", f"postgresql://user:{SECRET}@127.0.0.1:1/name")
    report = examine(offline=True)
    show(report)
    show(report, as_json=True)
    printed = "".join(capsys.readouterr())
    assert SECRET not in printed
    assert "user:***@" in printed
    assert part(report, "OFFHOOK_API_KEYS").detail == "1 set (hidden)"


def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["doctor", "--offline", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert {finding["group"] for finding in report["findings"]} == {"settings", "parts", "gate", "embedded", "machine"}


def test_wrong_settings_do_not_keep_it_from_looking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", "x")
    monkeypatch.setenv("OPENAI_BASE_URL", "y")
    assert cli.run(["doctor", "--offline"]) == 1
    printed = capsys.readouterr().out
    assert "fail OFFHOOK_PUBLIC_URL" in printed
    assert "pocketsphinx" in printed
    assert printed.rstrip().endswith("2 to mend.")


def test_a_provider_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_STT", "whisper")
    (wrong,) = [finding for finding in examine(offline=True).findings if finding.group == "settings"]
    assert (wrong.part, wrong.state) == ("OFFHOOK_STT", State.FAIL)


def test_a_carrier_without_a_public_address_or_caller_id_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", SECRET)
    report = examine(offline=True)
    assert not report.ok
    assert part(report, "public URL").state is State.FAIL
    assert part(report, "caller id").do == "set TWILIO_FROM to a number of the account"


def test_plain_http_to_the_world_and_short_keys_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", "http://calls.example.com")
    monkeypatch.setenv("OFFHOOK_API_KEYS", "short")
    report = examine(offline=True)
    assert part(report, "public URL").state is State.WARN
    assert part(report, "API keys").state is State.WARN
    assert report.ok


def test_agents_are_read_and_a_broken_one_named(tmp_path: Path) -> None:
    assert part(examine(offline=True), "agents").state is State.WARN
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "broken.toml").write_text("name = 1\n")
    report = examine(offline=True)
    assert part(report, "agent broken.toml").state is State.FAIL
    assert not report.ok


def test_an_agent_of_another_language_is_not_for_the_embedded_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agents").mkdir()
    spanish = (
        'name = "ana"\nlanguage = "es-US"\nseller = "Acme"\npersona = "Ana"\ngoal = "g"\nopening = "o"\ngoodbye = "a"\n'
    )
    (tmp_path / "agents" / "ana.toml").write_text(spanish)

    def told() -> tuple[State, str]:
        found = [each for each in examine(offline=True).findings if "speaks es-US" in each.detail]
        return (found[0].state, found[0].do) if found else (State.OK, "")

    assert told() == (State.FAIL, "name vendors alone in OFFHOOK_STT, OFFHOOK_LLM, OFFHOOK_TTS")
    for name, order in (("STT", "deepgram,embedded"), ("LLM", "anthropic"), ("TTS", "elevenlabs")):
        monkeypatch.setenv(f"OFFHOOK_{name}", order)
    for key in ("DEEPGRAM_API_KEY", "ANTHROPIC_API_KEY", "ELEVENLABS_API_KEY"):
        monkeypatch.setenv(key, "k" * 20)
    assert told() == (State.WARN, "name vendors alone in OFFHOOK_STT")
    monkeypatch.setenv("OFFHOOK_STT", "deepgram")
    assert told() == (State.OK, "")


def test_an_open_home_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / ".offhook").mkdir(mode=0o755)
    (tmp_path / ".offhook").chmod(0o755)
    assert part(examine(offline=True), "home").do.startswith("chmod 700")


def test_a_home_that_cannot_be_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path / "file" / "home"))
    assert part(examine(offline=True), "home").state is State.FAIL


def test_a_machine_too_small_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "FILES_WANTED", 10**9)
    monkeypatch.setattr(doctor, "DISK_WANTED", 10**18)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    report = examine(offline=True)
    assert {part(report, name).state for name in ("open files", "disk", "cores")} == {State.WARN}
    assert part(report, "open files").do.startswith("ulimit -n")
