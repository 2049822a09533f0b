"""The command `offhook`: what people type, handed on to the part that does it.

Every command imports what it needs when it runs, so that `--help` comes at once. An error that is the user's to mend is one
line on standard error and exit status 1; a traceback means a fault of ours. Usage errors exit with 2.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

if TYPE_CHECKING:
    from api.settings import Settings


class Mounted(NamedTuple):
    """A command that lives in a module of its own."""

    module: str
    about: str  # what `offhook --help` says of it
    example: str = ""  # for a group's own help; a plain command brings its own


MOUNTED: Final[dict[str, Mounted]] = {
    "campaign": Mounted(
        "api.commands.campaign",
        "Campaigns: create, import, start, pause, resume, stop, status, explain.",
        "offhook campaign import autumn contacts.csv",
    ),
    "check": Mounted("api.commands.compliance", "May this number be called? Every rule that speaks, with its source."),
    "dnc": Mounted("api.commands.compliance", "Do-not-call lists: load, status, lookup.", "offhook dnc lookup +12025550123"),
    "consent": Mounted(
        "api.commands.compliance", "The consent ledger: record, revoke, show.", "offhook consent show +12025550123"
    ),
    "audit": Mounted("api.commands.compliance", "Decision receipts: verify their chain.", "offhook audit verify"),
    "knowledge": Mounted(
        "api.commands.knowledge",
        "The knowledge base: add, search, history, rollback.",
        'offhook knowledge search "when do you close"',
    ),
    "replay": Mounted("api.commands.replay", "A recorded call's journal through the conversation core again."),
    "bench": Mounted("benchmarks.cli", "The benchmark harness.", "offhook bench --list"),
    "simulator": Mounted("api.commands.simulator", "The built-in phone network, as a process of its own."),
}
# Errors whose message is for the user, by where they are defined: an error that was raised has its module loaded.
EXPECTED: Final = frozenset(
    {
        ("api.settings", "SettingsError"),
        ("storage.errors", "StorageError"),
        ("voice.errors", "VoiceError"),
        ("telephony.errors", "TelephonyError"),
        ("compliance.errors", "ComplianceError"),
        ("context.errors", "ContextError"),
        ("dialer.errors", "DialerError"),
        ("benchmarks.errors", "BenchmarkError"),
    }
)
_INTERRUPTED: Final = 130  # as shells say it: 128 + SIGINT

AsJson = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """Entry point of the `offhook` command."""
    os.environ["PYTHONSAFEPATH"] = "1"  # processes of ours load what this one does, and not what lies where we were started
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    chosen = _first_word(arguments)
    if chosen is not None:
        _log_quietly()
    try:
        build(chosen)(args=list(arguments), prog_name="offhook")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        return _told(error)
    return 0


def build(chosen: str | None = None) -> typer.Typer:
    """The root command. Only the mounted module named by `chosen` is imported; the others stand as a line of help."""
    app = typer.Typer(
        name="offhook",
        help="A real-time voice calling engine: it checks, dials, talks, listens, hands over and learns.",
        epilog="Example: offhook demo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    app.command(short_help="A small campaign through the built-in phone network: no account needed.")(demo)
    app.command(short_help="The API, the carrier's webhooks, the media WebSocket and the console.")(serve)
    app.command(short_help="One outbound call.", no_args_is_help=True)(call)
    for name, mounted in MOUNTED.items():
        if _exists(mounted.module):
            _mount(app, name, mounted, is_chosen=name == chosen)
    app.command(short_help="What works, what does not, what to do.")(doctor)
    return app


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import PackageNotFoundError, version

        from voice.build import is_compiled

        try:
            typer.echo(f"offhook {version('offhook')}, {'compiled' if is_compiled() else 'interpreted'}")
        except PackageNotFoundError:  # run from a checkout that was never installed
            typer.echo("offhook, not installed")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_show_version)
    ] = False,
) -> None: ...


def demo(
    seed: Annotated[int, typer.Option(help="The same seed gives the same people, saying the same things.")] = 1,
    as_json: AsJson = False,
) -> None:
    """The main job on embedded parts, no account: a small campaign through the built-in phone network.

    Example: offhook demo --seed 7
    """
    module = importlib.import_module("api.demo")
    raise typer.Exit(module.run(seed=seed, as_json=as_json))


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but loopback needs OFFHOOK_API_KEYS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes; this version serves from one.")] = 1,
) -> None:
    """The API, the carrier's webhooks, the media WebSocket and the console.

    Example: offhook serve --port 8080
    """
    from api.auth import assert_bind_allowed
    from api.logging import configure
    from api.serve import serve as serve_until_stopped

    settings = _settings()
    assert_bind_allowed(host, settings)
    configure(secrets=settings.secrets)
    serve_until_stopped(settings, host, port, workers)


def call(
    number: Annotated[str, typer.Argument(help="Whom to ring, E.164.", metavar="NUMBER")],
    agent: Annotated[str, typer.Option(help="Who speaks: an agent of OFFHOOK_AGENTS.")],
    server: Annotated[str, typer.Option(help="A running `offhook serve`; default: this machine's.")] = "",
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Show the words until the call ends.")] = True,
    as_json: AsJson = False,
) -> None:
    """One outbound call, through the same gate as any other. `offhook serve` must be running: it speaks with the carrier.

    Example: offhook call +12025550123 --agent renewals
    """
    from api.commands.call import place_and_follow

    raise typer.Exit(place_and_follow(_settings(), number, agent, server, follow=follow, as_json=as_json))


def doctor(
    as_json: AsJson = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no other machine.")] = False,
) -> None:
    """Settings, every configured part, the embedded parts, this machine's limits: what works, what does not, what to do.

    Example: offhook doctor
    """
    from api.doctor import examine, show

    report = examine(offline=offline)
    show(report, as_json=as_json)
    raise typer.Exit(0 if report.ok else 1)


# --- mounting ---------------------------------------------------------------------------------------------------------


def _first_word(arguments: Sequence[str]) -> str | None:
    return next((word for word in arguments if not word.startswith("-")), None)


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there
        return False


def _mount(app: typer.Typer, name: str, mounted: Mounted, *, is_chosen: bool) -> None:
    if not is_chosen:
        app.command(name, short_help=mounted.about)(_placeholder)
        return
    loaded = importlib.import_module(mounted.module)
    found = getattr(loaded, f"{name}_app", None) or getattr(loaded, name, None) or getattr(loaded, "app", None)
    if isinstance(found, typer.Typer):
        app.add_typer(
            found,
            name=name,
            help=mounted.about,
            epilog=f"Example: {mounted.example or f'offhook {name}'}",
            no_args_is_help=True,
        )
    elif callable(found):
        app.command(name)(found)
    else:
        _mount_main(app, name, mounted.about, loaded.main)


def _mount_main(app: typer.Typer, name: str, about: str, main: Callable[[list[str]], int]) -> None:
    """A module that reads its own arguments gets them all, `--help` too."""

    def hand_over(context: typer.Context) -> None:
        raise typer.Exit(main(context.args))

    passing = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    app.command(name, help=about, context_settings=passing, add_help_option=False)(hand_over)


def _placeholder() -> None:
    """Stands for a command in the list; the real one is there whenever it is the one that was named."""


# --- errors -----------------------------------------------------------------------------------------------------------


def _settings() -> Settings:
    from api.settings import get_settings

    return get_settings()


def _log_quietly() -> None:
    """What a command says is its answer, on standard output; the log is for what goes wrong, on standard error."""
    import logging

    from api.logging import configure

    configure(level=logging.WARNING)


def _told(error: Exception) -> int:
    """Say a user's error in a line and give its status; raise what is ours."""
    if isinstance(error, OSError) and error.filename is not None:
        return _fail(f"{Path(str(error.filename))}: {error.strerror}")
    if any((kind.__module__, kind.__name__) in EXPECTED for kind in type(error).__mro__):
        return _fail(str(error))
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        return _fail(f"{error.name} is not installed: pip install 'offhook[{_EXTRAS[error.name]}]'")
    raise error


_EXTRAS: Final = {
    "deepgram": "deepgram",
    "elevenlabs": "elevenlabs",
    "anthropic": "anthropic",
    "openai": "openai",
    "asyncpg": "postgres",
    "redis": "redis",
    "livekit": "livekit",
    "pipecat": "pipecat",
}


def _fail(message: str) -> int:
    for line in message.splitlines() or ["something went wrong"]:
        typer.echo(f"offhook: {line}", err=True)
    return 1


if __name__ == "__main__":
    main()
