from __future__ import annotations

import pytest
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from api.auth import COOKIE, SESSION_SECONDS, Doorkeeper, assert_bind_allowed
from api.errors import Forbidden, Problem, Unauthorised
from api.settings import Settings, SettingsError

KEYS = (b"first-key", b"second-key")


def request(method: str = "GET", client: str = "127.0.0.1", *, websocket: bool = False, **headers: str) -> HTTPConnection:
    sent = {"host": "127.0.0.1:8080"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope: dict[str, object] = {
        "type": "websocket" if websocket else "http",
        "client": (client, 5000),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
    }
    return HTTPConnection(scope if websocket else scope | {"method": method})


def refusal(door: Doorkeeper, connection: HTTPConnection) -> str | None:
    try:
        door.check(connection)
    except Problem as problem:
        return problem.code
    return None


class TestWithKeys:
    door = Doorkeeper(KEYS, clock=lambda: 1_000.0)

    @pytest.mark.parametrize("token", ["first-key", "second-key"])
    def test_each_key_opens(self, token: str) -> None:
        assert refusal(self.door, request(authorization=f"Bearer {token}", client="203.0.113.9")) is None
        assert refusal(self.door, request(authorization=f"bearer  {token} ", client="203.0.113.9")) is None

    @pytest.mark.parametrize(
        "header", ["Bearer wrong", "Bearer ", "Bearer first-key2", "Basic first-key", "first-key", "\xff\xfe"]
    )
    def test_nothing_else_does(self, header: str) -> None:
        with pytest.raises(Unauthorised) as caught:
            self.door.check(request(authorization=header))
        assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")

    def test_not_even_this_machine_without_one(self) -> None:
        assert refusal(self.door, request()) == "unauthorised"

    def test_a_sign_in_opens_until_it_is_over(self) -> None:
        cookie = self.door.session("first-key")
        assert cookie is not None
        asking = request(cookie=f"{COOKIE}={cookie}")
        assert refusal(self.door, asking) is None
        later = Doorkeeper(KEYS, clock=lambda: 1_000.0 + SESSION_SECONDS)
        assert refusal(later, asking) == "unauthorised"

    def test_a_key_taken_away_ends_its_sign_ins(self) -> None:
        cookie = self.door.session("first-key")
        assert not Doorkeeper(KEYS[1:], clock=lambda: 1_000.0).is_signed_in(cookie or "")

    def test_a_wrong_token_signs_nobody_in(self) -> None:
        assert self.door.session("wrong") is None

    @pytest.mark.parametrize(
        "cookie", ["", ".", "..", "9999999999.x.y", "9" * 400 + ".x.y", "-1.x.y", "a.b.c", "\x00", "9999999999.é.ü"]
    )
    def test_a_made_up_cookie_opens_nothing(self, cookie: str) -> None:
        assert not self.door.is_signed_in(cookie)

    def test_a_sign_in_cannot_be_made_longer(self) -> None:
        until, rest = (self.door.session("first-key") or "").split(".", 1)
        assert not self.door.is_signed_in(f"{int(until) + 1}.{rest}")

    def test_a_cookie_is_no_good_to_another_site(self) -> None:
        cookie = f"{COOKIE}={self.door.session('first-key')}"
        assert refusal(self.door, request("POST", cookie=cookie, origin="https://evil.example")) == "cross_site"
        assert refusal(self.door, request("POST", cookie=cookie, sec_fetch_site="cross-site")) == "cross_site"
        assert refusal(self.door, request(websocket=True, cookie=cookie, origin="https://evil.example")) == "cross_site"
        assert refusal(self.door, request("POST", cookie=cookie, origin="http://127.0.0.1:8080")) is None

    def test_a_token_is_good_from_any_page(self) -> None:
        asking = request("POST", authorization="Bearer first-key", origin="https://tools.example")
        assert refusal(self.door, asking) is None


class TestWithoutKeys:
    door = Doorkeeper(())

    def test_this_machine_may_ask(self) -> None:
        assert refusal(self.door, request("POST")) is None
        assert refusal(self.door, request("POST", host="localhost:8080", origin="http://localhost:8080")) is None
        assert refusal(self.door, request(host="[::1]:8080", client="::1")) is None
        assert refusal(self.door, request(websocket=True)) is None

    @pytest.mark.parametrize("client", ["203.0.113.9", "10.0.0.1", ""])
    def test_another_may_not(self, client: str) -> None:
        assert refusal(self.door, request(client=client)) == "local_only"

    def test_nor_one_that_came_through_a_tunnel(self) -> None:
        for header in ("x_forwarded_for", "forwarded", "x_real_ip", "cf_connecting_ip"):
            assert refusal(self.door, request(**{header: "127.0.0.1"})) == "local_only"
        assert refusal(self.door, request(host="abc.tunnel.example")) == "local_only"

    def test_nor_a_web_page_by_another_name_for_this_machine(self) -> None:
        assert refusal(self.door, request(host="rebound.example:8080")) == "local_only"
        assert refusal(self.door, request(host="")) == "local_only"
        assert refusal(self.door, request(host="[")) == "local_only"

    def test_nor_another_site_in_the_operators_browser(self) -> None:
        assert refusal(self.door, request("POST", origin="https://evil.example")) == "cross_site"
        assert refusal(self.door, request("GET", origin="https://evil.example")) == "cross_site"
        assert refusal(self.door, request("POST", sec_fetch_site="cross-site")) == "cross_site"
        assert refusal(self.door, request("POST", origin="null")) == "cross_site"
        assert refusal(self.door, request("POST", origin="http://127.0.0.1:9999")) == "cross_site"
        assert refusal(self.door, request(websocket=True, origin="https://evil.example")) == "cross_site"

    def test_no_sign_in_is_worth_anything(self) -> None:
        assert self.door.session("") is None
        assert not self.door.is_signed_in("9999999999.x.y")


class TestBinding:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
    def test_without_keys_only_loopback(self, host: str) -> None:
        with pytest.raises(SettingsError, match="OFFHOOK_API_KEYS"):
            assert_bind_allowed(host, Settings())
        assert_bind_allowed("127.0.0.1", Settings())
        assert_bind_allowed("localhost", Settings())

    def test_with_keys_anything(self) -> None:
        assert_bind_allowed("0.0.0.0", Settings(api_keys=(SecretStr("k"),)))


def test_a_doorkeeper_takes_its_keys_from_the_settings() -> None:
    assert Doorkeeper.of(Settings(api_keys=(SecretStr("a"), SecretStr("b")))).keys == (b"a", b"b")


def test_forbidden_is_a_problem() -> None:
    assert issubclass(Forbidden, Problem)
