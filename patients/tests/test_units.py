"""Measured values as people read them."""

import pytest

from patients import units
from patients.tests.charts import fill_the_chart

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("7", "mmol/L", "7 mmol/L"),
        ("1", "{score}", "1 score"),
        ("1", "{#}", "1"),
        ("90", "mL/min/{1.73_m2}", "90 mL/min/1.73 m²"),
        ("120", "mm[Hg]", "120 mmHg"),
        ("8.122580492156299", "10*3/uL", "8.123 10³/uL"),
        ("-0.000012345678", "", "-0.00001235"),
        ("123456.999999999", "", "123457"),
        ("0.0000000", "", "0"),
        ("0.12345", "kg", "0.12345 kg"),
        ("< 5.1234567", "", "< 5.1234567"),
        ("98.6", "[degF]", "98.6 °F"),
        ("clear", "", "clear"),
    ],
)
def test_a_value_is_read_as_people_write_it(value, unit, text):
    assert units.measured(value, unit) == text


def test_the_chart_shows_it_so_and_the_row_keeps_what_was_sent(cast, signed_in):
    fill_the_chart(cast.ada, "x")
    cast.ada.observations.filter(display="Pulse").update(value="3", unit="{score}")
    page = signed_in("nora").get(f"/patient/{cast.ada.key}/").content.decode()
    assert "3 score" in page
    assert "{score}" not in page
    assert cast.ada.observations.get(display="Pulse").unit == "{score}"
