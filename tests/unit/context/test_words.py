from collections import Counter

from context.knowledge.words import bm25, fuse, terms

TEXTS = {
    key: Counter(terms(text))
    for key, text in {
        "roof": "The roof was replaced in 2019",
        "tea": "Prefers tea, and calls on Friday",
        "dog": "Has a dog; the dog is loud, the dog bites",
        "empty": "",
    }.items()
}


def test_terms_drop_the_commonest_words_and_endings():
    assert terms("The roofs were REPLACED, calling us") == ["roof", "replac", "call", "us"]
    assert terms("is it so") == []


def test_the_text_with_the_rare_word_comes_first():
    assert list(bm25("replacing roofs", TEXTS)) == ["roof"]
    scores = bm25("dog on friday", TEXTS)
    assert set(scores) == {"dog", "tea"}


def test_nothing_to_look_for_and_nothing_to_look_in():
    assert bm25("is it so", TEXTS) == {}
    assert bm25("roof", {}) == {}
    assert bm25("roof", {"a": Counter()}) == {}


def test_fusion_prefers_what_stands_high_in_both():
    assert next(iter(fuse(["a", "b", "c"], ["b", "c", "d"]))) == "b"
    assert list(fuse(["a"], [])) == ["a"]
    assert fuse() == {}
