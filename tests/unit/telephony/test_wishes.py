"""Wishes to be left alone as people put them, in two languages, and sentences that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.wishes import asks_to_be_left_alone, folded

ENGLISH = """
Stop.
Please stop
Stop it!
stop please
enough already
I said stop
no, stop calling me
Stop calling
please stop calling me
will you stop calling this number
Stop calling here!
quit calling me
you people need to quit bothering us
Cease contacting me
stop harassing me
stop all these calls
stop making these calls
stop the robo calls
I want you to stop calling
I need you to stop calling my house
I'm sick of you calling
I'm tired of you guys calling
don't call me
don't call me again
Don't call again
Don't ever call me again
Don’t you ever call here again
do not call me any more
Do not call this number
do not call here
please do not call
never call me again
never ever call this number again
You can't call me
you may not call me again
you must not contact me
don't contact me
don't bother me again
don't text me
you better not call me again
I told you not to call
I told you guys not to call me
I asked not to be called again
I asked you to stop calling
no more calls
no more phone calls please
no further calls
I don't want any calls
I don't want any more calls
I don't want these calls
We don't want your sales calls
I no longer want calls
I don't want you calling me
I don't want you to call me
I never want you to call here
I don't want anybody calling me
I don't want to be called
I don't want to be contacted
we don't wish to be bothered
I don't want to hear from you
I never want to hear from you again
take me off your list
Take me off of your calling lists, please
please take my number off your list
take us off the list
take this number off your call list
take my name off your list
take me off this list
get me off this list
get my number off your list
remove me from your list
remove me
remove my number
Remove my number from your database
remove us from your system
please remove this number from your records
delete my number
delete me from your system
erase my number
lose my number
scratch me off your list
cross me off the list
strike my name from your list
drop me from your list
put me on your do not call list
put me on the do-not-call list
put my number on the do not call registry
add me to your do not call list
add my number to the do not call list
I want to be removed
I'd like to be removed from this
I want to be taken off
please unsubscribe me
Unsubscribe
opt out
I'm opting out
opt me out
I want to opt out of these calls
do not call list
DNC
leave me alone
stop oh leave me
stop leave me
leave us alone
let me be
just go away
get lost
fuck off
I revoke my consent
I withdraw my permission
cancel my subscription
cancel these calls
you don't have my permission
you no longer have my consent
you are not allowed to call me
you're not welcome to call here
I no longer consent
not interested, stop
no thank you, please stop
I already told you to stop
I'm blocking your number
off your list please
don't call my mother
don't ever phone us again
""".strip().splitlines()
SPANISH = """
Basta
ya basta
Alto
Parar
Pare, por favor
Baja
No me llame más
no me llame
No me llamen más por favor
no nos llamen
no me llames
No me vuelva a llamar
no me vuelvan a llamar
no vuelvan a llamar
No vuelva a llamarme
no vuelva a marcar
No nos vuelvan a molestar
no me marquen
no me marque más
No me moleste
no me molesten más
no me contacten
no me hable más
no me hablen
no me estén llamando
no me sigan llamando
No llame más
no llamen más a este número
no llamen aquí
no llame otra vez
no llame nunca
no sigan llamando
no siga llamando
No insista
no insistan
Deje de llamar
deje de llamarme
dejen de llamarme
dejen de molestar
dejen de molestarme
deja de llamarme
dejen ya de llamar
pare de llamar
paren de llamarme
paren con las llamadas
basta de llamadas
basta de llamar
terminen con las llamadas
dejen de acosarme
No quiero más llamadas
no quiero llamadas
no quiero sus llamadas
no quiero recibir llamadas
no quiero recibir más llamadas
no quiero que me llamen
no quiero que me llame
no queremos que nos llamen
no queremos más llamadas
no deseo recibir llamadas
No deseo que me contacten
no deseo más llamadas
no autorizo llamadas
no acepto llamadas
no quiero saber nada de ustedes
ya no me llamen
ya no llamen
ya no me llame por favor
ya no quiero llamadas
ya no quiero que me llamen
ya no quiero recibir llamadas
ya no me molesten
ya no me marquen
no más llamadas
ni una llamada más
que no me llamen
le dije que no me llamen
que ya no me llamen
Quíteme de su lista
Quítenme de la lista
quíteme de esa lista
quiten mi número de su lista
quite mi número
sáqueme de su lista
sáquenme de la lista
sáqueme de su base de datos
bórreme de su lista
bórrenme de la lista
borre mi número
borren mi número por favor
borren mi nombre
elimíneme de su lista
eliminen mi número
elimine este número
elimínenme de su sistema
remuévame de su lista
retíreme de su lista
táchenme de la lista
póngame en la lista de no llamar
ponga mi número en la lista de no llamar
apúnteme en la lista de no llamar
olviden mi número
quiero darme de baja
me quiero dar de baja
deme de baja
dénme de baja
dame de baja
quiero desuscribirme
Déjeme en paz
déjenme en paz
déjenos en paz
déjeme tranquila
déjenme tranquilo
cancele mi suscripción
cancelen mi consentimiento
cancele las llamadas
retiro mi consentimiento
revoco mi permiso
revoco mi autorización
no tienen mi permiso
no tiene mi autorización para llamar
""".strip().splitlines()
NONE = """
call me tomorrow
yes please call me tomorrow
call me back after lunch
when will you call
can you call me again on Friday
don't stop calling until you reach me
please don't stop
I can't stop laughing
I never stop thinking about solar
I couldn't stop by yesterday
stop by on Friday
please stop by the office
my bus stop is at the corner of fifth and main
don't call me before noon
do not call me after nine
never call me so early
don't call me until Monday
don't call me sir
I never got your call
I never called you
did you call me earlier
I missed your call
thanks for the call
who is calling
why are you calling
I don't want to change my provider
I don't want solar
I don't want to spend a lot
I don't need a new roof
I'm not interested
no thank you
can you cancel my Tuesday appointment and make it Friday
cancel the appointment
take my number
take down my number
can I get your number
get me a price
put me on the schedule
put me down for Tuesday
put me through to a person
add me to the waiting
my name is on the lease
it is off the kitchen
what time does the call end
my wife said to call you
the removal is free
he removed the old panels
remove the old panels from the roof
can you leave a message
leave it with me
let me think
let me be honest with you
is there an end to this
yes
okay
mhm
hello
how much does it cost
I have a question about the list price
I am on the list for Tuesday
do I have to opt in
llámeme mañana por favor
sí, quiero más información
no dejen de llamar, me interesa
no me llame antes de las diez
¿cuándo me llaman?
quiero una cita el martes
no quiero cambiar de compañía
no quiero pagar más
ya no vivo allí
no me interesa
espero que no esté caro
no tengo casa propia
para el martes está bien
deme un momento
quite el techo viejo
mi número es el cinco cinco cinco
""".strip().splitlines()


def test_there_are_a_hundred_of_each():
    assert min(len(set(ENGLISH)), len(set(SPANISH))) >= 100


@pytest.mark.parametrize("text", [*ENGLISH, *SPANISH])
def test_a_wish_to_be_left_alone(text):
    assert asks_to_be_left_alone(text)


@pytest.mark.parametrize("text", NONE)
def test_no_such_wish(text):
    assert not asks_to_be_left_alone(text)


@pytest.mark.parametrize("text", ["Yeah, hi, look, {} okay?", "Um... {}", "{} Thank you. Bye.", "BUENO, {}"])
def test_in_the_middle_of_other_words(text):
    for wish in ("don't call me again.", "take me off your list.", "no me llamen más.", "stop calling me!"):
        assert asks_to_be_left_alone(text.format(wish))


@pytest.mark.parametrize("text", ["", "👍", "' ; .", "a" * 100_000])
def test_nothing_much(text):
    assert not asks_to_be_left_alone(text)


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text):
    assert asks_to_be_left_alone(text) in (True, False)


def test_what_is_compared():
    assert folded("  ¡Quíteme  de la LISTA!! ") == "quiteme de la lista"
