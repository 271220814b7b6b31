"""Words that name a group of people, and the words that stand in their place for another group, in English and Korean.

In: nothing. Out: `LEXICONS`. Short lists on purpose: a word stands here only where a text stays natural and means the same of another
person. Left out are names that are words as well (Grace, 보라, 지우), words of many meanings (형, 장인) and, of gender, texts about
what only one sex can have (`ABOUT_BODIES`). English names of origin are from Bertrand and Mullainathan (2004, American Economic Review
94:991); other names are frequent first names that are given to one sex nearly always, and in Korea to one generation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sonmat.core.text import Text

Dimension = Literal["gender", "age", "origin", "region"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
Row = tuple[tuple[str, ...], ...]
"""For each group its forms; what stands at one place of each means the same of another group. One with fewer uses its last."""


@dataclass(frozen=True)
class Lexicon:
    dimension: Dimension
    language: Literal["en", "ko"]
    groups: tuple[str, ...]
    rows: tuple[Row, ...]
    names: bool = False
    """Given names: Korean ones may have a surname before and 이 behind them."""
    exact: bool = False
    """Whether capital letters must be as they are here."""
    alike: bool = False
    """Whether the forms of one group in one row may stand for one another, as names of one group or 'father' and 'dad'."""
    behind: str = ""
    """A regular expression of what must or must not follow."""


TITLES: Final[Mapping[Dimension, Text]] = {
    "gender": Text(en="gender", ko="성별"),
    "age": Text(en="age", ko="나이"),
    "origin": Text(en="origin that a name suggests", ko="이름에서 짐작되는 출신"),
    "region": Text(en="country or region", ko="나라나 지역"),
}
GROUPS: Final[Mapping[str, Text]] = {
    "female": Text(en="female", ko="여성"),
    "male": Text(en="male", ko="남성"),
    "young": Text(en="young", ko="젊은 사람"),
    "old": Text(en="old", ko="나이 든 사람"),
    "european_american": Text(en="European American", ko="유럽계 미국인"),
    "african_american": Text(en="African American", ko="아프리카계 미국인"),
    "american": Text(en="American", ko="미국"),
    "chinese": Text(en="Chinese", ko="중국"),
    "mexican": Text(en="Mexican", ko="멕시코"),
    "nigerian": Text(en="Nigerian", ko="나이지리아"),
    "vietnamese": Text(en="Vietnamese", ko="베트남"),
    "jeolla": Text(en="Jeolla", ko="전라도"),
    "gyeongsang": Text(en="Gyeongsang", ko="경상도"),
    "chungcheong": Text(en="Chungcheong", ko="충청도"),
    "several": Text(en="both", ko="둘 다"),
}
TARGET_ONLY: Final = frozenset({"형", "그"})
"""Words of so many meanings that they are written, but not looked for."""
ABOUT_BODIES: Final = re.compile(
    r"pregnan|menstru|ovari|uterus|uterine|prostat|breast-?fe|gyn(?:ae|e)col|vagin|penis|testic|matern|patern|"
    r"임신|출산|생리|월경|전립선|산부인과|자궁|유방|모유|입대|병역|군 ?복무",
    re.IGNORECASE,
)

_FEMALE_MALE: Final = ("female", "male")
_YOUNG_OLD: Final = ("young", "old")


def _paired(words: str) -> tuple[Row, ...]:
    """'she/he sister/brother' as rows of one form a group."""
    return tuple(tuple((form.replace("_", " "),) for form in pair.split("/")) for pair in words.split())


def _listed(*groups: str) -> tuple[Row, ...]:
    """One row of names, place by place."""
    return (tuple(tuple(names.split()) for names in groups),)


_ENGLISH_GENDER: Final = (
    Lexicon(
        "gender",
        "en",
        _FEMALE_MALE,
        (
            (("her", "her", "hers"), ("him", "his", "his")),
            *_paired(
                "she/he herself/himself girl/boy girls/boys wife/husband wives/husbands daughter/son daughters/sons "
                "sister/brother sisters/brothers grandmother/grandfather grandma/grandpa aunt/uncle niece/nephew "
                "girlfriend/boyfriend madam/sir ma'am/sir female/male females/males businesswoman/businessman "
                "policewoman/policeman actress/actor waitress/waiter bride/groom widow/widower"
            ),
        ),
        # Plugs are male and female, too, and companies are sisters.
        behind=r"(?!\s+(?:connectors?|plugs?|adapters?|adaptors?|ports?|sockets?|headers?|company|companies|sites?|projects?)\b)",
    ),
    Lexicon(
        "gender",
        "en",
        _FEMALE_MALE,
        (
            (("woman", "lady"), ("man", "gentleman")),
            (("women", "ladies"), ("men", "gentlemen")),
            (("mother", "mom"), ("father", "dad")),
            (("mothers", "moms"), ("fathers", "dads")),
        ),
        alike=True,
        # The manual of Unix; and mother tongues have no father.
        behind=r"(?!\s*\(?\d|\s+(?:pages?|tongue|board|command)\b)",
    ),
    Lexicon(
        "gender",
        "en",
        _FEMALE_MALE,
        ((("Ms.", "Mrs."), ("Mr.",)), (("Ms", "Mrs"), ("Mr",))),
        exact=True,
        behind=r"(?=\s+[A-Z])",
    ),
    Lexicon(
        "gender",
        "en",
        _FEMALE_MALE,
        (
            *_listed(
                "Aisha Keisha Tamika Lakisha Tanisha Latoya Latonya Ebony",
                "Rasheed Tremayne Kareem Darnell Tyrone Hakim Jamal Leroy",
            ),
            *_listed("Anne Jill Allison Laurie Sarah Meredith Carrie", "Todd Neil Geoffrey Brett Brendan Greg Brad"),
            *_listed(
                "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Karen Lisa Nancy Sandra Ashley Emily Michelle Laura",
                "James Robert John Michael David William Richard Thomas Daniel Matthew Anthony Steven Andrew Kevin Brian George",
            ),
        ),
        names=True,
        exact=True,
        alike=True,
        # With an initial behind it, it is somebody whom everybody knows.
        behind=r"(?!\s+[A-Z]\.)",
    ),
)

_KOREAN_GENDER: Final = (
    Lexicon(
        "gender",
        "ko",
        _FEMALE_MALE,
        _paired(
            "할머니/할아버지 외할머니/외할아버지 시어머니/시아버지 딸/아들 누나/형 언니/오빠 여동생/남동생 여학생/남학생 "
            "여직원/남직원 소녀/소년 숙녀/신사 그녀/그 아가씨/총각 아주머니/아저씨 며느리/사위 이모/삼촌 여배우/남배우 "
            "여자아이/남자아이 여고생/남고생"
        ),
    ),
    Lexicon(
        "gender",
        "ko",
        _FEMALE_MALE,
        (
            (("여자", "여성"), ("남자", "남성")),
            (("여자분", "여성분"), ("남자분", "남성분")),
            (("어머니", "엄마"), ("아버지", "아빠")),
            (("아내", "와이프"), ("남편", "신랑")),
            (("여자친구", "여친"), ("남자친구", "남친")),
        ),
        alike=True,
    ),
    Lexicon(
        "gender",
        "ko",
        _FEMALE_MALE,
        (
            *_listed("영자 순자 춘자 말순", "병철 덕수 상철 판수"),
            *_listed(
                "서연 서윤 하은 예은 수빈 민지 은지 지영 수진 혜진 소연 은주 미경 영희 예린 수아",
                "민준 서준 예준 도윤 현우 지훈 동현 민수 준호 승현 태현 성민 상훈 영호 정훈 건우",
            ),
        ),
        names=True,
        alike=True,
    ),
)

_AGES_EN: Final = tuple(
    ((f"{young}{rest}",), (f"{old}{rest}",))
    for young, old in [(20 + unit, 70 + unit) for unit in range(10)] + [(30 + unit, 60 + unit) for unit in range(10)]
    for rest in (" years old", "-year-old", " years of age")
)
_AGES_KO: Final = tuple(
    ((f"{young}{rest}",), (f"{old}{rest}",))
    for young, old in [(20 + unit, 70 + unit) for unit in range(10)] + [(30 + unit, 60 + unit) for unit in range(10)]
    for rest in ("살", "세", " 살", " 세")
)
_AGE: Final = (
    Lexicon(
        "age",
        "en",
        _YOUNG_OLD,
        (
            (("young man", "young guy"), ("old man", "elderly man")),
            (("young woman", "young lady"), ("old woman", "elderly woman")),
            (("young people", "youngsters"), ("old people", "elderly people")),
            (("young person", "youngster"), ("old person", "elderly person")),
        ),
        alike=True,
    ),
    Lexicon(
        "age",
        "en",
        _YOUNG_OLD,
        (*_paired("teenager/pensioner teenagers/pensioners in_my_twenties/in_my_seventies in_my_20s/in_my_70s"), *_AGES_EN),
    ),
    Lexicon(
        "age",
        "ko",
        _YOUNG_OLD,
        ((("젊은이", "청년"), ("어르신", "노인")), (("젊은 사람", "젊은 분"), ("나이 든 사람", "나이 든 분"))),
        alike=True,
    ),
    Lexicon("age", "ko", _YOUNG_OLD, _AGES_KO),
    Lexicon(
        "age",
        "ko",
        _YOUNG_OLD,
        _paired("20대/70대 30대/60대"),
        # 20대 counts machines, too.
        behind=r"(?=\s+(?:남성|여성|남자|여자|직장인|고객|손님|회원|초반|중반|후반|사람|부부|어머니|아버지))",
    ),
    Lexicon(
        "age",
        "ko",
        _YOUNG_OLD,
        # Women and men apart, so that one name of a group may stand for another.
        (*_listed("하은 예린 서윤 수아", "영자 순자 춘자 말순"), *_listed("민준 서준 도윤 예준", "병철 덕수 상철 판수")),
        names=True,
        alike=True,
    ),
)

_ORIGIN: Final = (
    Lexicon(
        "origin",
        "en",
        ("european_american", "african_american"),
        (
            *_listed(
                "Emily Anne Jill Allison Laurie Sarah Meredith Carrie",
                "Aisha Keisha Tamika Lakisha Tanisha Latoya Latonya Ebony",
            ),
            *_listed(
                "Todd Neil Geoffrey Brett Brendan Greg Matthew Jay Brad",
                "Rasheed Tremayne Kareem Darnell Tyrone Hakim Jamal Leroy Jermaine",
            ),
        ),
        names=True,
        exact=True,
        alike=True,
    ),
)

_PERSON_EN: Final = (
    r"(?=\s+(?:man|men|woman|women|person|people|guy|lady|student|students|customer|customers|worker|workers|employee|employees|"
    r"immigrant|immigrants|family|families|applicant|applicants|citizen|citizens|colleague|colleagues|neighbou?rs?|doctor|nurse|"
    r"engineer|friend|friends|wife|husband|tourist|tourists)\b)"
)
_REGION: Final = (
    Lexicon(
        "region",
        "en",
        ("american", "chinese", "mexican", "nigerian"),
        ((("American",), ("Chinese",), ("Mexican",), ("Nigerian",)),),
        exact=True,
        behind=_PERSON_EN,
    ),
    Lexicon(
        "region",
        "ko",
        ("american", "chinese", "vietnamese"),
        ((("미국인", "미국 사람"), ("중국인", "중국 사람"), ("베트남인", "베트남 사람")),),
        alike=True,
    ),
    Lexicon(
        "region",
        "ko",
        ("jeolla", "gyeongsang", "chungcheong"),
        ((("전라도", "호남"), ("경상도", "영남"), ("충청도", "충청")),),
        alike=True,
        behind=r"(?=\s*(?:사람|출신|분|사투리|억양|토박이|남자|여자|손님|고객))",
    ),
)

LEXICONS: Final[tuple[Lexicon, ...]] = (*_ENGLISH_GENDER, *_KOREAN_GENDER, *_AGE, *_ORIGIN, *_REGION)
