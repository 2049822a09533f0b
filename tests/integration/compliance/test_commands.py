"""`offhook check`, `dnc`, `consent`, `audit`, as people type them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.attachments import place_of

CASES = Path(__file__).parents[2] / "data" / "compliance" / "cases.json"
ANN, BOB = "+16145550123", "+16145550124"


@pytest.fixture
def national(tmp_path):
    path = tmp_path / "614.txt"
    path.write_text("614,5550199\r\n614,5550198\r\n")
    return str(path)


@pytest.mark.parametrize(
    "command",
    [
        "check", "dnc load", "dnc status", "dnc lookup", "dnc add", "consent record", "consent revoke", "consent show",
        "consent import", "consent export", "consent facts",
        "audit verify",
        "audit abandoned", "audit export", "audit person", "audit erase", "audit waive",
        "audit halt", "audit proclaim", "audit feed", "audit lift", "dnc message",
    ],
)  # fmt: skip
def test_every_command_has_help_with_an_example(offhook, command):
    status, said = offhook(*command.split(), "--help")
    assert status == 0
    assert f"Example: offhook {command.split()[0]}" in said


def test_check_in_words_and_for_machines(offhook):
    status, said = offhook("check", ANN, "--seller", "acme", "--at", "2026-07-15T03:00:00Z")
    assert status == 0
    assert "[CONSENT_MISSING; 47 CFR 64.1200(a)(2)" in said
    assert "Tuesday 14 July 2026, 23:00 there (America/New_York)" in said
    assert "It could be in America/New_York, under the law of OH" in said
    assert "tzdata" in said
    assert ANN not in said
    status, said = offhook("check", ANN, "--seller", "acme", "--at", "2026-07-15T03:00:00Z", "--json")
    told = json.loads(said)
    assert (status, told["decision"], told["until"]) == (0, "deny", None)
    assert {each["rule"] for each in told["findings"]} == {"CONSENT_MISSING", "DNC_COVERAGE_MISSING", "WINDOW_FEDERAL"}


def test_a_lawful_call_from_consent_to_clearance(offhook, tmp_path):
    (tmp_path / "form.txt").write_text("I agree to AI calls from Acme.")
    recorded = ("consent", "record", ANN, "--seller", "acme", "--wording", f"@{tmp_path}/form.txt", "--signed", "--ai-voice")
    status, said = offhook(*recorded, "--no-condition", "--obtained-at", "2026-06-01T15:00:00Z")
    assert (status, said[:14]) == (0, "Recorded as c_")
    status, said = offhook("check", ANN, "--seller", "acme", "--at", "2026-07-14T16:00:00Z")
    assert (status, "may be called" in said) == (0, True)
    assert "given pewc  to acme" in offhook("consent", "show", ANN)[1]
    assert offhook("consent", "revoke", ANN, "--words", "stop")[0] == 0
    assert "taken back" in offhook("consent", "show", ANN)[1]
    later = datetime.now(UTC).isoformat()
    assert "CONSENT_REVOKED" in offhook("check", ANN, "--seller", "acme", "--at", later)[1]
    assert "nothing" in offhook("consent", "show", "+16145550199")[1]


def test_cases(offhook, tmp_path):
    status, said = offhook("check", "--cases", str(CASES))
    assert (status, said.startswith("67 of 67 cases agree")) == (0, True)
    content = json.loads(CASES.read_text())
    content["cases"] = content["cases"][:2]
    content["cases"][0]["expect"] = {"decision": "allow", "reason": "OK"}
    content["cases"][1]["given"]["lead"]["shoe_size"] = 9
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(content))
    status, said = offhook("check", "--cases", str(wrong))
    assert status == 1
    assert "decision: expected allow, got defer" in said
    assert "not understood: lead.shoe_size" in said
    assert json.loads(offhook("check", "--cases", str(wrong), "--json")[1])["cases"] == 8
    assert offhook("check", "--cases", str(tmp_path / "none.json"))[0] != 0


def test_lists(offhook, national):
    status, said = offhook("dnc", "status")
    assert (status, "No list is loaded" in said) == (0, True)
    today = datetime.now(UTC).date().isoformat()
    status, said = offhook("dnc", "load", national, "--areas", "614", "--obtained-on", today, "--account", "123")
    assert (status, "2 numbers in 1 area codes" in said) == (0, True)
    assert "national" in offhook("dnc", "status")[1]
    assert json.loads(offhook("dnc", "status", "--json")[1])[0]["rows"] == 2
    assert "listed" in offhook("dnc", "lookup", "+16145550199")[1]
    assert json.loads(offhook("dnc", "lookup", "+16145550199", "--json")[1])["lists"]["national"]["is_listed"] is True
    status, said = offhook("dnc", "load", national, "--areas", "212", "--obtained-on", today)
    assert (status, "offhook: 614.txt holds area codes that are not expected: 614" in said) == (1, True)


def test_a_states_own_list(offhook, tmp_path):
    assert "FL keeps a list of its own and no copy is loaded (Fla. Stat. 501.059(4))" in offhook("dnc", "status")[1]
    florida = ("check", "+13055550123", "--seller", "acme", "--voice", "live_agent", "--at", "2026-07-14T16:00:00Z")
    assert "We hold no copy of the state-fl list" in offhook(*florida)[1]
    (tmp_path / "fl.txt").write_text("3055550199\n8505550199\n2125550199\n")
    status, said = offhook("dnc", "load", str(tmp_path / "fl.txt"), "--list", "state:FL", "--obtained-on", "2026-07-01")
    assert (status, "state-fl: generation 1 is in force" in said) == (0, True)
    assert "state-fl" not in offhook(*florida)[1]
    assert "DNC_STATE" in offhook("check", "+13055550199", *florida[2:])[1]
    assert "FL keeps" not in offhook("dnc", "status")[1]
    assert offhook("dnc", "load", str(tmp_path / "fl.txt"), "--list", "state:ZZ")[0] == 2
    status, said = offhook("dnc", "load", str(tmp_path / "fl.txt"), "--list", "state-tx")
    assert (status, "Is it the right state's file?" in said) == (1, True)


def test_a_list_too_old_is_told_with_a_status(offhook, national):
    assert offhook("dnc", "load", national, "--obtained-on", "2026-01-01")[0] == 0
    status, said = offhook("dnc", "status")
    assert (status, "no sales call relies on it" in said) == (1, True)
    assert offhook("dnc", "status", "--json")[0] == 1


def test_our_own_list(offhook):
    assert offhook("dnc", "add", ANN, "--seller", "acme", "--words", "stop")[0] == 0
    assert "DNC_INTERNAL" in offhook("check", ANN, "--seller", "acme")[1]
    assert "receipt" in json.loads(offhook("dnc", "add", ANN, "--json")[1])


def test_facts_beside_consent_and_a_rendering(offhook, tmp_path):
    (tmp_path / "shot.png").write_bytes(b"what was seen")
    (tmp_path / "cert.json").write_text('{"id": "cert-9"}')
    evidence = ("--rendering", str(tmp_path / "shot.png"), "--certificate", f"@{tmp_path}/cert.json")
    assert offhook("consent", "record", ANN, "--seller", "acme", "--wording", "I agree", *evidence)[0] == 0
    kept = json.loads(offhook("consent", "show", ANN, "--json")[1])[0]["evidence"]
    assert kept["certificate"] == '{"id": "cert-9"}'
    assert len(kept["rendering_sha256"]) == 64
    (tmp_path / "cert.pdf").write_bytes(b"%PDF a vendor's word")
    recorded = ("consent", "record", BOB, "--seller", "acme", "--wording", "I agree", "--expires-at", "2027-01-01T00:00:00Z")
    assert offhook(*recorded, "--attach", "cert.pdf", "--purpose", "informational")[0] == 0
    (event,) = json.loads(offhook("consent", "show", BOB, "--json")[1])
    name, _, digest = event["evidence"]["attachments"].partition(" sha256:")
    assert (name, place_of(tmp_path / "home", digest).read_bytes()) == ("cert.pdf", b"%PDF a vendor's word")
    assert (event["consent"]["purposes"], event["consent"]["expires_at"][:4]) == (["informational"], "2027")
    facts = (
        "consent",
        "facts",
        ANN,
        "--seller",
        "acme",
        "--purchase",
        "2026-05-01",
        "--reassigned",
        "yes",
        "--line",
        "landline",
    )
    assert offhook(*facts) == (0, "Kept 3.\n")
    assert "RND_REASSIGNED" in offhook("check", ANN, "--seller", "acme")[1]
    assert offhook("consent", "facts", ANN)[0] == 2
    assert offhook("consent", "facts", ANN, "--purchase", "2026-05-01")[0] == 2
    assert json.loads(offhook("consent", "facts", ANN, "--line", "voip", "--json")[1])["kept"] == 1


def test_what_a_person_said_of_where_they_are_is_kept_and_heeded(offhook):
    assert offhook("consent", "facts", ANN, "--in-state", "HI")[0] == 0
    noon_in_new_york = "2026-11-18T12:00:00-05:00"
    code, told = offhook("check", ANN, "--seller", "acme", "--at", noon_in_new_york)
    assert (code, "Pacific/Honolulu" in told, "WINDOW_FEDERAL" in told) == (0, True, True)
    assert offhook("consent", "facts", ANN, "--in-state", "TX")[0] == 2  # which of its zones?
    assert (
        offhook("consent", "facts", ANN, "--in-state", "tx", "--in-zone", "America/Chicago", "--said-on", "2026-11-01")[0]
        == 0
    )


def test_import_and_export(offhook, tmp_path):
    header, good = "number,sellers,kind,obtained_at,wording", "+16145550123,acme,written,2026-06-01T15:00:00Z,I agree"
    rows = "\n".join([header, good, "12,acme,written,x,", ""])
    (tmp_path / "in.csv").write_text(rows)
    status, said = offhook("consent", "import", str(tmp_path / "in.csv"))
    assert (status, "line 3: number" in said, "1 new consents" in said) == (1, True, True)
    status, said = offhook("consent", "import", str(tmp_path / "in.csv"), "--json")
    assert json.loads(said)["known"] == 1
    status, said = offhook("consent", "export")
    assert (status, "I agree" in said) == (0, True)
    (tmp_path / "again.csv").write_text(said)
    assert offhook("consent", "import", str(tmp_path / "again.csv"))[0] == 0
    offhook("consent", "revoke", ANN)
    status, said = offhook("consent", "export", "--number", ANN, "--json")
    assert [each["what"] for each in json.loads(said)] == ["given", "taken_back"]
    (tmp_path / "again.json").write_text(said)
    status, said = offhook("consent", "import", str(tmp_path / "again.json"))
    assert ("1 already known, 1 rows left out" in said, "a revocation" in said) == (True, True)


def test_the_audit(offhook):
    offhook("dnc", "add", ANN, "--seller", "acme")
    status, said = offhook("audit", "verify")
    assert (status, "1 receipts of 1 days: the chain holds." in said) == (0, True)
    assert (
        json.loads(offhook("audit", "verify", "--json", "--since", "2020-01-01", "--until", "2099-01-01")[1])["holds"]
        is True
    )
    assert json.loads(offhook("audit", "export", "--number", ANN)[1])["receipts"][0]["kind"] == "opt_out"
    assert offhook("audit", "export", "--campaign", "c1")[0] == 2  # a campaign that is none would look spotless
    assert offhook("audit", "export", "--number", ANN, "--campaign", "c1")[0] == 2
    (told,) = json.loads(offhook("audit", "person", ANN)[1])["numbers"]
    assert (told["number"], len(told["internal_dnc"]), told["contacts"]) == (ANN, 1, [])
    status, said = offhook("audit", "erase", ANN, "--reason", "letter")
    assert (status, "held until" in said) == (0, True)
    assert "erased" in json.loads(offhook("audit", "erase", ANN, "--reason", "letter", "--json")[1])
    assert "PERSON_ERASED" in offhook("check", ANN, "--seller", "acme")[1]


def test_abandoned_calls(offhook, tmp_path):
    status, said = offhook("audit", "abandoned", "c1")
    assert (status, "no campaign named" in said) == (2, True)
    made = ("campaign", "create", "autumn", "--seller", "acme", "--agent", "sam")
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "sam.toml").write_text(
        'name = "sam"\nseller = "acme"\npersona = "Sam"\ngoal = "x"\nopening = "Hello."\ngoodbye = "Bye."\n'
    )
    assert offhook(*made)[0] == 0
    status, said = offhook("audit", "abandoned", "autumn")
    assert (status, said.startswith("In 30 days 0 of 0 calls answered by a person were abandoned")) == (0, True)
    assert json.loads(offhook("audit", "abandoned", "autumn", "--json")[1])["within_limit"] is True
    assert json.loads(offhook("audit", "export", "--campaign", "autumn")[1])["calls"] == []
    assert json.loads(offhook("campaign", "status", "autumn", "--json")[1])["abandonment"]["budget"] == 0


def test_standing_orders(offhook):
    assert offhook("audit", "waive", "wa-adad", "--by", "Jo", "--reason", "advice", "--until", "2030-01-01")[0] == 0
    assert offhook("audit", "waive", "no-such", "--by", "Jo", "--reason", "x", "--until", "2030-01-01")[0] == 2
    status, said = offhook("audit", "halt", "--reason", "storm", "--scope", "state:OH")
    assert status == 0
    assert "KILL_SWITCH" in offhook("check", ANN, "--seller", "acme")[1]
    assert offhook("audit", "lift", "halt", said.split()[-1].rstrip("."))[0] == 0
    assert "KILL_SWITCH" not in offhook("check", ANN, "--seller", "acme")[1]
    assert offhook("audit", "lift", "mood", "x")[0] == 2
    proclaimed = (
        "audit",
        "proclaim",
        "la",
        "--what",
        "emergency",
        "--name",
        "Storm",
        "--source",
        "LPSC",
        "--on",
        "2026-07-13",
    )
    assert offhook(*proclaimed)[0] == 0
    status, said = offhook("audit", "proclaim", "fl", *proclaimed[3:])
    assert (status, "closed_day" in said) == (2, True)
    assert offhook("audit", "proclaim", "zz", *proclaimed[3:])[0] == 2
    assert "STATE_EMERGENCY" in offhook("check", "+15045550123", "--seller", "acme")[1]


def test_a_feed_of_proclamations_closes_a_state_at_once(offhook, tmp_path):
    storm = '[[proclaimed]]\nstate = "LA"\nwhat = "emergency"\nname = "Storm"\nsource = "LPSC"\non = 2026-07-13\n'
    (tmp_path / "feed.toml").write_text(storm)
    called = ("check", "+15045550123", "--seller", "acme", "--at", "2026-07-14T16:00:00Z")
    assert "STATE_EMERGENCY" not in offhook(*called)[1]
    assert "1 new proclamations" in offhook("audit", "feed", "feed.toml")[1]
    assert "STATE_EMERGENCY" in offhook(*called)[1]
    day = '[[proclaimed]]\nstate = "OH"\nwhat = "closed_day"\nname = "Mourning"\nsource = "Governor"\non = 2026-07-14\n'
    (tmp_path / "feed.toml").write_text(storm + day)
    assert [each["state"] for each in json.loads(offhook("audit", "feed", "feed.toml", "--json")[1])["new"]] == ["OH"]
    assert "CLOSED_HOLIDAY" in offhook("check", ANN, *called[2:])[1]
    (tmp_path / "feed.toml").write_text(storm.replace('"LA"', '"ZZ"'))
    status, said = offhook("audit", "feed", "feed.toml")
    assert (status, "'ZZ' is no state" in said) == (1, True)


def test_a_rule_file_with_a_typo_closes_the_gate_and_says_so(offhook, tmp_path):
    (tmp_path / "home" / "rules").mkdir(parents=True)
    (tmp_path / "home" / "rules" / "ours.toml").write_text('jurisdiction = "house"\nname = "x"\nversoin = "1"\n')
    status, said = offhook("check", ANN, "--seller", "acme")
    assert (status, "RULES_UNREADABLE" in said, "versoin" in said) == (0, True, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",), ("check", "12", "--seller", "a"), ("check", "1-800-FLOWERS", "--seller", "a"),
        ("check", ANN, "--seller", "a", "--at", "noon"), ("check", ANN, "--seller", "a", "--at", "2026-07-14T16:00:00"),
        ("dnc", "load", "none.txt"), ("audit", "verify", "--since", "yesterday"),
        ("consent", "record", ANN, "--seller", "a", "--wording", "x", "--kind", "spoken"),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_is_said_in_a_line(offhook, arguments):
    status, said = offhook(*arguments)
    assert status == 2
    assert "Traceback" not in said
