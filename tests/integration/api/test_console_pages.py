from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.routes import console

KEY = "a-very-secret-key"
PAGES = [file.name for file in files("api.console").iterdir() if file.name.endswith((".html", ".css", ".js", ".svg"))]


def test_the_console_is_there(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Live calls" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for asset in re.findall(r'(?:src|href)="(/console/[^"]+)"', page.text):
        assert client.get(asset).status_code == 200, asset


@pytest.mark.parametrize("name", PAGES)
def test_nothing_comes_from_elsewhere_and_nothing_is_inline(name: str) -> None:
    text = (files("api.console") / name).read_text(encoding="utf-8")
    hosts = {host for host in re.findall(r"(?:https?:)?//([a-z0-9.-]+\.[a-z]{2,})", text) if host != "www.w3.org"}
    assert hosts == set()
    assert not re.search(r"\son[a-z]+=|\sstyle=|<style|<script(?![^>]*src=)", text)
    assert "innerHTML" not in text
    assert "insertAdjacentHTML" not in text


@pytest.mark.parametrize(
    "name", ["../settings.py", "..%2fsettings.py", "__init__.py", "index.html", "nope.js", ".js", "a/b.js", "%00.js"]
)
def test_only_the_pages_own_files_are_served(client: TestClient, name: str) -> None:
    assert client.get(f"/console/{name}").status_code == 404


def test_with_keys_the_console_asks_who_you_are(guarded: TestClient) -> None:
    answer = guarded.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert guarded.get("/sign-in").status_code == 200
    wrong = guarded.post("/sign-in", data={"token": "guess"})
    assert wrong.status_code == 401
    assert "hidden data-wrong" not in wrong.text
    assert "set-cookie" not in wrong.headers
    assert guarded.post("/sign-in").status_code == 401


def test_signing_in_and_out(guarded: TestClient) -> None:
    answer = guarded.post("/sign-in", data={"token": f" {KEY} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=strict" in cookie
    assert KEY not in cookie
    assert guarded.get("/").status_code == 200
    assert guarded.get("/v1/calls").status_code == 200
    assert guarded.post("/v1/calls/call-1/hangup", headers={"Origin": "https://evil.example"}).json()["code"] == "cross_site"
    assert guarded.post("/v1/calls/call-1/hangup", headers={"Origin": "https://calls.example.com"}).status_code == 202
    guarded.post("/sign-out")
    assert guarded.get("/v1/calls").status_code == 401


def test_another_site_signs_nobody_in(guarded: TestClient) -> None:
    answer = guarded.post("/sign-in", data={"token": KEY}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


def test_guessing_is_slowed_down(house: Any) -> None:
    from pydantic import SecretStr

    app = create_app(house.parts(api_keys=(SecretStr(KEY),)))
    with TestClient(app, base_url="https://calls.example.com") as client:
        for _ in range(console.MOST_WRONG):
            assert client.post("/sign-in", data={"token": "guess"}).status_code == 401
        answer = client.post("/sign-in", data={"token": KEY})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_the_brake_lets_go_after_a_minute() -> None:
    times = [0.0]
    brake = console._Brake(lambda: times[0])
    for _ in range(console.MOST_WRONG):
        brake.assert_free()
        brake.wrong()
    with pytest.raises(console.TooMany):
        brake.assert_free()
    times[0] = 61.0
    brake.assert_free()


def test_a_stranger_without_keys_sees_no_console(house: Any) -> None:
    app = create_app(house.parts())
    with TestClient(app, base_url="http://tunnel.example", client=("127.0.0.1", 5000)) as client:
        assert client.get("/").json()["code"] == "local_only"
