from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from voice.pricing.consumption import Account, Consumption, Stage, bill, bill_to, watching
from voice.pricing.table import PriceTableError, Unpriced, bill_for, load, parse, published

TODAY = datetime.date(2026, 11, 20)
REPLY = Consumption(
    Stage.MIND, "anthropic", "claude-haiku-5-5", tokens_in=1000, tokens_out=100, tokens_cached=2000, tokens_stored=400
)


def test_a_replys_tokens_are_priced_each_at_its_own_price() -> None:
    cost = published().cost(REPLY, TODAY)
    assert cost == Decimal("0.00022")  # 1000 * 0.10 + 100 * 0.50 + 2000 * 0.01 + 400 * 0.125, per million


def test_audio_and_characters_are_priced() -> None:
    table = published()
    assert table.cost(Consumption(Stage.EARS, "deepgram", "nova-3", seconds=30.0), TODAY) == Decimal("0.0024")
    spoken = Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=500)
    assert table.cost(spoken, TODAY) == Decimal("0.01")


def test_a_long_prompt_has_a_price_of_its_own() -> None:
    long = Consumption(Stage.MIND, "anthropic", "claude-haiku-5-5", tokens_in=200_000)
    assert published().cost(long, TODAY) == Decimal("0.10")


def test_the_price_of_the_day_applies_and_a_named_model_goes_before_a_family() -> None:
    entry = '[[price]]\nprovider="v"\nmodel="{}"\nstage="mouth"\nfrom={}\nper_1k_characters="{}"\nsource="s"\n'
    table = parse(
        entry.format("m*", "2026-01-01", "1") + entry.format("m*", "2026-06-01", "2") + entry.format("m1", "2026-01-01", "3")
    )
    assert table.cost(Consumption(Stage.MOUTH, "v", "m2", characters=1000), datetime.date(2026, 5, 31)) == 1
    assert table.cost(Consumption(Stage.MOUTH, "v", "m2", characters=1000), TODAY) == 2
    assert table.cost(Consumption(Stage.MOUTH, "v", "m1", characters=1000), TODAY) == 3


def test_what_has_no_price_is_unpriced_and_never_free() -> None:
    unknown = Consumption(Stage.MIND, "anthropic", "claude-next", tokens_in=5)
    assert published().cost(unknown, TODAY) == Unpriced(unknown)
    assert published().price(REPLY, datetime.date(2026, 1, 1)) is None
    bill = bill_for(Account(entries=[unknown, REPLY]), published(), TODAY)
    assert bill.unpriced == (unknown,)
    assert bill.total == bill.stages[Stage.MIND] == Decimal("0.00022")


def test_what_nobody_heard_is_part_of_the_bill_and_named() -> None:
    wasted = Consumption(Stage.MOUTH, "elevenlabs", "eleven_flash_v2_5", characters=100, is_wasted=True)
    bill = bill_for(Account(entries=[wasted, wasted]), published(), TODAY)
    assert bill.total == bill.wasted == Decimal("0.004")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[price", "mine.toml: Expected"),
        ('[[price]]\nprovider="v"', "missing required field"),
        ('[[price]]\nprovider="v"\nmodel="m"\nstage="nose"\nfrom=2026-01-01\nsource="s"', "Invalid enum value"),
        ('[[price]]\nprovider="v"\nmodel="m"\nstage="mind"\nfrom=2026-01-01\nsource="s"\ninput="-1"', "below zero"),
        ('[[price]]\nprovider="v"\nmodel="m"\nstage="mind"\nfrom=2026-01-01\nsource="s"\ninptu="1"', "unknown field"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text: str, complaint: str) -> None:
    with pytest.raises(PriceTableError, match=complaint):
        parse(text, "mine.toml")


def test_the_operators_own_table_goes_before_ours(tmp_path: Path) -> None:
    assert load(tmp_path) == published()
    (tmp_path / "prices.toml").write_text("price = []")
    assert load(tmp_path).prices == ()
    (tmp_path / "prices.toml").write_text("price = 1")
    with pytest.raises(PriceTableError, match=str(tmp_path)):
        load(tmp_path)


def test_what_is_used_goes_to_the_account_of_its_call_and_to_whoever_watches() -> None:
    seen: list[tuple[Consumption, Account | None]] = []
    with watching(lambda consumption, account: seen.append((consumption, account))):
        bill(REPLY)
        with bill_to(Account()) as account:
            bill(REPLY)
    bill(REPLY)
    assert account.of(Stage.MIND) == [REPLY]
    assert account.of(Stage.EARS) == []
    assert seen == [(REPLY, None), (REPLY, account)]
