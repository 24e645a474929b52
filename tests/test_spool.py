"""Rows that wait on the disk: in order, bounded, and none lost to a crash or a full disk."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from bot.querylog.deliveries import NewDelivery
from bot.querylog.spool import Spool
from tests.test_recorder import arrival


def test_a_spool_outlives_the_process(tmp_path: Path) -> None:
    post = NewDelivery("t1", "anna", ({"text": "回复"},), 0)
    rows = [arrival(1), arrival(2, "m2", post), replace(arrival(3), also=("m4", "m5"))]
    first = Spool(tmp_path / "deep" / "er" / "log.spool")
    first.append(rows[:2])
    first.append(rows[2:])
    with (tmp_path / "deep" / "er" / "log.spool").open("ab") as torn:
        torn.write(b'{"row": {"asked')
    again = Spool(tmp_path / "deep" / "er" / "log.spool")
    assert again.first(9) == rows
    again.drop(1)
    assert again.first(1) == rows[1:2]
    again.drop(2)
    assert len(again) == 0
    assert not (tmp_path / "deep" / "er" / "log.spool").exists()


def test_a_spool_is_bounded_and_lives_in_memory_when_the_disk_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.spool", limit=3)
    spool.append([arrival(1)])
    (tmp_path / "log.spool").unlink()
    (tmp_path / "log.spool").mkdir()
    spool.append([arrival(2), arrival(3)])
    assert (len(spool), spool.unsafe) == (3, 2)
    assert spool.room == 0
    with pytest.raises(ValueError, match=r"^more rows than there is room for$"):
        spool.append([arrival(4)])


def test_the_file_has_a_line_a_row(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    for opened in (Spool(file), Spool(file)):
        for number in (1, 2):
            opened.append([arrival(number)])
    assert [bool(line) for line in file.read_bytes().split(b"\n")] == [True] * 4 + [False]


def test_what_cannot_be_read_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "log.spool"
    Spool(file).append([arrival(1)])
    file.write_bytes(file.read_bytes() + b"[]\n")
    assert len(Spool(file)) == 1
    assert [record.message for record in caplog.records] == ["a line of log.spool could not be read and is left out"]


def test_what_a_crash_cut_off_takes_no_other_row_with_it(tmp_path: Path) -> None:
    file, cut = tmp_path / "log.spool", b'{"row": {"asked'
    file.write_bytes(cut)
    for number in (1, 2):
        Spool(file).append([arrival(number)])
    assert Spool(file).first(9) == [arrival(1), arrival(2)]
    emptied = Spool(file)
    emptied.drop(2)
    emptied.append([arrival(3)])
    assert file.read_bytes().startswith(b'{"row"')


def test_a_message_is_held_until_its_row_is_stored(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.spool")
    rows = [replace(arrival(1, "m1"), also=("m2",)), arrival(2, "m1"), arrival(3)]
    spool.append(rows)
    assert spool.held("web", "m2") == rows[0]
    assert spool.held("wecom", "m2") is spool.held("web", None) is None
    spool.drop(2)
    assert spool.held("web", "m1") is spool.held("web", "m2") is None
    assert (len(spool), spool.room) == (1, 49_999)
    assert "问题".encode() in (tmp_path / "log.spool").read_bytes()
    assert (tmp_path / "log.spool").exists()


def test_what_was_only_in_memory_is_safe_once_it_is_stored(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.spool")
    (tmp_path / "log.spool").mkdir()
    spool.append([arrival(1)])
    spool.append([arrival(2)])
    (tmp_path / "log.spool").rmdir()
    assert spool.unsafe == 2
    spool.drop(1)
    assert spool.unsafe == 1
    spool.drop(1)
    assert spool.unsafe == 0
    spool.append([arrival(3)])
    assert spool.unsafe == 0


def test_the_file_of_the_spool_holds_no_more_than_the_log_would(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.spool")
    spool.append([arrival(1)])
    stored = json.loads((tmp_path / "log.spool").read_text(encoding="utf-8"))
    assert stored["row"]["text"] == "问题 1"
    assert stored.keys() == {"row", "also", "post"}


def test_half_a_row_is_taken_off_the_disk_again(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file)
    spool.append([arrival(1)])
    whole, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 20, limits[1]))
    try:
        spool.append([arrival(2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (spool.unsafe, file.read_bytes()) == (1, whole)
    spool.append([arrival(3)])
    assert Spool(file).first(9) == [arrival(1), arrival(3)]
