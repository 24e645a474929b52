"""Take personal data out of a text before it is stored. Pure, total over any string, idempotent.

What is found becomes a tag such as 〔手机号〕. The text is cleaned first (NFKC, no invisible characters), so offsets
do not map back. Numbers are judged as whole runs, separators included: seven digits or more go, unless every part is
a date, a time, a year, a hotline or an amount. When in doubt a number goes: the log can do without it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = re.compile("[\u0300-\u036f\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u20d0-\u20ff\u2800\ufe00-\ufe0f]")
_HAN = r"[\u3400-\u9fff]"
_REMEMBERED = 8_000


class _Readable(dict[int, str]):
    """A table for `str.translate`: invisible → nothing, control and blank → space, any decimal digit → ASCII.

    What was looked up is remembered, for as many characters as ordinary text has.
    """

    def __missing__(self, code: int) -> str:
        found = self._look_up(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = found
        return found

    def _look_up(self, char: str) -> str:
        code = ord(char)
        category = unicodedata.category(char)
        if category == "Cf" or 0xE0100 <= code <= 0xE01EF or _MARK.match(char):
            return ""
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            return " "
        if category == "Nd":
            return str(unicodedata.decimal(char))
        return "\ufffd" if category == "Cs" else char


_READABLE = _Readable()


def _clean(text: str) -> str:
    while True:  # dropping a character can bring two others together; the third round finds nothing
        again = unicodedata.normalize("NFKC", text).translate(_READABLE)
        if again == text:
            return text
        text = again


# --- numbers -----------------------------------------------------------------------------------------------------

_HAN_DIGITS = "零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_TO_ASCII = str.maketrans(_HAN_DIGITS, "0001234567891123456789")
_SEPARATORS = " -‐‒–—―−_.·•・‧∙~/:,()*|"
_LEAST_DIGITS = 7
_DIGIT, _SEP = f"[0-9{_HAN_DIGITS}]", f"[{re.escape(_SEPARATORS)}]"
_RUN = re.compile(rf"\+?\(?\+?{_DIGIT}[0-9{_HAN_DIGITS}{re.escape(_SEPARATORS)}]*+(?:[Xx](?![A-Za-z0-9]))?")
_SEPS = re.compile(rf"{_SEP}++")
_LIST = re.compile(r"([ ,/:|]+)")
_MOBILE = re.compile(r"(?:(?:00)?86|0)?1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(?:(?:00)?86)?0[1-9][0-9]{8,10}|(?:00)?86[1-9][0-9]{8,10}|[48]00[0-9]{7}")
_YEAR, _MONTH, _DAY = "(?:19|20)[0-9]{2}", "(?:1[0-2]|0?[1-9])", "(?:3[01]|[12][0-9]|0?[1-9])"
_BIRTH = re.compile(f"[1-9][0-9]{{5}}{_YEAR}(?:1[0-2]|0[1-9])(?:3[01]|[12][0-9]|0[1-9])")
_HARMLESS = re.compile(
    rf"""(?: {_YEAR}[-./]{_MONTH}(?:[-./]{_DAY})?          # a date or a month
    | (?:2[0-4]|[01]?[0-9]):[0-5][0-9](?::[0-5][0-9])?     # a time
    | [1-9](?:,[0-9]{{3}}){{3}} | [1-9][0-9]{{0,2}}(?:,[0-9]{{3}}){{1,2}}(?:\.[0-9]{{1,2}})?
    | {_YEAR} | 11[0-9] | 12[0-2] | 12[0-9]{{3}} | 9[56][0-9]{{3}} | 100[0-9]{{2}}      # a year, a hotline
    | (?P<short>[1-9][0-9]{{0,2}}) )(?![0-9]) | [{_HAN_DIGITS}]{{1,3}}(?![{_HAN_DIGITS}])""",
    re.VERBOSE,
)
_YEARS = re.compile(rf"{_YEAR}{_SEP}{_YEAR}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,6}00(?:[-~–—][1-9][0-9]{0,6}00)?")
_UNIT = re.compile(r" ?[元万亿块人户家亩吨件]")


def _count(run: str) -> int:
    return sum("0" <= char <= "9" or char in _HAN_DIGITS for char in run)


def _harmless(core: str) -> bool:
    """Whether a run is nothing but dates, times, years, thousands and hotlines (and at most one short number)."""
    if not re.search("[0-9]", core):
        return bool(_YEARS.fullmatch(core.translate(_TO_ASCII)))
    at, short = 0, 0
    while at < len(core):
        token = _HARMLESS.match(core, at)
        if token is None:
            return False
        short += token["short"] is not None
        gap = _SEPS.match(core, token.end())
        at = gap.end() if gap else token.end()
    return short <= 1


def _kind(core: str) -> str | None:
    """The tag for a run that is one number as a whole; None for a number of no known kind."""
    digits = _SEPS.sub("", core.translate(_TO_ASCII)).removeprefix("+")
    if _MOBILE.fullmatch(digits):
        return "〔手机号〕"
    if digits[-1:] in {"X", "x"}:
        return "〔身份证〕" if len(digits) == 18 else None
    if len(digits) == 15 or (len(digits) == 18 and (_BIRTH.match(digits) or not digits.startswith("62"))):
        return "〔身份证〕"
    if 16 <= len(digits) <= 19:
        return "〔银行卡〕"
    return "〔座机〕" if _LANDLINE.fullmatch(digits) else None


def _listed(core: str) -> str | None:
    """Several numbers in a row, each known by itself: each gets its own tag. None when one of them is not known."""
    parts, found = _LIST.split(core), False
    for index in range(0, len(parts), 2):
        tag = _kind(parts[index])
        if tag is None and not (re.search("[0-9]", parts[index]) and _harmless(parts[index])):
            return None
        found, parts[index] = found or tag is not None, tag or parts[index]
    return "".join(parts) if found else None


def _apart(core: str) -> str | None:
    """A number between Chinese numerals that belong to the sentence: 一〔手机号〕. None when there are none."""
    inner = core.strip(_HAN_DIGITS + _SEPARATORS)
    left = core.index(inner)
    outer = core[:left], core[left + len(inner) :]
    if not inner or inner == core or sum(char in _HAN_DIGITS for char in "".join(outer)) > 3:
        return None
    return outer[0] + _replace(inner, "") + outer[1]


def _replace(core: str, after: str) -> str:
    if _count(core) < _LEAST_DIGITS:
        return core
    kind = _kind(core)
    if kind == "〔手机号〕" and ":" not in core:
        return kind
    if _harmless(core) or (_AMOUNT.fullmatch(core) and _UNIT.match(after)):
        return core
    return _listed(core) or kind or _apart(core) or "〔号码〕"


def _number(match: re.Match[str]) -> str:
    text, tail = match.group(), ""
    if text[-1] in "Xx" and 17 not in {_count(text), _count(_LIST.split(text)[-1])}:
        text, tail = text[:-1], text[-1]
    core = text.rstrip(_SEPARATORS)
    tail = text[len(core) :] + tail
    lead = "(" if core.startswith(("(", "+(")) and ")" not in core else ""
    core = core.removeprefix("+").removeprefix("(")
    result = _replace(core, tail + match.string[match.end() : match.end() + 2])
    return match.group() if result == core else lead + result + tail


# --- identifiers with letters ------------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]++ ?(?:@|\(at\)|\[at\]|艾特) ?[A-Za-z0-9-]++(?: ?[.点] ?[A-Za-z0-9-]++)++"
)
_CHAT = re.compile(
    r"(?P<key>(?:[微薇威]|(?<![A-Z])V) ?信|(?<![A-Z])(?:WECHAT|QQ|V)|扣扣|(?P<sure>(?<![A-Z])[WV]X|加我))"
    r"(?P<link> ?群?(?:同号|号码|号)?[ :=是为叫]{0,3})"
    r"(?P<id>[A-Z_][A-Z0-9_-]{5,29}(?![A-Z0-9_-])|[0-9]{5,12}(?![ .·_-]?[0-9]))",
    re.IGNORECASE,
)
_S = "[ ·•・._-]?"
_PLATE = re.compile(
    rf"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]{_S}[A-Za-z]{_S}"
    rf"(?P<tail>[A-Za-z]{_S}[A-Za-z0-9]{_S}[0-9]{{4}}|[0-9]{{5}}{_S}[A-Za-z]|"
    rf"[A-Za-z0-9]{_S}[A-Za-z0-9]{{3}}[A-Za-z0-9挂学警港澳领使])(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(
    r"(?<![A-Za-z])[CDEGHKMPSW][A-Z]?(?: ?-? ?[0-9]{7,9}|[0-9]{3,4} [0-9]{4,5})(?![ .·_-]?[0-9])",
    re.IGNORECASE | re.ASCII,
)


def _chat(match: re.Match[str]) -> str:
    name, link = match["id"], match["link"]
    if name.isdigit():
        keep = bool(_MOBILE.fullmatch(name)) or (len(name) < 6 and (_harmless(name) or match["key"].upper() != "QQ"))
    else:
        keep = not (match["sure"] or link.strip(" 群") or re.search("[0-9_]", name))
    return match.group() if keep else f"{match['key']}{link}〔微信号〕"


def _plate(match: re.Match[str]) -> str:
    return "〔车牌〕" if sum(char.isdigit() for char in match["tail"]) >= 2 else match.group()


# --- addresses ---------------------------------------------------------------------------------------------------

_NAME = rf"(?:(?![在住到去是从于问的了我你他她您请想把和跟与及或给离往找]){_HAN}){{1,12}}"
_NO = "(?:[0-9]{1,5}|[零〇一二三四五六七八九十百]{1,6})"
_ROOM = (
    rf"(?: ?-? ?{_NO}(?:-{_NO})? ?(?:号楼|单元|[号幢栋座室房层楼弄户])|"
    r" ?-? ?[0-9]{3,4}(?:-[0-9]{1,4})?(?![0-9年月日元天个项人件:.%]))"
)
_ADDRESS = re.compile(
    rf"(?:{_NAME}(?:大道|大街|[路街巷弄村]|胡同|小区|花园|公寓|家园|大厦|广场|社区)[东南西北中]?段? ?"
    rf"(?:{_NO} ?[组队社] ?)?{_NO}(?:[-之]{_NO})? ?(?:支弄|[号弄幢栋](?!线|文|令)|(?<=[0-9])[座室])"
    rf"|{_NAME}(?:小区|花园|公寓|家园|新村|[苑府庭湾城坊邸墅院村]) ?"
    rf"(?:{_NO} ?(?:号楼|单元|[幢栋])|[0-9]{{1,3}}-[0-9]{{1,3}}(?:-[0-9]{{2,4}})?(?![0-9年月日元]))"
    rf"|[0-9]{{1,4}} ?(?:号楼|[幢栋弄]){_ROOM}){_ROOM}{{0,5}}"
)

# --- names -------------------------------------------------------------------------------------------------------

_DOUBLE = "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|轩辕|端木|南宫|独孤|长孙|宇文|鲜于|闻人"
_SURNAME = (
    "王李张刘陈杨黄赵吴周徐孙胡朱林何郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈吕苏卢蒋蔡贾丁魏薛叶阎潘杜戴夏钟汪"
    "姜范姚谭廖邹熊陆郝孔崔康邱秦史侯邵孟龙段漕钱汤尹黎贺赖龚庞樊兰殷施陶洪翟倪庄柯聂俞翁章鲁葛柳岳梅骆邢滕"
    "裘鲍虞竺应童娄励屠茅忻闫付肖覃焦齐伍涂毕欧纪涂申凌霍甄"
)
_DOUBTFUL = "高马于余彭曾田任方石雷金江安常武乔万严文易白毛邓尚温季左单管时成宁关牛祝包计辛曲向鞠顾郎连包水盛楼"
"""Surnames that often begin another word: they count only when a whole name stands by itself."""

_FIRST, _SECOND = "的了吗呢吧是在我你您他她想请问要不就也和跟们", "住来有去到从把没这那电手身号性今现说家地年联证"
_PLAIN = rf"(?![我俺本]){_HAN}"
_GIVEN = rf"(?:(?![{_FIRST}]){_HAN}(?:(?![{_FIRST}{_SECOND}]){_HAN})?|(?:{_PLAIN}){{1,2}}(?!{_HAN}))"
_SURE_NAME, _MAYBE_NAME = rf"(?:{_DOUBLE}|[{_SURNAME}]){_GIVEN}", rf"[{_DOUBTFUL}]{_GIVEN}"
_ALONE = rf"(?:(?=先生|女士|同志|[想要请我住家])|(?!{_HAN}))"
_NOT_NAMES = (
    "林业|林场|林农|金融|程序|黄牛|黄岩|江[北东西苏]|徐州|苏[州北南]|郑州|唐山|唐氏|姜山|孔浦|段塘|庄桥|洪[塘水]|邱隘|潘火|钟点|钟公"
    "|康复|周边|周末|周[一二三四五六日]|何[时况种必]|许[多可]|谢谢|胡乱|应[该当届聘用]|童[装年鞋]|水[产电]|付[费款]|申[请报办领]|凌晨"
    "|陆续|兰州|范围|陶瓷|史上|梅山|骆驼|楼[上下主宇]|夏天|秦皇|龙[头泉港游]|鲁[班迅]|连续|计[划算]|贺州|柳州|叶[子酸]|齐[全齐]|殷切"
    "|侯鸟|朱砂|杜绝|施工|董事|程度|毕[业竟]|欧[洲盟美]|纪[检委念律]|章程|岳[父母]|伍万|杨梅|柯桥|沈阳|庞大|吴江|丁克|罗马|常[年住常]"
    "|曾经|曾在|于[去今前昨本近上每]|任[何职教意]|时[常刻]|向[来往]|万分|严重|单[身亲位独]|宁[波海]|余[姚下]|安[徽全]|成都|武汉|温州"
    "|高[一二三中校级层新]|白领|马上|方[便案]|易[怒燃]|文[员化科]|石浦|金华|左[手边]|右|关[于系]|管理|包[工车]"
)
_CALLED = re.compile(
    rf"(?P<key>(?:[我俺]|本人)的?(?:名字)?就?名?叫做? ?)(?:{_SURE_NAME}|{_MAYBE_NAME}|"
    rf"(?![不什啥了过车外你他她它个人的来一快救网滴代出谁哪怎做作])(?:{_PLAIN}){{2,3}}(?!{_HAN}))"
)
_FORM = re.compile(
    rf"(?P<key>(?:姓名|联系人|申请人|户主|我的名字)(?: ?[是为叫:][: ]*| ))(?:{_SURE_NAME}|{_MAYBE_NAME}{_ALONE}|"
    rf"(?:(?<=:)|(?<=: ))(?!什么|啥|谁|哪|怎|多少)(?:{_PLAIN}){{2,4}}(?!{_HAN}))"
)
_CLAIM = re.compile(
    rf"(?P<key>(?:[我俺]是|本人(?:姓名)?:?) ?)(?!{_NOT_NAMES})"
    rf"(?:{_SURE_NAME}|{_MAYBE_NAME}(?<![人员生师户主民者工商族后兵]){_ALONE})"
)


# --- all together ------------------------------------------------------------------------------------------------

_AT, _LETTER = re.compile("@|at|艾特"), re.compile("[A-Za-z]")
_CHAT_KEY = re.compile("信|[QVWqvw]|扣扣|加我")
_ANY_DIGIT = re.compile(_DIGIT)
_BUILDING = re.compile("[号弄幢栋座室元]|[0-9]-[0-9]")


def _has_number(text: str) -> bool:
    return len(_ANY_DIGIT.findall(text)) >= _LEAST_DIGITS


_PASSES: tuple[tuple[Callable[[str], object], re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_AT.search, _EMAIL, "〔邮箱〕"),
    (_CHAT_KEY.search, _CHAT, _chat),
    (_LETTER.search, _PLATE, _plate),
    (_LETTER.search, _PASSPORT, "〔护照〕"),
    (_has_number, _RUN, _number),
    (_BUILDING.search, _ADDRESS, "〔地址〕"),
    (re.compile("叫").search, _CALLED, r"\g<key>〔姓名〕"),
    (re.compile("姓名|联系人|申请人|户主|名字").search, _FORM, r"\g<key>〔姓名〕"),
    (re.compile("[我俺]是|本人").search, _CLAIM, r"\g<key>〔姓名〕"),
)
"""What a text must have for a pattern to change it, which is quickly seen; the pattern; what stands there then."""


def _pass(text: str) -> str:
    for possible, pattern, tag in _PASSES:
        if possible(text):
            text = pattern.sub(tag, text)
    return text


def redact(text: str) -> str:
    """Return a clean copy of `text` with personal data replaced by tags; every string is accepted."""
    text = _clean(text)
    while (again := _pass(text)) != text:  # ends: every round leaves fewer characters outside the tags
        text = again
    return text
