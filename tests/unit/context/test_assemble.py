import pytest

from context.assemble import TOTAL, ContactFound, HistoryFound, KnowledgeFound, RulesFound, Told, assemble
from context.briefing import Absence, CampaignRules, ContactCard, KnownFact, Missing, PastCall


def test_nothing_asked_is_an_empty_briefing_with_its_time():
    briefing = assemble([], total=0.01)
    assert briefing.took == {TOTAL: 0.01}
    assert briefing.absences == ()


@pytest.mark.parametrize("found", [None, HistoryFound(()), KnowledgeFound(())])
def test_a_source_with_nothing_is_an_absence_not_an_emptiness(found):
    briefing = assemble([Told("history", found, 0.02)], total=0.02)
    assert briefing.absences == (Absence("history", Missing.NOTHING_KNOWN),)
    assert briefing.took == {"history": 0.02, TOTAL: 0.02}


def test_failure_and_lateness_are_told_as_they_are():
    late, failed = Absence("crm", Missing.TOO_LATE), Absence("rules", Missing.FAILED, "OSError")
    briefing = assemble([Told("crm", late, 0.2), Told("rules", failed, 0.01)], total=0.2)
    assert briefing.absences == (late, failed)


def test_the_first_contact_record_wins_and_later_ones_fill_its_gaps():
    ours = ContactCard("c1", "+1312", name="Jo", fields={"roof": "old", "zip": ""})
    theirs = ContactCard("crm9", "+1312", name="Joanna", address_state="IL", fields={"roof": "new", "zip": "60601"})
    card = assemble([Told("contact", ContactFound(ours), 0), Told("crm", ContactFound(theirs), 0)], 0).contact
    assert card == ContactCard("c1", "+1312", "Jo", "", "IL", {"roof": "old", "zip": "60601"})


def test_campaign_rules_are_filled_in_the_same_way():
    first, later = (
        CampaignRules("k", "Roofs", "Acme", "ann"),
        CampaignRules("k", "Other", "Acme", "ann", "survey", "be kind"),
    )
    rules = assemble([Told("rules", RulesFound(first), 0), Told("more", RulesFound(later), 0)], 0).rules
    assert rules == CampaignRules("k", "Roofs", "Acme", "ann", "survey", "be kind")


def test_history_of_several_sources_is_one_newest_first(at):
    calls = [PastCall(at(minutes), "outbound", "answered", "") for minutes in (1, 3, 2)]
    briefing = assemble([Told("a", HistoryFound((calls[0], calls[1])), 0), Told("b", HistoryFound((calls[2],)), 0)], 0)
    assert briefing.history == (calls[1], calls[2], calls[0])


def test_a_slot_is_told_once_with_its_newest_value_and_before_free_text(at):
    facts = (
        KnownFact("Likes tea.", "operator", at(1), score=0.1),
        KnownFact("roof old", "call 1", at(1), "roof", "old", score=0.9),
        KnownFact("likes TEA", "operator", at(1), score=0.4),
        KnownFact("roof new", "call 2", at(2), "roof", "new"),
        KnownFact("roof older", "call 0", at(0), "roof", "older"),
        KnownFact("Has a dog", "operator", at(1), score=0.8),
    )
    briefing = assemble([Told("known", KnowledgeFound(facts[:3]), 0), Told("knowledge", KnowledgeFound(facts[3:]), 0)], 0)
    assert [fact.text for fact in briefing.knowledge] == ["roof new", "Has a dog", "likes TEA"]
    slot = briefing.slot("roof")
    assert slot is not None
    assert slot.value == "new"
    assert briefing.slot("dog") is None
