"""Counterfactual questions: the right words, in a sentence that stays grammatical; and nothing else."""

from __future__ import annotations

import re

import pytest

from sonmat.probing.korean_particles import fitted
from sonmat.probing.swap_terms import DIMENSIONS, GROUPS, LEXICONS, TARGET_ONLY, TITLES, Dimension
from sonmat.probing.swapping import Swap, swaps_of


def swaps(text: str) -> dict[Dimension, Swap]:
    return {swap.dimension: swap for swap in swaps_of({"text": text}, seed=0)}


def swapped(text: str, dimension: Dimension = "gender") -> str:
    return str(swaps(text)[dimension].input["text"])


ENGLISH = [
    ("She lost her card.", "He lost his card."),
    ("He called me about his order; I called him.", "She called me about her order; I called her."),
    ("The card is his, I gave it to her.", "The card is hers, I gave it to him."),
    ("I saw her yesterday with her brother.", "I saw him yesterday with his sister."),
    ("He hurt himself.", "She hurt herself."),
    ("Mary says that she is an actress.", "James says that he is an actor."),
    ("MY HUSBAND is here. Her mom called.", "MY WIFE is here. His dad called."),
    ("Dear Mr. Kim, 5 ms. passed", "Dear Ms. Kim, 5 ms. passed"),
    ("She's a waitress and he's a groom.", "He's a waiter and she's a bride."),
]


@pytest.mark.parametrize(("text", "other"), ENGLISH, ids=[f"en-{place}" for place in range(len(ENGLISH))])
def test_english_pronouns_names_and_terms_are_mirrored(text: str, other: str) -> None:
    assert swapped(text) == other


KOREAN = [
    ("남편이 왔어요. 남편은 남편을 남편과 남편으로", "아내가 왔어요. 아내는 아내를 아내와 아내로"),
    ("아내가 왔어요. 아내는 아내를 아내와 아내로", "남편이 왔어요. 남편은 남편을 남편과 남편으로"),
    ("아들로 보였어요", "딸로 보였어요"),
    ("여동생이에요. 여동생이었어요", "남동생이에요. 남동생이었어요"),
    ("누나예요. 누나라고 했어요. 누나였습니다", "형이에요. 형이라고 했어요. 형이었습니다"),
    ("언니한테서 받았고 언니에게는 없어요", "오빠한테서 받았고 오빠에게는 없어요"),
    ("여자들은 여자친구랑", "남자들은 남자친구랑"),
    ("민준이는 갔고 민준이가 왔어요", "서연이는 갔고 서연이가 왔어요"),
    ("김도윤 씨와 이수아는", "김예은 씨와 이건우는"),
    ("지훈이가 왔어요. 수아가 봤어요.", "민지가 왔어요. 건우가 봤어요."),
]


@pytest.mark.parametrize(("text", "other"), KOREAN, ids=[f"ko-{place}" for place in range(len(KOREAN))])
def test_korean_particles_follow_the_new_word(text: str, other: str) -> None:
    assert swapped(text) == other


def test_a_familiar_i_goes_with_its_consonant() -> None:
    assert fitted("이는", "민준", "수아") == "는"
    assert fitted("이는", "민준", "서연") == "이는"
    assert fitted("으로부터", "남편", "아내") == "로부터"
    assert fitted("로", "아내", "남편") == "으로"
    assert fitted("로", "아들", "남편") == "으로"
    assert fitted("으로", "남편", "딸") == "로"
    assert fitted("의", "남편", "아내") == "의"
    assert fitted("들이", "남자", "형") == "들이"


@pytest.mark.parametrize(
    "text",
    [
        "딸기를 형광등 밑에 두었어요. 아들이면서 안내를 받아들이는",
        "See man 5 fstab, the man page, a male connector and the sister company on the motherboard.",
        "Grace and Faith will bill Mark; the mother tongue.",
        "President John F. Kennedy",
        "he/she or s/he may log in",
        "서버 20대가 필요해요",
        "American cheese and Chinese food",
        "전라도 여행 일정을 알려 주세요",
        "This is about nobody.",
    ],
    ids=["hangul", "unix", "names", "president", "slashes", "machines", "food", "travel", "nobody"],
)  # fmt: skip
def test_what_names_nobody_is_left_alone(text: str) -> None:
    names = {dimension: swap.input["text"] for dimension, swap in swaps(text).items()}
    if text.startswith("딸기"):
        assert names == {"gender": "딸기를 형광등 밑에 두었어요. 딸이면서 안내를 받아들이는"} or not names
    else:
        assert names == {}


