"""What the operator decides: one value read from the environment and `.env`, checked once, never changed after.

Ours carry the prefix OFFHOOK_; a vendor's settings keep the vendor's own names. An empty setting means the embedded part.
Reads no clock, opens no connection; the one thing it does to the world is to make its own folder (`prepare_home`).
"""

from __future__ import annotations

import os
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from compliance.scope import Scopes, parse_scopes
from voice.pricing.thrift import ALLOWED
from voice.providers.resilience.health import MINDS_AT_ONCE

EMBEDDED: Final = "embedded"
PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    "stt": ("deepgram", EMBEDDED, "livekit", "pipecat"),
    "llm": ("anthropic", "openai", EMBEDDED, "livekit", "pipecat"),
    "tts": ("elevenlabs", EMBEDDED, "livekit", "pipecat"),
}
NEEDS: Final[dict[str, tuple[str, ...]]] = {  # provider -> settings of which one must be there
    "deepgram": ("DEEPGRAM_API_KEY",),
    "elevenlabs": ("ELEVENLABS_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),  # a local model server often wants no key
}
DRIVERS: Final = {
    "sqlite:": "sqlite+aiosqlite:",
    "postgresql:": "postgresql+asyncpg:",
    "postgres:": "postgresql+asyncpg:",
}
NO_SECRET: Final = SecretStr("")
HOME_MODE: Final = 0o700  # recordings of people: nobody else on the machine may read them


class SettingsError(Exception):
    """A setting cannot be used. The message has one line for each, naming the setting and the cure."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _split_secrets(value: object) -> object:
    parts = _split(value)
    return tuple(SecretStr(part) for part in parts) if isinstance(parts, tuple) and isinstance(value, str) else parts


def _or_never(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "never" else value


def _scopes(value: object) -> object:
    return parse_scopes(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _http_url(value: str) -> str:
    return _url(value, "http", "https")


def _socket_url(value: str) -> str:
    return _url(value, "ws", "wss", "http", "https")


def _url(value: str, *schemes: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without ? and #")
    return value.rstrip("/")


def _sqlalchemy_url(value: str) -> str:
    """Plain `sqlite:` and `postgresql:` URLs, as people have them at hand, get the asyncio driver we use."""
    for plain, driven in DRIVERS.items():
        if value.startswith(plain):
            return driven + value.removeprefix(plain)
    if value and not value.startswith(("sqlite+aiosqlite:", "postgresql+asyncpg:")):
        raise ValueError("must start with sqlite+aiosqlite: or postgresql+asyncpg:")
    return value


Dollars: TypeAlias = Annotated[Decimal, Field(gt=0)]
HttpUrl: TypeAlias = Annotated[str, AfterValidator(_http_url)]
SocketUrl: TypeAlias = Annotated[str, AfterValidator(_socket_url)]
Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Every setting there is; `docs/settings.md` explains each for people."""

    model_config = SettingsConfigDict(
        env_prefix="OFFHOOK_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        validate_default=False,
        hide_input_in_errors=True,
    )

    public_url: HttpUrl = "http://127.0.0.1:8080"
    database_url_setting: Annotated[str, AfterValidator(_sqlalchemy_url)] = Field(
        default="", validation_alias="OFFHOOK_DATABASE_URL", repr=False
    )
    redis_url: SecretStr = NO_SECRET
    qdrant_url: HttpUrl = ""
    home: Path = Path(".offhook")
    agents: Path = Path("agents")
    revocation_scope: Annotated[Scopes, NoDecode, BeforeValidator(_scopes)] = Scopes()
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split_secrets)] = ()
    stt: Names = ()
    llm: Names = ()
    tts: Names = ()
    budget_call: Dollars | None = None
    budget_campaign: Dollars | None = None
    budget_hour: Dollars | None = None
    most_lag: float = Field(default=0.15, ge=0)
    speculation_tokens: Annotated[int, Field(ge=0)] = ALLOWED
    minds_at_once: Annotated[int, Field(ge=1, le=3)] = MINDS_AT_ONCE
    acknowledge_after: Annotated[float | None, Field(ge=0, le=10), BeforeValidator(_or_never)] = 0.5

    twilio_account_sid: str = Field(default="", validation_alias="TWILIO_ACCOUNT_SID")
    twilio_auth_token: SecretStr = Field(default=NO_SECRET, validation_alias="TWILIO_AUTH_TOKEN")
    twilio_from: Names = Field(default=(), validation_alias="TWILIO_FROM")
    twilio_api_url: HttpUrl = Field(default="https://api.twilio.com", validation_alias="TWILIO_API_URL")

    deepgram_api_key: SecretStr = Field(default=NO_SECRET, validation_alias="DEEPGRAM_API_KEY")
    deepgram_url: SocketUrl = Field(default="", validation_alias="DEEPGRAM_URL")
    elevenlabs_api_key: SecretStr = Field(default=NO_SECRET, validation_alias="ELEVENLABS_API_KEY")
    elevenlabs_url: HttpUrl = Field(default="", validation_alias="ELEVENLABS_URL")
    anthropic_api_key: SecretStr = Field(default=NO_SECRET, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: HttpUrl = Field(default="", validation_alias="ANTHROPIC_BASE_URL")
    openai_api_key: SecretStr = Field(default=NO_SECRET, validation_alias="OPENAI_API_KEY")
    openai_base_url: HttpUrl = Field(default="", validation_alias="OPENAI_BASE_URL")

    livekit_url: SocketUrl = Field(default="", validation_alias="LIVEKIT_URL")
    livekit_api_key: SecretStr = Field(default=NO_SECRET, validation_alias="LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr = Field(default=NO_SECRET, validation_alias="LIVEKIT_API_SECRET")
    otel_exporter_otlp_endpoint: HttpUrl = Field(default="", validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")

    @model_validator(mode="after")
    def _providers_are_known_and_configured(self) -> Settings:
        for part, known in PROVIDERS.items():
            for name in getattr(self, part):
                vendor = name.partition(":")[0]
                if vendor not in known:
                    raise ValueError(f"OFFHOOK_{part.upper()} names {name!r}; there are: {', '.join(known)}")
                if not self._is_configured(vendor):
                    wanted = " or ".join(NEEDS[vendor])
                    raise ValueError(f"OFFHOOK_{part.upper()} names {name}, but {wanted} is not set")
        return self

    # --- what follows from them ---------------------------------------------------------------------------------------

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL; without one a SQLite file under `home`."""
        return self.database_url_setting or f"sqlite+aiosqlite:///{(self.home / 'offhook.db').absolute()}"

    @property
    def media_url(self) -> str:
        """Where a carrier opens its media stream: the public URL with ws for http and wss for https."""
        parts = urlsplit(self.public_url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return urlunsplit((scheme, parts.netloc, parts.path + "/twilio/media", "", ""))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret that is set, in clear: for the log, which must never write one."""
        values = [value for field in type(self).model_fields for value in _each(getattr(self, field))]
        password = urlsplit(self.database_url_setting).password
        return (
            *[value.get_secret_value() for value in values if value.get_secret_value()],
            *([password] if password else []),
        )

    @property
    def has_carrier(self) -> bool:
        return bool(self.twilio_account_sid and self.twilio_auth_token.get_secret_value())

    @property
    def stt_order(self) -> tuple[str, ...]:
        """Speech to text providers in order of preference; never empty."""
        return self._order("stt")

    @property
    def llm_order(self) -> tuple[str, ...]:
        """Language model providers in order of preference; never empty."""
        return self._order("llm")

    @property
    def tts_order(self) -> tuple[str, ...]:
        """Text to speech providers in order of preference; never empty."""
        return self._order("tts")

    def webhook_url(self, path: str) -> str:
        """The address a carrier uses, and signs, for one of our paths (`path` with its query, from the slash on)."""
        return self.public_url + path

    def prepare_home(self) -> Path:
        """Make the home folder, readable by its owner alone. Raises `SettingsError` if that cannot be."""
        try:
            self.home.mkdir(mode=HOME_MODE, parents=True, exist_ok=True)
            is_writable = os.access(self.home, os.W_OK | os.X_OK)
        except OSError as error:
            raise SettingsError(
                f"OFFHOOK_HOME: {self.home} cannot be made ({error.strerror}); name a folder you can write"
            ) from None
        if not is_writable:
            raise SettingsError(f"OFFHOOK_HOME: {self.home} is not writable; name a folder you can write")
        return self.home

    def _order(self, part: str) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, part)
        return chosen or (next(name for name in PROVIDERS[part] if self._is_configured(name)),)

    def _is_configured(self, provider: str) -> bool:
        return provider not in NEEDS or any(is_set(getattr(self, name.lower())) for name in NEEDS[provider])


def _each(value: object) -> list[SecretStr]:
    items = value if isinstance(value, tuple) else (value,)
    return [item for item in items if isinstance(item, SecretStr)]


def is_set(value: str | SecretStr) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def env_name(field: str) -> str:
    """The name people write for a field of `Settings`."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"OFFHOOK_{field.upper()}"


def env_names() -> list[str]:
    """Every setting's name, in the order of the class."""
    return [env_name(field) for field in Settings.model_fields]


def load_settings() -> Settings:
    """Read the environment and `.env`. Raises `SettingsError` with a line for every setting that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(item["loc"], item["msg"]) for item in error.errors())) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {error}") from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once, with the home folder made. Raises `SettingsError`."""
    settings = load_settings()
    settings.prepare_home()
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name or an address, an IPv6 one with or without brackets)."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _line(location: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    if not location:
        return said
    field = str(location[0])
    return f"{env_name(field) if field in Settings.model_fields else field}: {said}"
