"""Made-up postal addresses of Korea and the United States, put together from real regions and common street names.

In: a source of chance. Out: one address, or a part of one, as a string.
"""

from __future__ import annotations

from random import Random

REGIONS = [
    "서울특별시 강남구",
    "서울시 마포구",
    "서울 송파구",
    "부산광역시 해운대구",
    "부산 수영구",
    "대구광역시 수성구",
    "인천광역시 연수구",
    "경기도 성남시 분당구",
    "경기도 수원시 팔달구",
    "경기 고양시 일산동구",
    "강원특별자치도 춘천시",
    "충청북도 청주시 흥덕구",
    "충남 천안시 서북구",
    "전북특별자치도 전주시 완산구",
    "전라남도 순천시",
    "경북 포항시 북구",
    "경상남도 창원시 의창구",
    "제주특별자치도 제주시",
    "대전 유성구",
    "광주광역시 광산구",
    "울산 남구",
]
ROADS = [
    "테헤란로",
    "강남대로",
    "백제고분로",
    "센텀중앙로",
    "동성로",
    "송도과학로",
    "판교역로",
    "정조로",
    "중앙로",
    "공지로",
    "가로수길",
    "불당대로",
    "한누리대로",
    "첨단길",
    "양화로",
]
VILLAGES = [
    "역삼동",
    "서교동",
    "잠실동",
    "우동",
    "범어동",
    "송도동",
    "삼평동",
    "행궁동",
    "장항동",
    "퇴계동",
    "복대동",
    "불당동",
    "효자동",
    "조례동",
    "양덕동",
    "봉곡동",
    "연동",
    "봉명동",
]
BUILDINGS = ["래미안아파트", "푸른마을아파트", "한빛오피스텔", "현대빌라", "롯데캐슬", "센트럴타워", "삼성래미안"]
STREETS = [
    "Main",
    "Oak",
    "Maple",
    "Washington",
    "Elm",
    "Sunset",
    "Lincoln",
    "Park",
    "Cedar",
    "Franklin",
    "Martin.Luther.King",
    "Mission",
    "Pine",
    "Lake.Shore",
]
STREET_TYPES = [
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Boulevard",
    "Blvd",
    "Drive",
    "Dr",
    "Lane",
    "Ln",
    "Court",
    "Ct",
    "Place",
    "Way",
]
CITIES = (
    ("Springfield", "IL", "62704"), ("San Francisco", "CA", "94105"), ("Austin", "TX", "78701"), ("New York", "NY", "10001"),
    ("Seattle", "WA", "98101"), ("Boston", "MA", "02108"), ("Denver", "CO", "80202"), ("Miami", "FL", "33101"),
)  # fmt: skip


def road_address(chance: Random) -> str:
    """Road Name Address Act: province, city or district, road, number (with a second one behind a hyphen for lanes)."""
    number = str(chance.randrange(1, 400)) + (f"-{chance.randrange(1, 40)}" if chance.random() < 0.25 else "")
    road = chance.choice(ROADS)
    if chance.random() < 0.3:
        road = f"{road.removesuffix('길')}{chance.randrange(1, 99)}번길" if road.endswith("로") else road
    return f"{chance.choice(REGIONS)} {road} {number}"


def flat(chance: Random) -> str:
    return chance.choice(
        (f"{chance.randrange(101, 130)}동 {chance.randrange(1, 25)}0{chance.randrange(1, 9)}호",
         f"{chance.randrange(1, 20)}층", f"{chance.randrange(2, 20)}0{chance.randrange(1, 9)}호")
    )  # fmt: skip


def lot_address(chance: Random) -> str:
    """The older form: province, city or district, village, lot."""
    lot = str(chance.randrange(1, 990)) + (f"-{chance.randrange(1, 60)}" if chance.random() < 0.7 else "")
    return f"{chance.choice(REGIONS)} {chance.choice(VILLAGES)} {lot}"


def street_address(chance: Random) -> str:
    """USPS Publication 28: number, street, suffix."""
    street = chance.choice(STREETS).replace(".", " ")
    return f"{chance.randrange(1, 9999)} {street} {chance.choice(STREET_TYPES)}"


def city_line(chance: Random) -> str:
    city, state, code = chance.choice(CITIES)
    return f"{city}, {state} {code}"
