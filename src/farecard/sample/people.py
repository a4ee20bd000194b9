"""Invented holders: common names put together by number; nobody's."""

FAMILY = (("青木", "アオキ"), ("石原", "イシハラ"), ("上野", "ウエノ"), ("大島", "オオシマ"), ("川口", "カワグチ"),
          ("木下", "キノシタ"), ("久保", "クボ"), ("小西", "コニシ"), ("沢田", "サワダ"), ("白川", "シラカワ"))  # fmt: skip
GIVEN = (("葵", "アオイ"), ("樹", "イツキ"), ("海斗", "カイト"), ("桜", "サクラ"), ("翔太", "ショウタ"),
         ("奈々", "ナナ"), ("陽菜", "ヒナ"), ("真央", "マオ"), ("悠真", "ユウマ"), ("凛", "リン"))  # fmt: skip


def holder(number: int, *, child: bool = False) -> str:
    """A holder as JSON; another number is another person."""
    family, family_kana = FAMILY[number % 10]
    given, given_kana = GIVEN[number // 10 % 10]
    year = 2013 + number % 3 if child else 1950 + number // 7 % 50
    born = f"{year}-{1 + number % 12:02d}-{1 + number // 12 % 28:02d}"
    # the number makes the kana the person's own, so that nobody meets a namesake by chance
    kana = f"{family_kana} {given_kana} {number}"
    return (
        f'{{"name":"{family} {given}","kana":"{kana}","born":"{born}","phone":"000-{number:08d}"}}'
    )
