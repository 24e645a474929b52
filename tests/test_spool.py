"""Rows and notes that wait on the disk: in order, bounded, and none lost to a crash or a full disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.querylog.deliveries import NewDelivery, Note
from bot.querylog.spool import ROOM, Spool
from tests.test_recorder import arrival


def lines_of(file: Path) -> bytes:
    """What stands in the file before the room that is set aside."""
    return file.read_bytes().rstrip(b"\0")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can become any longer; what is there can be written over, as on a full disk."""
    write = os.pwrite

    def pwrite(descriptor: int, content: bytes, at: int) -> int:
        return write(descriptor, content[: max(0, os.fstat(descriptor).st_size - at)], at)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "pwrite", pwrite)
        yield


def test_a_spool_outlives_the_process(tmp_path: Path) -> None:
    post = NewDelivery("t1", "anna", ({"text": "回复"},), 0)
    rows = [arrival(1), arrival(2, "m2", post), replace(arrival(3), also=("m4", "m5"))]
    first = Spool(tmp_path / "deep" / "er" / "log.spool")
    first.append(rows[:2])
    first.append(rows[2:])
    file = tmp_path / "deep" / "er" / "log.spool"
    file.write_bytes(lines_of(file) + b'{"row": {"asked')
    again = Spool(file)
    assert again.first(9) == rows
    again.drop(1)
    assert again.first(1) == rows[1:2]
    again.drop(2)
    assert not again
    assert lines_of(file) == b""


def test_a_spool_is_bounded_and_lives_in_memory_when_the_disk_is_full(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log.spool", limit=3)
    spool.append([arrival(1)])
    (tmp_path / "log.spool").unlink()
    (tmp_path / "log.spool").mkdir()
    spool.append([arrival(2), arrival(3)])
    assert (len(spool), spool.unsafe) == (3, 2)
    assert spool.append([arrival(4)]) == [arrival(4)]
    assert spool.full


def test_the_file_has_a_line_a_row(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    for numbers in ((1, 2), (3, 4)):
        opened = Spool(file)
        for number in numbers:
            opened.append([arrival(number)])
    assert [bool(line) for line in lines_of(file).split(b"\n")] == [True] * 4 + [False]


def test_what_cannot_be_read_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "log.spool"
    Spool(file).append([arrival(1)])
    file.write_bytes(lines_of(file) + b"[]\n")
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
    assert (len(spool), spool.full) == (1, False)
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
    stored = json.loads(lines_of(tmp_path / "log.spool"))
    assert stored["row"]["text"] == "问题 1"
    assert stored.keys() == {"row", "also", "post"}


def test_a_disk_without_a_place_for_a_whole_row_gets_none_of_it(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file)
    spool.append([arrival(1)])
    whole = lines_of(file)
    with full_disk():
        spool.append([arrival(2)])
    assert (spool.unsafe, lines_of(file)) == (1, whole)
    spool.append([arrival(3)])
    assert Spool(file).first(9) == [arrival(1), arrival(3)]


def test_rows_find_room_on_a_full_disk_and_notes_when_that_is_used_up(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file)
    spool.make_room()
    with full_disk():
        number = 0
        while not spool.unsafe:
            number += 1
            spool.append([arrival(number)] * 100)
        notes = [Note(f"token-{at:010}", ("12345",), "done") for at in range(4000)]
        spool.append(notes)
    assert file.stat().st_size == ROOM
    again = Spool(file)
    assert len(again) == (number - 1) * 100 > 10_000
    assert again.first(99_999)[len(again) :] == notes
    again.drop(len(again) + len(notes))
    assert file.read_bytes() == bytes(ROOM)
    with full_disk():
        again.append([arrival(1)])
    assert (again.unsafe, Spool(file).first(9)) == (0, [arrival(1)])


def test_the_last_note_of_a_reply_counts_also_after_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file)
    spool.append([arrival(1, "m1", NewDelivery("t1", "anna", ({"text": "一"}, {"text": "二"})))])
    half, other = Note("t1", ("r1",), "waiting"), Note("t0", ("r0",), "failed", "blocked")
    whole = Note("t1", ("r1", "r2"), "done")
    spool.append([half, other])
    for opened in (spool, Spool(file)):
        assert [opened.noted(token) for token in ("t1", "t0", "t2")] == [half, other, None]
    spool.append([whole])
    again = Spool(file)
    assert (len(again), again.first(9)[1:]) == (1, [half, other, whole])
    again.drop(2)
    assert (len(again), again.noted("t1")) == (0, whole), "what came later is not in the log yet"
    again.drop(2)
    assert again.noted("t1") is None
    assert not again
    assert not Spool(file)


def test_notes_are_bounded_and_need_no_room_of_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file, limit=2)
    notes = [Note(f"t{number}", ("r",), "done") for number in range(3)]
    assert spool.append([*notes[:1], arrival(1), *notes[1:], arrival(2), arrival(3)]) == [notes[2], arrival(3)]
    assert [spool.noted(note.token) for note in notes] == [*notes[:2], None]
    with full_disk():
        spool.drop(1)
        assert spool.append(notes[2:]) == []
        assert Spool(file).noted("t2") == notes[2], "rows leave room behind them"
        assert caplog.messages == []
        other = Spool(tmp_path / "other.spool")
        other.append(notes)
    assert caplog.messages == ["notes of sent replies are only in memory: after a crash these would go out again"]
    assert other.noted("t2") == notes[2]
    assert not Spool(tmp_path / "other.spool")


def test_a_file_that_is_taken_away_and_one_that_cannot_be_cleared_break_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "log.spool"
    spool = Spool(file)
    spool.append([arrival(1)])
    file.unlink()
    spool.append([arrival(2)])
    assert Spool(file).first(9) == [arrival(2)]
    file.unlink()
    file.mkdir()
    spool.drop(2)
    assert not spool
    assert caplog.messages[0].startswith("the spool could not be cleared, and is read again at the next start: ")
