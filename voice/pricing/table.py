"""The price table: which price applied to what, and on which day.

Money is `Decimal` US dollars. A thing without a price is `Unpriced`, never zero: an unknown cost that looks like none is how
a bill surprises.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from voice.errors import VoiceError
from voice.pricing.consumption import Account, Consumption, Stage

_MILLION: Final = Decimal(1_000_000)


class PriceTableError(VoiceError):
    """A price table cannot be used; the message names the entry, the field and the cure."""


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of the table. Amounts are decimal text in the file, so that no digit is lost."""

    provider: str
    model: str
    stage: Stage
    since: datetime.date = msgspec.field(name="from")
    source: str
    above: int = 0
    per_minute: Decimal = Decimal(0)
    per_1k_characters: Decimal = Decimal(0)
    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    stored: Decimal = Decimal(0)
    stored_long: Decimal = Decimal(0)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    price: list[Price]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Used, but the table has no price for it on that day."""

    consumption: Consumption


Cost: TypeAlias = Decimal | Unpriced


@dataclass(frozen=True, slots=True)
class PriceTable:
    prices: tuple[Price, ...]

    def price(self, consumption: Consumption, on: datetime.date) -> Price | None:
        """The entry that applies: a named model before a family, then the newest in force, then the closest `above`."""
        stored = consumption.tokens_stored + consumption.tokens_stored_long
        prompt = consumption.tokens_in + consumption.tokens_cached + stored
        fitting = [
            price
            for price in self.prices
            if price.provider == consumption.provider
            and price.stage is consumption.stage
            and fnmatchcase(consumption.model, price.model)
            and price.since <= on
            and prompt > price.above - (price.above == 0)
        ]
        return max(
            fitting, key=lambda price: ("*" not in price.model, len(price.model), price.since, price.above), default=None
        )

    def cost(self, consumption: Consumption, on: datetime.date) -> Cost:
        """Dollars for one consumption on a day, or `Unpriced`."""
        price = self.price(consumption, on)
        if price is None:
            return Unpriced(consumption)
        tokens = (
            consumption.tokens_in * price.input
            + consumption.tokens_out * price.output
            + consumption.tokens_cached * price.cached
            + consumption.tokens_stored * price.stored
            + consumption.tokens_stored_long * price.stored_long
        ) / _MILLION
        audio = Decimal(str(consumption.seconds)) / 60 * price.per_minute
        return tokens + audio + Decimal(consumption.characters) / 1000 * price.per_1k_characters


@dataclass(frozen=True, slots=True)
class Bill:
    """What a call cost: dollars per stage, how much of it nobody heard, and what could not be priced."""

    stages: Mapping[Stage, Decimal]
    wasted: Decimal = Decimal(0)
    unpriced: tuple[Consumption, ...] = field(default=())

    @property
    def total(self) -> Decimal:
        return sum(self.stages.values(), Decimal(0))


def bill_for(account: Account, table: PriceTable, on: datetime.date) -> Bill:
    """Add an account up."""
    stages = {stage: Decimal(0) for stage in Stage}
    wasted = Decimal(0)
    unpriced: list[Consumption] = []
    for consumption in account.entries:
        cost = table.cost(consumption, on)
        if isinstance(cost, Unpriced):
            unpriced.append(consumption)
            continue
        stages[consumption.stage] += cost
        wasted += cost if consumption.is_wasted else Decimal(0)
    return Bill(stages, wasted, tuple(unpriced))


def parse(text: str, origin: str = "prices.toml") -> PriceTable:
    """A price table from TOML. Raises `PriceTableError`."""
    try:
        read = msgspec.toml.decode(text, type=_File)
    except msgspec.MsgspecError as error:
        raise PriceTableError(f"{origin}: {error}") from error
    _refuse_negative(read.price, origin)
    return PriceTable(tuple(read.price))


def _refuse_negative(prices: Iterable[Price], origin: str) -> None:
    for number, price in enumerate(prices, 1):
        amounts = (price.per_minute, price.per_1k_characters, price.input, price.output, price.cached, price.stored)
        if any(amount < 0 for amount in (*amounts, price.stored_long)):
            raise PriceTableError(f"{origin}: price {number} ({price.provider} {price.model}) has an amount below zero")


def load(home: Path) -> PriceTable:
    """The operator's own table (`prices.toml` in the home folder) if there is one, else the one that comes with offhook.

    Raises `PriceTableError` for a table that cannot be used: a wrong price is worse than none.
    """
    own = home / "prices.toml"
    return parse(own.read_text(), str(own)) if own.is_file() else published()


def published() -> PriceTable:
    """The table that comes with offhook."""
    return parse(resources.files("voice.pricing").joinpath("prices.toml").read_text())
