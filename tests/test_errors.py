import pytest

from residua import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("ConfigError", 2),
        ("ShapeError", 2),
        ("DataError", 3),
        ("CheckpointError", 4),
        ("RunError", 5),
    ],
)
def test_every_error_has_the_exit_code_of_its_kind(error, code):
    kind = getattr(errors, error)
    assert kind.exit_code == code
    assert issubclass(kind, errors.ResiduaError)
    assert f"{error}" in errors.__doc__


def test_settings_and_shapes_are_value_errors():
    assert issubclass(errors.ConfigError, ValueError)
    assert issubclass(errors.ShapeError, ValueError)


def test_close_names_are_offered_and_far_ones_are_not():
    assert errors.closest("resnet2", ["resnet20", "plain"]) == " (did you mean resnet20?)"
    assert errors.closest("zzz", ["resnet20", "plain"]) == ""
