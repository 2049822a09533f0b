"""Orders are read as they were written, whatever they hold."""

from __future__ import annotations

from voice.drawing.orders import Order, orders


def test_orders_are_read_and_what_is_none_is_left_out():
    written = [["Speak", {"text": "hi", "segment": 2, "is_protected": True}], "Speak", ["Speak"], [1, {}], ["Speak", 3]]
    assert [order.name for order in orders(written)] == ["Speak"]


def test_fields_of_another_shape_read_as_nothing():
    order = Order("Play", {"text": 3, "audio": "x", "marks": [[1, "1/5"], "m", [1]], "is_protected": "yes"})
    assert order.text("text") == ""
    assert order.text("missing") == ""
    assert order.whole("audio") == 0
    assert order.pairs("marks") == ((1, "1/5"),)
    assert order.pairs("missing") == ()
    assert not order.is_set("is_protected")
