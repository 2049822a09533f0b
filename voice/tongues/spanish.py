"""Spanish, as it is spoken on telephones in the United States: most calls there that are not in English.

Left out because they mean something else in English: la, al, con, son, sin, era, has, hay, o, e, u as last words that
promise another, once (eleven) as a digit, sale as a "go on". "Buenas noches" greets as often as it takes leave.
"""

from __future__ import annotations

from typing import Final

from voice.agent import Manners
from voice.tongues.table import Sentences, Tongue, words

_SOMEBODY: Final = (
    r"(?:el|ella|ellos|(?:el|al|la|a la) (?:duen[oa]|gerente|jef[ea]|senora?|encargad[oa])|"
    r"(?:a |con )?mi (?:espos[oa]|marido|mujer|mama|papa|madre|padre|hij[oa]|jef[ea]|herman[oa]|companer[oa]))"
)
_NAME: Final = r"(?:di|diga|indique|grabe|graba|deme|dime)(?: su| tu)? nombre\b"

MANNERS: Final = Manners(
    still_there="¿Sigue ahí?",
    silence_goodbye="No le escucho, así que me despido por ahora.",
    not_understood="Perdón, no le entendí.",
    moving_on="No pasa nada, sigamos.",
    identity="Le habla {persona}, un asistente de inteligencia artificial que llama de parte de {seller}.",
    robot="Sí, soy un asistente de inteligencia artificial, no una persona. Llamo de parte de {seller}.",
    no_transfer="Ahora no puedo comunicarle, pero podemos devolverle la llamada.",
    holding="Por supuesto, tómese su tiempo.",
    looking_up="Un momento, lo estoy buscando.",
    still_looking="Está tardando un poco más, le pido paciencia.",
    which_time="¿A qué hora le vendría bien {value}?",
    which_day="¿Y qué día?",
    not_booked="Lo siento, no se pudo hacer.",
    opted_out="De acuerdo. No volveremos a llamar a este número. Adiós.",
    transferring="Un momento, le comunico.",
    trouble="Lo siento, tengo un problema de mi lado. Le devolveremos la llamada. Adiós.",
    time_is_up="Me temo que se nos acabó el tiempo. Gracias, adiós.",
    acknowledgements=(
        *("Entiendo.", "De acuerdo.", "Muy bien.", "Ya veo.", "Bien.", "Entendido.", "Está bien.", "Comprendo.", "Anotado."),
        *("Claro.", "Muy bien, entiendo.", "De acuerdo, ya veo."),
    ),
    fillers=(
        *("A ver.", "Un momento.", "Déjeme ver.", "Déjeme pensar.", "Un segundo.", "Bueno, a ver.", "Deme un momento."),
        "Déjeme revisar.",
    ),
)

