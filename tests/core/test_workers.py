"""Tests of `utils.core.parallel`."""

import os
import time
import warnings

from utils.core.parallel import run_tasks

_HELD: list[bytes] = []


def _grow(number: int) -> tuple[int, int]:
    """Hold 200 MB more and wait until loky looks at the memory again."""
    _HELD.append(os.urandom(1 << 20) * 200)
    time.sleep(1.1)
    return number, os.getpid()


def test_a_worker_that_grows_is_not_renewed() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        done = dict(run_tasks(_grow, range(8), n_jobs=2))
    assert sorted(done) == list(range(8))
    assert len(set(done.values())) <= 2
    assert not said


def test_a_worker_that_is_replaced_is_not_told_of() -> None:
    with warnings.catch_warnings(record=True) as told:
        assert sorted(run_tasks(abs, [-1, 2], n_jobs=2)) == [1, 2]
        warnings.warn("A worker stopped while some jobs were given", stacklevel=1)
        warnings.warn("anything else", stacklevel=1)
    assert [str(warning.message) for warning in told] == ["anything else"]
