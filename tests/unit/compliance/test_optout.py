"""Written wishes to be left alone, in two languages, and messages that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.optout import asks_to_stop

STOPS = """
STOP
Stop.
stop please
STOPALL
Unsubscribe
opt out
OPT-OUT
End
quit
cancel
please stop calling me
Stop calling this number!
Stop it, I said no
don't call me again
Don’t ever call here again
do not call
DO NOT CALL THIS NUMBER
never call me again
no more calls please
Take me off your list
please take my number off your calling list
get me off this list
remove me
Remove my number from your database
delete my number
I want to opt out of these calls
leave me alone
lose my number
wrong number
I revoke my consent
I withdraw my permission
cancel these calls
I no longer want to hear from you
I am not interested, please stop
put me on your do-not-call list
I told you not to call
quit bothering me
parar
BASTA
baja
no me llame más
No me llamen mas por favor
no nos vuelvan a llamar
deje de llamarme
dejen de molestar
no quiero más llamadas
no quiero que me llamen
quiteme de su lista
Quíteme de la lista
sáqueme de su lista
borren mi número
quiero darme de baja
denme de baja
número equivocado
déjeme en paz
cancele mi consentimiento
ya no llamen
"""
GOES_ON = """
yes please call me tomorrow
when will you call
don't stop calling until you reach me
I never stop thinking about solar
what time does the call end on Friday afternoon
my bus stop is at the corner of fifth and main
can you cancel my Tuesday appointment and make it Friday
llámeme mañana por favor
sí, quiero más información
no dejen de llamar, me interesa
how much does it cost
ok

👍
"""


@pytest.mark.parametrize("text", STOPS.strip().splitlines())
def test_a_wish_to_be_left_alone(text):
    assert asks_to_stop(text)


@pytest.mark.parametrize("text", GOES_ON.strip().splitlines())
def test_no_such_wish(text):
    assert not asks_to_stop(text)


@given(st.text(max_size=3000))
def test_any_text_has_an_answer(text):
    assert asks_to_stop(text) in (True, False)
