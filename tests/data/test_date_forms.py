"""What one cell says: every form of the table, and every time, as strptime, pandas and email.utils read it."""

import datetime
import email.utils

import pandas as pd
import pytest

from steelyard.data.date_forms import CLOCKS, FORMS, MONTHS, full, instant, spelled

UTC = datetime.UTC
EXAMPLES = [(cell, form) for one in FORMS for cell, form in one.examples]
PERIODS = {"2024Q1": "2024Q1", "Q4 2024": "2024Q4", "2024H2": "2024Q3", "2024-W05": None}


def seconds(day: datetime.datetime) -> float:
    return day.replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(("cell", "form"), EXAMPLES)
def test_every_form_is_read_as_strptime_reads_it(cell, form):
    date = spelled(cell)
    assert date is not None
    if form:
        day = datetime.datetime.strptime(cell, form)
    elif PERIODS[cell]:
        day = pd.Period(PERIODS[cell]).start_time.to_pydatetime()
    else:
        day = datetime.datetime.fromisocalendar(2024, 5, 1)
    orders = ("dmy", "mdy", "ymd") if date.open else ("ymd",)
    assert seconds(day) in [instant(date, order) for order in orders]


@pytest.mark.parametrize("clock", CLOCKS)
def test_every_time_is_read_as_pandas_reads_it(clock):
    zone = " CET"
    expected = pd.Timestamp(f"2024-12-31 {clock.removesuffix(zone).removeprefix('T').replace(',', '.')}")
    expected = expected if expected.tzinfo else expected.tz_localize("+01:00" if clock.endswith(zone) else "UTC")
    cell = f"2024-12-31{'' if clock[0] == 'T' else ' '}{clock}"
    date = spelled(cell)
    assert instant(date) == pytest.approx(expected.timestamp(), abs=1e-6)
    assert date.timed
    assert spelled(cell.lower()) == spelled(f"  {cell} ") == date


@pytest.mark.parametrize(
    "cell",
    [
        "Tue, 31 Dec 2024 10:00:00 GMT",
        "Tue, 31 Dec 2024 10:00:00 +0530",
        "31 Dec 2024 23:59:59 EST",
        "Tue Dec 31 10:15:30 2024",
        "31 Dec 24 10:00 PDT",
    ],
)
def test_dates_of_mails_are_read_as_the_email_package_reads_them(cell):
    assert instant(spelled(cell)) == email.utils.mktime_tz(
        (*email.utils.parsedate_tz(cell)[:9], email.utils.parsedate_tz(cell)[9] or 0)
    )


@pytest.mark.parametrize("language", MONTHS)
def test_months_have_their_names_and_their_beginnings(language):
    for number, name in enumerate(MONTHS[language].split(), 1):
        assert spelled(f"7 {name} 2024").numbers == (2024, number, 7)
        assert spelled(f"{name.upper()} 2024").numbers == (2024, number, 1)
    if language == "English":
        for number in range(1, 13):
            short = datetime.date(2024, number, 7).strftime("%b")
            assert spelled(f"7-{short}-24").numbers == (24, number, 7)


@pytest.mark.parametrize(
    "same",
    [
        ("2024-03-07 14:15", "2024/3/7 2:15 PM", "7th March 2024, 14:15", "March 7, 2024 at 2:15 pm", "2024年3月7日 14:15"),
        ("2024-03-07", "7 de marzo de 2024", "7. März 2024", "Thursday, March 7, 2024", "07MAR2024", "2024. 3. 7.", "7\u00a0mars\u00a02024"),
        ("2024-03-07T10:15:30Z", "20240307T101530Z", "2024-03-07T11:15:30+01:00[Europe/Berlin]", "07/Mar/2024:10:15:30 +0000"),
        ("2024-03-07 10:15:30", "Thu Mar 07 2024 10:15:30 GMT+0000 (Coordinated Universal Time)", "07MAR2024:10:15:30"),
        ("2024-03-08", "2024-03-07 24:00"),
        ("2024-03-01", "Mar 2024", "Mar-24", "Mar '24", "2024 Mar", "03/2024", "2024/03"),
    ],
)  # fmt: skip
def test_one_moment_in_many_spellings(same):
    assert len({instant(spelled(cell)) for cell in same}) == 1


@pytest.mark.parametrize(
    "cell",
    ["", "May", "May 5", "5 May", "12:30", "10/24", "2024", "5 kg", "A2024-01-01", "2024-03-07 xx", "2024-03-07 25:00", "Q1", "1.2.3", "2024-03-07 10:15 XYZ"],
)  # fmt: skip
def test_what_is_no_date(cell):
    assert spelled(cell) is None


def test_days_that_no_calendar_has_are_no_moment():
    for cell in ("2024-02-30", "2023-02-29", "2024-13-01", "0000-00-00", "1900-01-00"):
        assert instant(spelled(cell)) is None
    assert instant(spelled("30.02.2024"), "dmy") is None


def test_two_digit_years_have_the_century_of_strptime():
    for year in range(100):
        assert full(year) == datetime.datetime.strptime(f"{year:02}", "%y").year
