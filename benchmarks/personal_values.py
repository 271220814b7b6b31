"""Made-up personal values, written from the published definitions of their forms and not from the recognisers' patterns.

In: a source of chance. Out: one value as a string. Every function states the definition that it follows. Nobody's data: digits
are drawn by chance, and e-mail names and streets are put together from lists.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from random import Random

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UPPER = LETTERS.upper()
ALPHANUMERIC = LETTERS + UPPER + "0123456789"


def digits(chance: Random, count: int) -> str:
    return "".join(str(chance.randrange(10)) for _ in range(count))


def letters(chance: Random, count: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(chance.choice(alphabet) for _ in range(count))


# ── people and mail ─────────────────────────────────────────────────────────────────────────────────────────────────

GIVEN = [
    "minsu",
    "jiwon",
    "seoyeon",
    "haneul",
    "yuna",
    "dohyun",
    "anna",
    "james",
    "maria",
    "peter",
    "olga",
    "chen",
    "li",
    "kim",
    "park",
    "lee",
]
FAMILY = [
    "kim",
    "lee",
    "park",
    "choi",
    "jung",
    "smith",
    "garcia",
    "novak",
    "mueller",
    "tanaka",
    "rossi",
    "dubois",
    "kowalski",
]
HOSTS = [
    "naver.com",
    "gmail.com",
    "daum.net",
    "hanmail.net",
    "kakao.com",
    "nate.com",
    "outlook.com",
    "yahoo.co.jp",
    "icloud.com",
    "proton.me",
    "snu.ac.kr",
    "seoul.go.kr",
    "mail.acme-corp.com",
    "company.co.kr",
    "web.de",
    "startup.io",
    "museum.org",
    "university.edu",
    "kt.com",
    "example.org",
]


def local_part(chance: Random) -> str:
    """RFC 5322 dot-atom: letters, digits and signs, no dot at either end."""
    first, last = chance.choice(GIVEN), chance.choice(FAMILY)
    return chance.choice(
        (f"{first}.{last}", f"{first}{digits(chance, 2)}", f"{first}_{last}", f"{first[0]}{last}", f"{first}-{last}",
         f"{last}{first}{digits(chance, 4)}")
    )  # fmt: skip


def email(chance: Random) -> str:
    return f"{local_part(chance)}@{chance.choice(HOSTS)}"


# ── telephone ───────────────────────────────────────────────────────────────────────────────────────────────────────


def korean_mobile(chance: Random) -> tuple[str, str, str]:
    """Korean numbering plan: 010, then four digits from 2000 up, then four."""
    return "010", str(chance.randrange(2000, 9999)), digits(chance, 4)


def korean_landline(chance: Random) -> tuple[str, str, str]:
    """Area code of 17 regions, an exchange of three or four digits that begins with 2 to 9, four digits."""
    area = chance.choice(
        [
            "02",
            "031",
            "032",
            "033",
            "041",
            "042",
            "043",
            "044",
            "051",
            "052",
            "053",
            "054",
            "055",
            "061",
            "062",
            "063",
            "064",
        ]
    )
    exchange = str(chance.randrange(200, 999)) if chance.random() < 0.5 else str(chance.randrange(2000, 9999))
    return area, exchange, digits(chance, 4)


def internet_number(chance: Random) -> tuple[str, str, str]:
    """070 for calls over the internet, 0502 to 0508 for numbers that stand for another."""
    head = chance.choice(["070", "0502", "0503", "0504", "0505", "0507", "0508"])
    return head, str(chance.randrange(2000, 9999)), digits(chance, 4)


def service_number(chance: Random) -> str:
    """Nationwide numbers of companies: eight digits without an area code."""
    head = chance.choice([1544, 1566, 1577, 1588, 1599, 1600, 1644, 1661, 1666, 1670, 1688, 1800, 1855, 1899])
    return f"{head}-{digits(chance, 4)}"


def american(chance: Random) -> tuple[str, str, str]:
    """North American numbering plan: NPA and NXX begin with 2 to 9, and do not end in 11."""
    area = chance.choice(
        [
            "201",
            "212",
            "213",
            "303",
            "305",
            "312",
            "404",
            "415",
            "425",
            "503",
            "512",
            "602",
            "617",
            "646",
            "702",
            "713",
            "808",
            "916",
            "604",
            "416",
        ]
    )
    return area, f"{chance.randrange(2, 10)}{chance.randrange(0, 10)}{chance.randrange(2, 10)}", digits(chance, 4)


def british(chance: Random) -> str:
    return chance.choice(
        (f"+44 20 {digits(chance, 4)} {digits(chance, 4)}", f"+44 7{digits(chance, 3)} {digits(chance, 6)}")
    )


def abroad(chance: Random) -> str:
    """ITU-T E.164 with the groups that the country writes."""
    return chance.choice(
        (f"+81-3-{digits(chance, 4)}-{digits(chance, 4)}", f"+81 90 {digits(chance, 4)} {digits(chance, 4)}",
         f"+49 30 {digits(chance, 7)}", f"+33 6 {digits(chance, 2)} {digits(chance, 2)} {digits(chance, 2)} {digits(chance, 2)}",
         f"+86 138 {digits(chance, 4)} {digits(chance, 4)}", f"+84 91 {digits(chance, 3)} {digits(chance, 4)}")
    )  # fmt: skip


def australian(chance: Random) -> str:
    return chance.choice(
        (
            f"+61 2 {digits(chance, 4)} {digits(chance, 4)}",
            f"+61 4{digits(chance, 2)} {digits(chance, 3)} {digits(chance, 3)}",
        )
    )


def singaporean(chance: Random) -> str:
    return chance.choice((f"+65 {chance.choice('689')}{digits(chance, 3)} {digits(chance, 4)}", f"+659{digits(chance, 7)}"))


# ── money ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_luhn(payload: str) -> str:
    """`payload` and its check digit (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(payload)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return payload + str(-total % 10)


def card(chance: Random) -> str:
    """16 digits: Visa 4, Mastercard 51 to 55 and 2221 to 2720, Discover 6011, JCB 3528 to 3589, UnionPay 62, Korean 94."""
    head = chance.choice(
        ("4", str(chance.randrange(51, 56)), str(chance.randrange(2221, 2721)), "6011", str(chance.randrange(3528, 3590)), "62",
         "94")
    )  # fmt: skip
    return with_luhn(head + digits(chance, 15 - len(head)))


def american_express(chance: Random) -> str:
    """15 digits that begin with 34 or 37."""
    return with_luhn(chance.choice(("34", "37")) + digits(chance, 12))


def grouped(number: str, sizes: Sequence[int], sign: str) -> str:
    groups, start = [], 0
    for size in sizes:
        groups.append(number[start : start + size])
        start += size
    return sign.join(groups)


def iban(chance: Random) -> str:
    """ISO 13616: country, check digits so that the number with its head behind is 1 modulo 97, and a national account number."""
    country, body = chance.choice(
        (("DE", digits(chance, 18)), ("FR", digits(chance, 10) + letters(chance, 11, UPPER) + digits(chance, 2)),
         ("GB", letters(chance, 4, UPPER) + digits(chance, 14)), ("NL", letters(chance, 4, UPPER) + digits(chance, 10)),
         ("ES", digits(chance, 20)), ("CH", digits(chance, 5) + letters(chance, 12, UPPER)), ("BE", digits(chance, 12)),
         ("PL", digits(chance, 24)))
    )  # fmt: skip
    value = int("".join(str(int(letter, 36)) for letter in f"{body}{country}00"))
    return f"{country}{98 - value % 97:02d}{body}"


def bank_account(chance: Random) -> tuple[str, str]:
    """A Korean bank and an account number in the groups that the bank prints."""
    bank, sizes = chance.choice(
        (("국민은행", (6, 2, 6)), ("신한은행", (3, 3, 6)), ("우리은행", (4, 3, 6)), ("하나은행", (3, 6, 5)), ("농협", (3, 4, 4, 2)),
         ("기업은행", (3, 6, 2, 3)), ("카카오뱅크", (4, 2, 7)), ("토스뱅크", (4, 4, 4)), ("우체국", (6, 2, 6)),
         ("SC제일은행", (3, 2, 6)), ("케이뱅크", (3, 3, 6)), ("새마을금고", (4, 4, 4, 1)))
    )  # fmt: skip
    return bank, "-".join(digits(chance, size) for size in sizes)


def routing_number(chance: Random) -> str:
    """ABA: nine digits, 3·d1 + 7·d2 + d3 + … divisible by ten."""
    body = "0" + digits(chance, 7)
    total = sum(int(digit) * weight for digit, weight in zip(body, (3, 7, 1, 3, 7, 1, 3, 7), strict=True))
    return body + str(-total % 10)


# ── identity ────────────────────────────────────────────────────────────────────────────────────────────────────────


def resident(chance: Random, foreigner: bool = False, new: bool = False) -> tuple[str, str]:
    """Birth date as YYMMDD; sex and century (1 and 2 for the 1900s, 3 and 4 for the 2000s; 5 to 8 for foreigners), and six digits.

    Until October 2020 the last of them was a check digit (weights 2 to 9, 2 to 5); since then they are drawn by chance.
    """
    young = chance.random() < 0.3
    year = chance.randrange(0, 26) if young else chance.randrange(35, 100)
    birth = f"{year:02d}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    sex = chance.choice(("78" if young else "56") if foreigner else ("34" if young else "12"))
    rest = sex + digits(chance, 5)
    weighted = sum(
        int(digit) * weight for digit, weight in zip(birth + rest, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)
    )
    check = (13 if foreigner else 11) - weighted % 11
    return birth, rest + (digits(chance, 1) if new else str(check % 10))


def business_number(chance: Random) -> tuple[str, str, str]:
    """Tax office, kind, serial and a check digit: weights 1 3 7 1 3 7 1 3 5, for the ninth also the tens of its product."""
    body = f"{chance.randrange(101, 880)}{chance.randrange(1, 90):02d}{digits(chance, 4)}"
    total = sum(int(digit) * weight for digit, weight in zip(body, (1, 3, 7, 1, 3, 7, 1, 3, 5), strict=True))
    total += int(body[8]) * 5 // 10
    return body[:3], body[3:5], body[5:] + str((10 - total % 10) % 10)


def driving_licence(chance: Random) -> tuple[str, str, str, str]:
    """Region of issue (11 Seoul to 28 northern Gyeonggi), year, six digits, two more."""
    region = chance.choice([*range(11, 27), 28])
    return str(region), f"{chance.randrange(100):02d}", digits(chance, 6), digits(chance, 2)


def passport(chance: Random) -> str:
    """Korean passports: M, S, R, O or D and eight digits; since 2021 M and seven places of which the fourth is a letter."""
    if chance.random() < 0.5:
        return chance.choice("MSROD") + digits(chance, 8)
    return "M" + digits(chance, 3) + chance.choice(UPPER) + digits(chance, 4)


def social_security(chance: Random) -> tuple[str, str, str]:
    """Area 001 to 899 but 666, group 01 to 99, serial 0001 to 9999."""
    area = chance.choice([number for number in range(1, 900) if number != 666])
    return f"{area:03d}", f"{chance.randrange(1, 100):02d}", f"{chance.randrange(1, 10000):04d}"


# ── networks and secrets ────────────────────────────────────────────────────────────────────────────────────────────


def ip4(chance: Random) -> str:
    """RFC 791: a host outside the reserved blocks."""
    while True:
        parts = [chance.randrange(1, 224), chance.randrange(256), chance.randrange(256), chance.randrange(2, 254)]
        if parts[0] not in (10, 127) and parts[:2] != [192, 168]:
            return ".".join(map(str, parts))


def ip6(chance: Random) -> str:
    """RFC 4291, global unicast 2000::/3, written out or with zeros left out."""
    groups = [f"{chance.randrange(0x2000, 0x4000):x}", *(f"{chance.randrange(65536):x}" for _ in range(7))]
    return ":".join(groups) if chance.random() < 0.5 else ":".join(groups[:3]) + "::" + ":".join(groups[6:])


def github_token(chance: Random) -> str:
    return chance.choice(("ghp_", "gho_", "ghs_")) + letters(chance, 36)


def amazon_key(chance: Random) -> str:
    return "AKIA" + letters(chance, 16, UPPER + "234567")


def openai_key(chance: Random) -> str:
    return chance.choice(("sk-", "sk-proj-")) + letters(chance, 48)


def google_key(chance: Random) -> str:
    return "AIza" + letters(chance, 35, ALPHANUMERIC + "-_")


def stripe_key(chance: Random) -> str:
    return chance.choice(("sk_live_", "rk_live_", "sk_test_")) + letters(chance, 24)


def slack_token(chance: Random) -> str:
    return f"xoxb-{digits(chance, 12)}-{digits(chance, 12)}-{letters(chance, 24)}"


def web_token(chance: Random) -> str:
    """RFC 7519: three base64url parts, the first two of them JSON."""
    head = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = _base64url(
        json.dumps({"sub": digits(chance, 10), "iat": chance.randrange(1_600_000_000, 1_800_000_000)}).encode()
    )
    return f"{head}.{body}.{letters(chance, 43, ALPHANUMERIC + '-_')}"


def private_key(chance: Random) -> str:
    """RFC 7468: base64 between two lines that name the label."""
    label = chance.choice(("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"))
    lines = "\n".join(letters(chance, 64, ALPHANUMERIC + "+/") for _ in range(4))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"


def random_key(chance: Random) -> str:
    return chance.choice(
        (letters(chance, 32), letters(chance, 40, "0123456789abcdef"), letters(chance, 44, ALPHANUMERIC + "+/"))
    )


def password(chance: Random) -> str:
    """At least one letter, digit and sign, eight to twelve long."""
    word = chance.choice(["sunny", "tiger", "Summer", "dragon", "Haru", "kimchi", "Seoul", "monkey"])
    return f"{word}{digits(chance, chance.randrange(2, 5))}{chance.choice('!@#$*')}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
