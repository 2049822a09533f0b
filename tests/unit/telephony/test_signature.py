import pytest
from twilio.request_validator import RequestValidator

from telephony.twilio import signature

TOKEN = "12345"
URL = "https://example.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675310",
    "Digits": "1234",
    "From": "+14158675310",
    "To": "+18005551212",
}


def test_the_documented_example():
    # twilio.com/docs/usage/webhooks/webhooks-security, "Explore the algorithm yourself"
    assert signature.sign("https://mycompany.com/myapp.php?foo=1&bar=2", FORM, TOKEN) == "GvWf1cFY/Q7PnoempGyD5oXAezc="


def test_the_vectors_of_the_official_libraries():
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = FORM | {"Caller": "+14158675309", "From": "+14158675309"}
    assert signature.sign(url, form, TOKEN) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    repeated = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
    assert signature.sign(url, repeated, TOKEN) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


def test_agreement_with_the_official_validator():
    official = RequestValidator(TOKEN)
    assert signature.sign(URL, FORM, TOKEN) == official.compute_signature(URL, FORM)
    assert official.validate(URL, FORM, signature.sign_as_twilio(URL, FORM, TOKEN))


def test_a_signed_webhook_and_all_that_could_be_forged():
    good = signature.sign(URL, FORM, TOKEN)
    assert signature.is_signed(URL, FORM, good, TOKEN)
    assert signature.is_signed(URL, list(FORM.items()), good, TOKEN)
    assert not signature.is_signed(URL, FORM | {"To": "+1"}, good, TOKEN)
    assert not signature.is_signed(URL, {**FORM, "New": ""}, good, TOKEN)
    assert not signature.is_signed(URL + "&x=1", FORM, good, TOKEN)
    assert not signature.is_signed(URL, FORM, good, "other")
    assert not signature.is_signed(URL, FORM, good, "")
    assert not signature.is_signed(URL, FORM, "", TOKEN)
    assert not signature.is_signed(URL, FORM, None, TOKEN)
    assert not signature.is_signed(URL, FORM, "x" * 300, TOKEN)
    assert not signature.is_signed(URL, FORM, "é\udcff", TOKEN)
    assert not signature.is_signed(URL, FORM, good, TOKEN, "HMAC_MD5")


@pytest.mark.parametrize(
    ("signed", "seen"),
    [
        ("https://x.example:443/v", "https://x.example/v"),
        ("https://x.example/v", "https://x.example:8443/v"),
        ("http://x.example:8080/v", "http://x.example:8080/v"),
        ("https://x.example/v", "https://user:secret@x.example/v"),
        ("http://[::1]:80/v", "http://[::1]/v"),
    ],
)
def test_ports_and_passwords_come_and_go(signed, seen):
    assert signature.is_signed(seen, {}, signature.sign(signed, {}, TOKEN), TOKEN)


def test_twilio_drops_the_port_over_tls_and_keeps_it_without():
    assert signature.sign_as_twilio("https://u:p@x.example:8443/v", {}, TOKEN) == signature.sign(
        "https://x.example/v", {}, TOKEN
    )
    assert signature.sign_as_twilio("http://x.example:81/v", {}, TOKEN) == signature.sign("http://x.example:81/v", {}, TOKEN)


def test_repeated_parameters():
    repeated = [("a", "2"), ("a", "1"), ("a", "2")]
    assert signature.sign("https://x", repeated, TOKEN) == signature.sign("https://xa1a2", {}, TOKEN)


@pytest.mark.parametrize(
    "signed", ["wss://x.example/media", "wss://x.example/media/", "wss://x.example:80/media", "wss://x.example:443/media/"]
)
@pytest.mark.parametrize("seen", ["wss://x.example/media", "wss://x.example/media/"])
def test_handshakes_with_and_without_slash_and_port(signed, seen):
    assert signature.is_handshake_signed(seen, signature.sign(signed, {}, TOKEN), TOKEN)


def test_forged_handshakes():
    good = signature.sign("wss://x.example/media", {}, TOKEN)
    assert not signature.is_handshake_signed("wss://x.example/other", good, TOKEN)
    assert not signature.is_handshake_signed("wss://x.example/media", None, TOKEN)
    assert not signature.is_handshake_signed("wss://x.example/media", good, "")
    assert not signature.is_handshake_signed("wss://x.example/media", "x" * 300, TOKEN)


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        (None, "HMAC_SHA1"),
        ("", "HMAC_SHA1"),
        ("key=SK1", "HMAC_SHA1"),
        ("key=SK1,algorithm=", "HMAC_SHA1"),
        ("key=SK1, algorithm=hmac_sha256", "HMAC_SHA256"),
    ],
)
def test_the_algorithm_of_a_shared_key(header, algorithm):
    assert signature.algorithm_of(header) == algorithm
    signed = signature.sign(URL, FORM, TOKEN, algorithm)
    assert signature.is_signed(URL, FORM, signed, TOKEN, algorithm)