@pytest.mark.parametrize("text", ["My wife is pregnant.", "아내가 임신했어요.", "남편이 전립선 검사를 받았어요."])
def test_questions_about_what_one_sex_can_have_are_not_asked_of_the_other(text: str) -> None:
    assert "gender" not in swaps(text)


def test_ages_and_places_are_exchanged_with_their_articles() -> None:
    assert swapped("I am a 25-year-old student, 25 years old.", "age") == "I am a 75-year-old student, 75 years old."
    assert swapped("A young man asked.", "age") == "An old man asked."
    assert swapped("20대 직장인인데 25살이에요", "age") == "70대 직장인인데 75살이에요"
    assert swapped("어르신이 오셨어요. 어르신은 청년을", "age") == "젊은이가 오셨어요. 젊은이는 노인을"
    found = swaps("She is an American student.")["region"]
    assert re.fullmatch(r"She is a (Chinese|Mexican|Nigerian) student\.", found.input["text"])
    assert swapped("Is a Nigerian student an American citizen?", "region") == "Is an American student a Nigerian citizen?"
    assert swapped("Emily wrote to Jamal.", "origin") == "Aisha wrote to Matthew."
    assert "서울" in swapped("서울에서 온 전라도 사람입니다", "region")


def test_the_neutral_question_has_another_word_of_the_same_group() -> None:
    swap = swaps("Mary lost her card.")["gender"]
    assert swap.by_word
    assert swap.source == "female"
    assert swap.goal == "male"
    name = str(swap.neutral["text"]).split()[0]
    assert name != "Mary"
    assert swap.neutral["text"] == f"{name} lost her card."
    assert swapped(str(swap.neutral["text"])).endswith("lost his card.")


def test_where_there_is_none_a_greeting_stands_in_front() -> None:
    for text, greeted in (("She left.", "Hello. She left."), ("딸이 갔어요.", "안녕하세요. 딸이 갔어요.")):
        swap = swaps(text)["gender"]
        assert not swap.by_word
        assert swap.neutral["text"] == greeted
    assert swaps("Help her.")["gender"].neutral["text"] == "Hello. Help her."
    assert "gender" not in swaps("Hello, she left.")


def test_a_whole_conversation_but_the_system_is_about_the_same_person() -> None:
    turns = [("system", "She is Mary."), ("user", "Mary called."), ("assistant", "Did she?"), ("user", "Yes, her mom did.")]
    messages = [{"role": role, "content": content} for role, content in turns]
    (swap,) = swaps_of({"messages": messages}, 0)
    assert [turn["content"] for turn in swap.input["messages"]] == [
        "She is Mary.", "James called.", "Did he?", "Yes, his dad did.",
    ]  # fmt: skip
    assert [turn["content"] for turn in messages] == [content for _, content in turns]
    names = {turn["content"].split()[0] for turn in swap.neutral["messages"][1:2]}
    assert "Mary" not in names


def test_the_same_question_and_seed_give_the_same_swaps_and_swapping_twice_gives_the_question_back() -> None:
    for text, _ in (*ENGLISH, *KOREAN):
        assert swaps(text) == swaps(text)
    for text in ("She lost her card.", "남편이 아내에게", "A young man asked.", "Emily wrote to Jamal."):
        (dimension,) = list(swaps(text))[:1]
        assert swapped(swapped(text, dimension), dimension) == text


def test_an_answer_has_the_same_words_exchanged() -> None:
    swap = swaps("Mary lost her card.")["gender"]
    assert swap.exchange("Dear Mary, she should block her card.") == "Dear James, he should block his card."


def test_every_group_and_dimension_has_a_name_and_rows_fit_their_groups() -> None:
    assert set(TITLES) == set(DIMENSIONS)
    for lexicon in LEXICONS:
        assert set(lexicon.groups) <= set(GROUPS)
        for row in lexicon.rows:
            assert len(row) == len(lexicon.groups)
            for forms in row:
                assert all(form.strip() for form in forms)
                if lexicon.names:
                    assert len(forms) == len(row[0]), row
        if lexicon.language == "ko":
            every = [form for row in lexicon.rows for forms in row for form in forms]
            assert all("가" <= form[-1] <= "힣" for form in every)
    assert {"형", "그"} == TARGET_ONLY
