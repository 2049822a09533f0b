from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from api.settings import Settings, SettingsError, env_name, env_names, get_settings, is_loopback, load_settings

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def test_nothing_set_means_embedded_parts_on_this_machine(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.media_url == "ws://127.0.0.1:8080/twilio/media"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/.offhook/offhook.db"
    assert (settings.stt_order, settings.llm_order, settings.tts_order) == (("embedded",),) * 3
    assert not settings.has_carrier
    assert settings.api_keys == ()


@pytest.mark.parametrize(("given", "seconds"), [("", 0.5), ("0.8", 0.8), ("never", None)])
def test_a_word_in_between_may_come_later_or_never(
    monkeypatch: pytest.MonkeyPatch, given: str, seconds: float | None
) -> None:
    monkeypatch.setenv("OFFHOOK_ACKNOWLEDGE_AFTER", given)
    assert load_settings().acknowledge_after == seconds


@pytest.mark.parametrize(
    ("public", "media"),
    [
        ("https://calls.example.com", "wss://calls.example.com/twilio/media"),
        ("https://calls.example.com/", "wss://calls.example.com/twilio/media"),
        ("https://example.com:8443/voice", "wss://example.com:8443/voice/twilio/media"),
        ("http://[::1]:8080", "ws://[::1]:8080/twilio/media"),
    ],
)
def test_the_media_url_is_the_public_one_with_ws_for_http(monkeypatch: pytest.MonkeyPatch, public: str, media: str) -> None:
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", public)
    settings = load_settings()
    assert settings.media_url == media
    assert settings.webhook_url("/twilio/voice?a=1") == public.rstrip("/") + "/twilio/voice?a=1"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OFFHOOK_PUBLIC_URL", "ftp://x", "http:// or https://"),
        ("OFFHOOK_PUBLIC_URL", "calls.example.com", "http:// or https://"),
        ("OFFHOOK_PUBLIC_URL", "https://", "http:// or https://"),
        ("OFFHOOK_PUBLIC_URL", "https://x:99999", "http:// or https://"),
        ("OFFHOOK_PUBLIC_URL", "https://x/?a=1", "without ? and #"),
        ("OFFHOOK_DATABASE_URL", "mysql://x", "postgresql+asyncpg"),
        ("DEEPGRAM_URL", "tcp://x", "ws://"),
        ("TWILIO_API_URL", "nonsense", "http"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert said in message
    assert "\n" not in message


def test_every_wrong_setting_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PUBLIC_URL", "x")
    monkeypatch.setenv("OPENAI_BASE_URL", "y")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["OFFHOOK_PUBLIC_URL", "OPENAI_BASE_URL"]


def test_a_provider_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_STT", "whisper")
    with pytest.raises(SettingsError, match=r"OFFHOOK_STT names 'whisper'; there are: deepgram, embedded"):
        load_settings()


def test_a_named_provider_without_its_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_LLM", "openai,embedded")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY or OPENAI_BASE_URL is not set"):
        load_settings()


def test_a_local_model_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:11434/v1")
    assert load_settings().llm_order == ("openai",)


def test_the_first_configured_vendor_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    settings = load_settings()
    assert settings.stt_order == ("deepgram",)
    assert settings.llm_order == ("anthropic",)
    assert settings.tts_order == ("embedded",)


def test_lists_are_comma_separated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGRAM_API_KEY", "k")
    monkeypatch.setenv("OFFHOOK_STT", " deepgram, embedded ,")
    monkeypatch.setenv("TWILIO_FROM", "+12025550100,+12025550101")
    monkeypatch.setenv("OFFHOOK_API_KEYS", "one, two")
    settings = load_settings()
    assert settings.stt_order == ("deepgram", "embedded")
    assert settings.twilio_from == ("+12025550100", "+12025550101")
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]


def test_an_empty_setting_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in env_names():
        monkeypatch.setenv(name, "")
    assert load_settings() == Settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter2hunter2"
    for name in ("TWILIO_AUTH_TOKEN", "OFFHOOK_API_KEYS", "DEEPGRAM_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("OFFHOOK_REDIS_URL", f"redis://:{secret}@host/0")
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", f"postgresql://user:{secret}@host/name")
    assert secret not in repr(load_settings())


def test_every_secret_is_known_to_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_API_KEYS", "one,two")
    monkeypatch.setenv("DEEPGRAM_API_KEY", "three")
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", "postgresql://user:four@host/name")
    assert sorted(load_settings().secrets) == ["four", "one", "three", "two"]


def test_a_wrong_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", "mysql://user:hunter2@host")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://h/d", "postgresql+asyncpg://h/d"),
        ("postgres://h/d", "postgresql+asyncpg://h/d"),
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    ],
)
def test_a_plain_database_url_gets_our_driver(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", given)
    assert load_settings().database_url == used


def test_an_env_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("OFFHOOK_HOME=here\nTWILIO_ACCOUNT_SID=ACfile\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "ACenv")
    settings = load_settings()
    assert settings.home == Path("here")
    assert settings.twilio_account_sid == "ACenv"


def test_an_env_file_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00OFFHOOK")
    with pytest.raises(SettingsError, match=r"^\.env cannot be read"):
        load_settings()


def test_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    home = get_settings().prepare_home()
    assert home.is_dir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert get_settings() is get_settings()


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OFFHOOK_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsError, match=r"^OFFHOOK_HOME: .* cannot be made"):
        get_settings()


def test_a_home_that_is_not_writable_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SettingsError, match="is not writable"):
        get_settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.nip.io"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_every_setting_is_documented_and_no_other() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(env_names())
    assert len(set(documented)) == len(documented)


def test_documented_defaults_are_the_real_ones() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    settings = Settings()
    real = {env_name(field): str(getattr(settings, field)) for field in Settings.model_fields}
    assert {name: shown.removeprefix("./") for name, shown in rows} == {name: real[name] for name, _ in rows}
