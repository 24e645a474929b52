"""The shape of every knowledge file, once: validation, defaults and the editors' JSON Schema come from here."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from bot.knowledge.vocabulary import About, Asked, Detail  # noqa: TC001 - pydantic reads them
from bot.text.expand import TemplateError, expand

_DATE = re.compile("([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DAY = re.compile("(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR = 1949
_YES_NO = {"true": True, "yes": True, "是": True, "false": False, "no": False, "否": False}


def _date(value: str) -> str:
    found = _DATE.fullmatch(value)
    if not found:
        raise ValueError("日期要写成“2022”“2022-09”或“2022-09-21”")
    year, month, day = found.groups()
    latest = dt.datetime.now(dt.UTC).year + 1
    if not _FIRST_YEAR <= int(year) <= latest:
        raise ValueError(f"年份“{year}”不在 {_FIRST_YEAR} 到 {latest} 之间，请核对")
    try:
        dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise ValueError(f"没有“{value}”这一天，请核对月份和日子") from None
    return value


def _day(value: str) -> str:
    if not _DAY.fullmatch(value):
        raise ValueError("要写成一天，如“2026-12-31”")
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"没有“{value}”这一天，请核对月份和日子") from None
    return value


def _yes_no(value: object) -> object:
    if isinstance(value, str):
        if value.lower() not in _YES_NO:
            raise ValueError("这里只能写 true 或 false")
        return _YES_NO[value.lower()]
    return value


def _template(value: str) -> str:
    try:
        expand(value)
    except TemplateError as error:
        raise ValueError(f"{error}（第 {error.column + 1} 个字）") from None
    return value


def _word(value: str) -> str:
    for mark in "，、；;,":
        if mark in value:
            raise ValueError(f"一个词里不能有“{mark}”；要写几个词，请用半角逗号加空格“, ”分开")
    return value


Text = Annotated[str, Field(min_length=1, max_length=400)]
Short = Annotated[str, Field(min_length=1, max_length=60)]
Word = Annotated[
    Short,
    AfterValidator(_word),
    WithJsonSchema({"type": ["string", "number"], "minLength": 1, "maxLength": 60}),
]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Date = Annotated[str, AfterValidator(_date), WithJsonSchema({"type": ["string", "integer"]})]
"""An editor reads `2022` as a number; here every scalar is text."""
Day = Annotated[str, AfterValidator(_day)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
Template = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_template)]
Disabled = Annotated[YesNo, Field(description="写 true 就暂不回答，问到时请市民拨打 12345")]
Redirect = Annotated[Identifier | None, Field(description="改由哪一条回答，写那一条的 id")]
ValidFrom = Annotated[Day | None, Field(description="从哪一天起回答，如 2026-01-01")]
ValidUntil = Annotated[Day | None, Field(description="回答到哪一天为止（含这一天），如 2026-12-31")]
ReviewBy = Annotated[Day | None, Field(description="最晚哪一天要再核对一遍，如 2026-12-31")]


class Part(BaseModel):
    """Base of every mapping in the knowledge: immutable, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Fact(Part):
    """One statement with its own period and source."""

    text: Text = Field(description="一句话，用自己的话写；数字照来源写")
    about: tuple[About, ...] = Field(min_length=1, description="这句话回答什么：费用、时限、部门……最要紧的放前面")
    as_of: Date = Field(description="机器用的日期：2022、2022-09 或 2022-09-21")
    period: Short = Field(description="给市民看的期间，如“截至 2018 年底”")
    inferred: YesNo = Field(default=False, description="日期是推断的就写 true")
    source: Identifier = Field(description="来源的 id，见 sources.yaml")


class Rules(Part):
    """Keyword rules: `any` lifts, `all` must be there, `none` must not."""

    any: tuple[Word, ...] = Field(default=(), description="出现就加分的特征词")
    all: tuple[Word, ...] = Field(default=(), description="缺了就绝不是本条的词，一般留空")
    none: tuple[Word, ...] = Field(default=(), description="出现就绝不是本条的词")


class Entry(Part):
    """One reform, practice, service or place."""

    id: Identifier = Field(description="编号：小写字母、数字和减号，写好后不再改")
    name: Short = Field(description="正式名称")
    aliases: tuple[Word, ...] = Field(default=(), description="别名和简称")
    region: Short = Field(description="地区全称，见 regions.yaml")
    department: Short | None = Field(default=None, description="只有来源写了才填")
    theme: Short = Field(description="主题，见 themes.yaml")
    audience: tuple[Short, ...] = Field(min_length=1, description="给谁用，见 audiences.yaml")
    detail: Detail = Field(
        default="described", description="来源写了多少：described 有内容；name-only 只有名称；caption-only 只有图片说明"
    )
    summary: Text = Field(description="一两句大白话")
    facts: tuple[Fact, ...] = Field(min_length=1, description="事实，每条有期间和来源")
    ask: tuple[Template, ...] = Field(min_length=5, description="市民会怎么问；( | ) 任选其一，[ ] 可有可无")
    english: tuple[Annotated[str, Field(min_length=1, max_length=120)], ...] = Field(
        default=(), description="英文名称和英文说法"
    )
    match: Rules = Field(default=Rules(), description="关键词规则")
    caution: Annotated[str, Field(min_length=1, max_length=120)] | None = Field(
        default=None, description="要提醒市民的一句话"
    )
    related: tuple[Identifier, ...] = Field(default=(), max_length=6, description="相关条目的 id")
    tests: tuple[Text, ...] = Field(min_length=1, description="必须找到本条的问题，不能和 ask 相同")
    rejects: tuple[Text, ...] = Field(default=(), description="绝不能答成本条的问题")
    disabled: Disabled = False
    redirect: Redirect = None
    valid_from: ValidFrom = None
    valid_until: ValidUntil = None
    review_by: ReviewBy = None


