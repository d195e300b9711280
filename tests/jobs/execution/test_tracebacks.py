"""A user's traceback shows the user's code, and none of acc's around it."""

from jobs.execution.inside.merge import merge
from jobs.execution.tracebacks import one_line, user_traceback


def test_frames_of_acc_are_left_out_and_causes_are_kept() -> None:
    def users_code() -> None:
        try:
            merge(1, "a")
        except Exception as err:
            raise KeyError("mine") from err

    try:
        users_code()
    except KeyError as err:
        text = user_traceback(err)
    assert "users_code" in text
    assert "cannot merge" in text
    assert "merge.py" not in text
    assert text.endswith("KeyError: 'mine'\n")


def test_one_line_is_how_a_traceback_ends() -> None:
    assert one_line(KeyError("x")) == "KeyError: 'x'"
