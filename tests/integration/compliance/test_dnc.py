"""Loading lists, swapping them under readers, and everything that must be refused whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from compliance.dnc import AREA_BYTES, Lists, alarms, days_left
from compliance.dnc_load import KEPT, LoadOrder, load
from compliance.errors import ListBusy, ListDamaged, ListRefused
from compliance.internal import InternalBits

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def put(home, tmp_path):
    def of(numbers, name="national", day=date(2026, 11, 18), text=None, **changes):
        path = tmp_path / "list.txt"
        path.write_text(text if text is not None else "".join(f"{number}\n" for number in numbers))
        return load(home, LoadOrder(name, path, day, "tests", NOW, **changes))

    return of


def many(area, count, start=2_000_000):
    return [area * 10_000_000 + start + place for place in range(count)]


class TestLoading:
    def test_a_first_list(self, home, put):
        manifest = put([6145550199, 6145550199, 2125550100])
        assert (manifest.rows, manifest.lines, manifest.generation) == (2, 3, 1)
        assert {area: entry.rows for area, entry in manifest.areas.items()} == {"212": 1, "614": 1}
        lists = Lists(home)
        answer = lists.answer("national", "+16145550199")
        assert (answer.is_listed, answer.is_covered, answer.obtained_on) == (True, True, date(2026, 11, 18))
        assert answer.generation == "national/gen-000001"
        assert not lists.answer("national", "+16145550198").is_listed
        assert not lists.answer("national", "+18085550123").is_covered
        assert not lists.answer("national", "+442071838750").is_covered
        assert not lists.answer("none", "+16145550199").is_covered

    def test_a_swap_is_seen_by_whoever_asks_next(self, home, put):
        put([6145550199])
        lists = Lists(home)
        assert not lists.answer("national", "+16145550198").is_listed
        put([6145550199, 6145550198], accept="grew")
        answer = lists.answer("national", "+16145550198")
        assert (answer.is_listed, answer.generation) == (True, "national/gen-000002")

    def test_changes_add_and_take_away_and_bring_the_copy_to_their_day(self, home, put):
        put([6145550199, 6145550198, 2125550100], day=date(2026, 11, 1))
        manifest = put(
            [],
            text="614,5550199,2026-11-19,D\n614,5550123,2026-11-19,A\n",
            day=date(2026, 11, 19),
            is_change=True,
            accept="x",
        )
        assert manifest.kind == "changes"
        answers = [Lists(home).answer("national", f"+1614555{last}").is_listed for last in ("0199", "0198", "0123")]
        assert answers == [False, True, True]
        untouched = Lists(home).answer("national", "+12125550100")
        assert (untouched.is_listed, untouched.obtained_on) == (True, date(2026, 11, 19))

    def test_one_area_code_at_a_time(self, home, put):
        put(many(614, 100), areas=frozenset({"614"}))
        manifest = put(many(212, 100), areas=frozenset({"212"}), day=date(2026, 11, 19))
        assert set(manifest.areas) == {"212", "614"}
        lists = Lists(home)
        assert lists.answer("national", "+16142000000").obtained_on == date(2026, 11, 18)
        assert lists.answer("national", "+12122000000").obtained_on == date(2026, 11, 19)
        first, second = home / "lists/national/gen-000001/614.bits", home / "lists/national/gen-000002/614.bits"
        assert first.stat().st_ino == second.stat().st_ino  # linked, not copied

    def test_a_zip_file(self, home, tmp_path):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("614.txt", "614,5550199\r\n")
        load(home, LoadOrder("national", path, date(2026, 11, 18), "tests", NOW))
        assert Lists(home).answer("national", "+16145550199").is_listed

    def test_old_generations_are_kept_for_a_while(self, home, put):
        for _ in range(KEPT + 2):
            put(many(614, 10))
        assert len(list((home / "lists/national").glob("gen-*"))) == KEPT

    def test_age(self, put):
        manifest = put([6145550199])
        assert days_left(manifest, date(2026, 11, 18)) == 31
        assert days_left(manifest, date(2026, 12, 19)) == 0
        assert days_left(manifest, date(2026, 12, 20)) == -1


class TestRefused:
    @pytest.fixture(autouse=True)
    def in_force(self, home, put):
        put(many(614, 1000) + many(212, 1000))
        yield
        lists = Lists(home)
        answer = lists.answer("national", "+16142000999")
        assert (answer.is_listed, answer.generation) == (True, "national/gen-000001")
        assert not list((home / "lists/national").glob("partial-*"))

    def test_shrunken_by_five_percent(self, put):
        with pytest.raises(ListRefused, match="shrank from 1,000 to 950"):
            put(many(614, 950) + many(212, 1000))

    def test_changed_by_more_than_two_percent_in_all(self, put):
        with pytest.raises(ListRefused, match="more than 2 %"):
            put(many(614, 1030) + many(212, 1030))

    def test_of_the_wrong_state(self, put):
        with pytest.raises(ListRefused, match="not expected: 808"):
            put(many(808, 1000), areas=frozenset({"614"}))
        with pytest.raises(ListRefused, match="not expected: 808"):
            put(many(614, 1000) + many(212, 1000) + many(808, 1))

    def test_an_area_code_is_missing(self, put):
        with pytest.raises(ListRefused, match="no number of area code 212"):
            put(many(614, 1000))

    def test_too_many_lines_that_cannot_be_read(self, put):
        text = "".join(f"{number}\n" for number in many(614, 1000) + many(212, 1000))
        put([], name="other", text=text + "rubbish\n" * 2)
        with pytest.raises(ListRefused, match=r"more than 0\.1 %"):
            put([], text=text + "rubbish\n" * 3)

    def test_cut_short(self, put):
        text = "".join(f"{number}\n" for number in many(614, 1000) + many(212, 1000))
        with pytest.raises(ListRefused, match="cut short"):
            put([], text=text[:-4])

    def test_no_numbers_at_all(self, put):
        with pytest.raises(ListRefused, match="no numbers"):
            put([], text="Area code,Number\n\n")

    def test_a_change_list_taken_for_a_full_one(self, put):
        with pytest.raises(ListRefused, match="change list"):
            put([], text="614,5550199,2026-11-19,A\n")

    def test_changes_to_nothing(self, put):
        with pytest.raises(ListRefused, match="load a full file first"):
            put([], name="state-tx", text="614,5550199,2026-11-19,A\n", is_change=True)

    def test_a_name_that_is_a_path(self, put):
        with pytest.raises(ListRefused, match="no name for a list"):
            put([6145550199], name="../../etc")


def test_a_change_in_size_can_be_accepted_by_name(put):
    put(many(614, 1000))
    assert put(many(614, 500), accept="half the state moved away (Jo)").accepted.endswith("(Jo)")


def test_a_list_of_ones_own_may_change_as_it_likes(put):
    put(many(614, 1000), name="custom", check_size=False)
    assert put(many(212, 3), name="custom", check_size=False).rows == 3


class TestInBulk:
    def test_scrubbing_many_numbers_at_once(self, home, put):
        listed = {*many(614, 5000), *many(212, 5000)}
        put(sorted(listed))
        generation = Lists(home).generation("national")
        rng = np.random.default_rng(1)
        asked = rng.permutation(np.array(many(614, 9000) + many(212, 100) + many(808, 50), dtype=np.int64))
        found = generation.contains(asked)
        assert found.tolist() == [int(number) in listed for number in asked]
        assert generation.covers(asked).tolist() == [number // 10_000_000 != 808 for number in asked]
        assert generation.contains(np.array([], dtype=np.int64)).tolist() == []

    def test_one_by_one_says_the_same(self, home, put):
        put(many(614, 100))
        generation = Lists(home).generation("national")
        for number in many(614, 120):
            assert generation.answer(f"+1{number}").is_listed == bool(generation.contains(np.array([number]))[0])


class TestDamage:
    def test_a_bitmap_of_the_wrong_size_covers_nothing(self, home, put):
        put([6145550199])
        path = home / "lists/national/gen-000001/614.bits"
        path.chmod(0o600)
        path.write_bytes(b"\0" * 10)
        lists = Lists(home)
        with pytest.raises(ListDamaged, match="size"):
            lists.generation("national")
        assert not lists.answer("national", "+16145550199").is_covered

    def test_a_manifest_that_is_garbage(self, home, put):
        put([6145550199])
        (home / "lists/national/gen-000001/manifest.json").write_text("{")
        assert not Lists(home).answer("national", "+16145550199").is_covered

    def test_a_bitmap_that_is_gone(self, home, put):
        put([6145550199])
        (home / "lists/national/gen-000001/614.bits").unlink()
        assert not Lists(home).answer("national", "+16145550199").is_covered

    def test_no_lists_at_all(self, home):
        assert Lists(home).names() == ()
        assert Lists(home).answers("+16145550199") == ()


class TestConcurrency:
    def test_two_loads_at_once_one_is_told_to_wait(self, home, put, tmp_path):
        put([6145550199])
        fifo = tmp_path / "slow"
        os.mkfifo(fifo)
        code = (
            "import sys; from datetime import *; from pathlib import Path; from compliance.dnc_load import LoadOrder, load;"
            "load(Path(sys.argv[1]), LoadOrder('national', Path(sys.argv[2]), date(2026,11,18), 't', datetime.now(UTC)))"
        )
        # Reading a pipe blocks until somebody writes to it: the first load holds the lock for as long as we like.
        first = subprocess.Popen([sys.executable, "-c", code, str(home), str(fifo)], cwd=ROOT, stderr=subprocess.DEVNULL)
        try:
            with fifo.open("w"), pytest.raises(ListBusy):  # opens once the other end is read: the lock is held by then
                put([6145550199])
        finally:
            first.kill()
            first.wait()
        assert put([6145550199]).generation == 2

    def test_killed_in_the_middle_of_a_load(self, home, put, tmp_path):
        put([6145550199])
        fifo = tmp_path / "slow"
        os.mkfifo(fifo)
        code = (
            "import sys, compliance.dnc_load as d; from datetime import *; from pathlib import Path;"
            "from compliance.dnc_files import RegistryFile, lines;"
            "pipe = open(sys.argv[2], 'rb', 0);"
            "RegistryFile.batches = lambda self: (lines(b'6145550123\\n') for _ in iter(lambda: pipe.read(1), b''));"
            "d.load(Path(sys.argv[1]), d.LoadOrder('national', Path('x'), date(2026,11,18), 't', datetime.now(UTC)))"
        )
        child = subprocess.Popen([sys.executable, "-c", code, str(home), str(fifo)], cwd=ROOT)
        with fifo.open("wb", buffering=0) as pipe:
            for _ in range(3):
                pipe.write(b"x")
            partial = home / "lists/national"
            while not list(partial.glob("partial-*/614.bits")):
                assert child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.wait()
        lists = Lists(home)
        assert lists.answer("national", "+16145550199").generation == "national/gen-000001"
        assert not lists.answer("national", "+16145550123").is_listed
        assert list(partial.glob("partial-*"))  # left behind, and never read
        assert put([6145550199]).generation == 2
        assert not list(partial.glob("partial-*"))

    def test_readers_never_see_half_a_swap(self, home, put):
        put(many(614, 10))
        stop, wrong = threading.Event(), []

        def read():
            lists = Lists(home)
            while not stop.is_set():
                if not lists.answer("national", "+16142000009").is_listed:
                    wrong.append(lists.generation("national").name)

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(8):
            put(many(614, 10))
        stop.set()
        reader.join()
        assert wrong == []


class TestInternal:
    def test_set_for_one_seller_or_for_all(self, home):
        bits, other_process = InternalBits(home), InternalBits(home)
        bits.add("+16145550123", "acme")
        bits.add("+16145550123", "acme")
        bits.add("+16145550124")
        assert other_process.has("+16145550123", "acme")
        assert not other_process.has("+16145550123", "other")
        assert other_process.has("+16145550124", "other")

    def test_a_bit_set_after_a_reader_has_looked_is_seen(self, home):
        writer, reader = InternalBits(home), InternalBits(home)
        writer.add("+16145550100", "acme")
        assert not reader.has("+16145550123", "acme")
        writer.add("+16145550123", "acme")
        assert reader.has("+16145550123", "acme")

    def test_sellers_with_odd_names_stay_apart(self, home):
        bits = InternalBits(home)
        bits.add("+16145550123", "Acme & Sons/../x")
        assert bits.has("+16145550123", "Acme & Sons/../x")
        assert not bits.has("+16145550123", "acme sons x")
        assert all(home in path.parents for path in home.rglob("*.bits"))

    def test_numbers_outside_the_plan_have_no_bit(self, home):
        bits = InternalBits(home)
        bits.add("+442071838750", "acme")
        assert not bits.has("+442071838750", "acme")

    def test_writers_at_once_lose_no_bit(self, home):
        numbers = [f"+161455501{last:02d}" for last in range(64)]
        threads = [
            threading.Thread(target=lambda mine=numbers[start::4]: [InternalBits(home).add(each, "acme") for each in mine])
            for start in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(InternalBits(home).has(each, "acme") for each in numbers)

    def test_a_damaged_bitmap_is_no_answer(self, home):
        bits = InternalBits(home)
        bits.add("+16145550123", "acme")
        [path] = home.rglob("*.bits")
        path.write_bytes(b"")
        assert not InternalBits(home).has("+16145550123", "acme")
        assert AREA_BYTES == 1_250_000


class TestAStatesOwnList:
    AREAS = frozenset({"305", "850"})

    def test_it_is_whole_whoever_moved_away_and_whoever_moved_in(self, home, put):
        put([*many(305, 30), *many(212, 9)], name="state-fl", state_areas=self.AREAS, check_size=True)
        lists = Lists(home)
        assert lists.answer("state-fl", "+13052000001").is_listed
        assert lists.answer("state-fl", "+12122000001").is_listed
        other = lists.answer("state-fl", "+18505550123")
        assert (other.is_listed, other.is_covered, other.obtained_on) == (False, True, date(2026, 11, 18))

    def test_another_states_file_is_refused_and_the_old_one_stays(self, home, put):
        put(many(305, 30), name="state-fl", state_areas=self.AREAS)
        with pytest.raises(ListRefused, match="only 10 of 40 numbers are of that state's area codes"):
            put([*many(404, 30), *many(305, 10)], name="state-fl", state_areas=self.AREAS)
        assert Lists(home).generation("state-fl").manifest.rows == 30

    def test_shrunken_by_five_percent(self, home, put):
        put(many(305, 1000), name="state-fl", state_areas=self.AREAS)
        with pytest.raises(ListRefused, match="shrank from 1,000 to 950"):
            put(many(305, 950), name="state-fl", state_areas=self.AREAS)


def test_alarms(home, put):
    manifests = [put([6145550199], day=date(2026, 11, 1)), put([6145550199], name="state-tx", day=date(2026, 11, 20))]
    assert alarms(manifests, date(2026, 11, 25)) == []
    [soon] = alarms(manifests, date(2026, 11, 26))
    assert soon == "The national list is 25 days old; 6 days are left to load a new copy."
    [late] = alarms(manifests, date(2026, 12, 3))
    assert "32 days old" in late
    assert Lists(home).manifests() == manifests
    (home / "lists/national/gen-000001/manifest.json").write_text("{")
    assert [each.list for each in Lists(home).manifests()] == ["state-tx"]