SPANISH: Final = Tongue(
    code="es",
    common=words(
        "hola si que quien habla esta usted senor senora gracias por favor entiendo espanol bueno digame aqui como muy tengo"
        " quiero puede para mi casa el la los las es una con pero yo cuando donde porque tiene estoy llama llame"
    ),
    asks_for=(r"no (?:hablo|habla|entiendo) ingles", r"(?:habla|en) espanol", r"no english"),
    backchannels=words(
        "aja mjm ujum si sip claro vale ya bueno bien okey eso exacto exactamente correcto cierto entiendo comprendo"
        " verdad andale orale"
    ),
    backchannel_phrases=frozenset(
        (
            *("ya veo", "ah ya", "ah ok", "claro que si", "por supuesto", "esta bien", "muy bien", "de acuerdo", "asi es"),
            *("ya entiendo", "lo entiendo", "siga", "sigue", "adelante", "le escucho", "te escucho", "que bueno", "como no"),
        )
    ),
    trailing=words(
        "y ni pero porque cuando que mientras donde como el los las un una unos unas lo de del para por en entre hasta desde"
        " hacia sobre mi mis tu tus su sus nuestro nuestra este esta ese esa es estan fue soy estoy tengo tiene muy mas eh"
        " em pues osea"
    ),
    digits=words("cero uno dos tres cuatro cinco seis siete ocho nueve diez doble triple cien mil"),
    grave=(
        r"fallecio|fallecid[oa]|murio|esta muert[oa]|funeral|velorio|en el hospital|hospitalizad[oa]|cancer",
        r"infarto|derrame|divorci\w+|perdi(?:o|mos)? (?:mi|su|el|la|nuestra) (?:trabajo|empleo|casa)",
        r"perdi(?:o|mos)? a (?:mi|su|nuestr[oa]) \w+",
    ),
    upset=(
        r"quej(?:a|as|arme|ando)|reclamo|ridicul[oa]|inaceptable|estaf\w+|fraude|mentiras?|mentiros[oa]s?|engan\w+",
        r"enojad[oa]|furios[oa]|molest[oa]s?|hart[oa]|pesim[oa]|acos\w+|abogad[oa]|demandar(?:los|les)?",
        r"numero equivocado|no es (?:cierto|verdad|correcto|asi)|esta mal|me colg(?:o|aron)|ya (?:se lo|le|te) dije",
        r"en paz|tranquil[oa]",
    ),
    parting=(
        r"adios|hasta (?:luego|pronto|manana|la proxima)|nos vemos|chao|chau|que (?:le|te) vaya (?:muy )?bien",
        r"que (?:tenga|tengas|pase|pases) (?:un |una )?(?:muy )?(?:buen|buena|bonit[oa]|lind[oa]|excelente|feliz)",
    ),
    before_asking=words("y pero bueno ok si no este eh ah oiga oye disculpe perdon espere hola pues"),
    asking=(
        r"quien|quienes|que|cual|cuales|cuando|donde|adonde|de donde|por que|para que|como|cuant[oa]s?|puedes?",
        r"pueden|podrian?|me (?:puede|podria|da|dice|manda|explica)|digame|dime|explique(?:me)?|mande(?:me)?|envie(?:me)?",
        r"tengo una pregunta",
    ),
    leads=(r"de acuerdo|entendido|entiendo|muy bien|est[aá] bien|claro|vale|bueno|bien|ya veo|comprendo|anotado|correcto",),
    cheerful=(
        r"genial|perfect[oa]|maravillos[oa]|excelente|estupend[oa]|fantastic[oa]|buenisim[oa]|que bien|que bueno|increible",
        r"me alegr[oa]|feliz|encantad[oa]|magnific[oa]",
    ),
    screener=(
        _NAME + r".*\b(?:motivo|razon|llamada|llama)|filtro de llamadas|filtrando (?:las |sus )?llamadas",
        r"(?:motivo|razon) de (?:su|tu|la) llamada|si (?:esta|la) persona esta disponible",
    ),
    hold=(
        r"(?:espere|permanezca|mantengase|siga) en (?:la )?linea|no cuelgue|su llamada es (?:muy )?importante",
        r"gracias por (?:esperar|su espera|su paciencia)|sera atendid[oa]|en el orden en que",
        r"(?:todos )?nuestros (?:agentes|representantes|operadores|asesores|ejecutivos) (?:estan|se encuentran)",
    ),
    fetching=(
        r"(?:se lo|se la|te lo|te la) (?:paso|comunico|pongo)|le (?:paso|comunico|pongo) (?:a|con)\b",
        r"(?:voy a|dejeme|deje|deja|permitame|ahorita) (?:llamar|buscar|traer|pasar|despertar)(?:le|lo|la)? " + _SOMEBODY,
        r"ahorita viene|ya viene|aqui viene",
    ),
    voicemail=(
        r"deje (?:un|su|el|tu) (?:mensaje|nombre)|deja(?: un| tu)? mensaje|grabe su mensaje|buzon(?: de voz)?",
        r"al escuchar el tono|despues (?:del|de la|de el) (?:tono|senal)|no (?:esta|se encuentra) disponible",
        r"no (?:puedo|podemos) (?:atender|contestar)",
    ),
    sentences=Sentences(
        MANNERS,
        "Le habla {persona}, un asistente de inteligencia artificial que llama de parte de {seller}.",
        "Lo siento, solo hablo español.",
    ),
)