class Faq(Part):
    """A curated question and answer, standing alone or under an entry."""

    id: Identifier = Field(description="编号：小写字母、数字和减号，写好后不再改")
    question: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="问题")
    questions: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(), description="别的问法"
    )
    answer: Annotated[str, Field(min_length=1, max_length=2000)] = Field(description="回答")
    entry: Identifier | None = Field(default=None, description="属于哪个条目，没有就不写")
    region: Short | None = Field(default=None, description="地区全称，全市的不写")
    period: Short | None = Field(default=None, description="回答说的是什么时候的事")
    source: Identifier | None = Field(default=None, description="来源的 id，见 sources.yaml")
    tests: tuple[Text, ...] = Field(default=(), description="必须找到本条的问题")
    rejects: tuple[Text, ...] = Field(default=(), description="绝不能答成本条的问题")
    disabled: Disabled = False
    redirect: Redirect = None
    valid_from: ValidFrom = None
    valid_until: ValidUntil = None
    review_by: ReviewBy = None


class SourceItem(Part):
    """A cited newspaper page."""

    id: Identifier = Field(description="编号，事实里的 source 写它")
    file: Short = Field(description="原文文件名，核对时用")
    title: Text | None = Field(default=None, description="标题，照原样")
    description: Text | None = Field(default=None, description="版面没有标题时写一句说明")
    subtitle: Text | None = Field(default=None, description="副题")
    authors: Text = Field(description="作者、通讯员")
    date: Date = Field(description="机器用的日期：2022、2022-09 或 2022-09-21")
    date_text: Short = Field(description="给市民看的日期；推断的写明“（推断）”")
    inferred: YesNo = Field(default=False, description="日期是推断的就写 true")
    evidence: Text = Field(description="日期是怎么推断的")
    url: Annotated[str, Field(pattern=r"^https://")] | None = Field(default=None, description="网址，以 https:// 开头")

    @model_validator(mode="after")
    def _named(self) -> SourceItem:
        if not self.title and not self.description:
            raise ValueError("来源要有 title；版面没有标题时写一句 description")
        return self


class RegionItem(Part):
    """The city, a district or a county."""

    id: Identifier
    name: Short
    short: tuple[Word, ...] = ()
    aliases: tuple[Word, ...] = ()
    pinyin: Short
    english: tuple[Short, ...] = ()
    parent: Identifier | None = None
    places: tuple[Word, ...] = Field(default=(), description="来源写明属于这里的镇、街道、村")


class ThemeItem(Part):
    """A theme to browse by."""

    id: Identifier
    name: Short
    words: tuple[Word, ...] = Field(min_length=1)
    english: tuple[Short, ...] = ()


class AudienceItem(Part):
    """A group of people, and how they call themselves."""

    name: Short
    words: tuple[Word, ...] = Field(min_length=1)


class FacetItem(Part):
    """Something a question can ask for."""

    name: Asked
    words: tuple[Short, ...] = Field(min_length=1)
    unknown: Text = Field(description="来源没写时说的话")


class OutsideItem(Part):
    """A topic that people ask a city about and that the material does not cover."""

    name: Short
    words: tuple[Word, ...] = Field(min_length=1)
    refuse: YesNo = Field(default=False, description="提到就不答，不管像哪一条")
    hint: Text | None = None


class ElsewhereItem(Part):
    """A place outside the city."""

    name: Word
    words: tuple[Word, ...] = ()
    also_here: YesNo = Field(default=False, description="本地条目里也会提到的地方")


class TalkItem(Part):
    """Small talk."""

    id: Identifier
    ask: tuple[Template, ...] = Field(min_length=1)
    answers: tuple[Text, ...] = Field(min_length=1)


class GoldenItem(Part):
    """Questions that must go on reaching an entry, kept apart from it."""

    id: Identifier
    questions: tuple[Text, ...] = Field(min_length=1)


class EntryFile(RootModel[tuple[Entry, ...]]):
    """A file of entries."""


class FaqFile(RootModel[tuple[Faq, ...]]):
    """A file of questions and answers."""


REGISTRIES: dict[str, Any] = {
    "sources.yaml": RootModel[tuple[SourceItem, ...]],
    "regions.yaml": RootModel[tuple[RegionItem, ...]],
    "themes.yaml": RootModel[tuple[ThemeItem, ...]],
    "audiences.yaml": RootModel[tuple[AudienceItem, ...]],
    "facets.yaml": RootModel[tuple[FacetItem, ...]],
    "synonyms.yaml": RootModel[tuple[Annotated[tuple[Word, ...], Field(min_length=2)], ...]],
    "outside.yaml": RootModel[tuple[OutsideItem, ...]],
    "elsewhere.yaml": RootModel[tuple[ElsewhereItem, ...]],
    "smalltalk.yaml": RootModel[tuple[TalkItem, ...]],
    "texts.yaml": RootModel[dict[str, Text]],
    "golden.yaml": RootModel[tuple[GoldenItem, ...]],
}
"""File name → model. A file in `faq/` is a FaqFile, in any other subfolder an EntryFile."""

FAQ_FOLDER = "faq/"
