"""No share below 1 reads 100%, in the report's page by the same rules; one is no plural."""

import numpy as np

from fer_mobile.wording import counted, percent, percent_tenths

SHARES = [0.0, 0.004, 0.29, float(np.float32(0.95)), 255 / 256, 0.9961, 0.99951, 0.99989, 1.0]
WHOLE = ["0%", "0%", "29%", "95%", "99%", "99%", "99%", "99%", "100%"]
TENTHS = ["0.0%", "0.4%", "29.0%", "95.0%", "99.6%", "99.6%", "99.9%", "99.9%", "100.0%"]


def test_only_1_reads_100():
    assert [percent(share) for share in SHARES] == WHOLE
    assert [percent_tenths(share) for share in SHARES] == TENTHS


def test_one_is_no_plural():
    assert [counted(number, "face") for number in (0, 1, 2)] == ["0 faces", "1 face", "2 faces"]
    assert [counted(number, "copy", "copies") for number in (1, 1000)] == ["1 copy", "1,000 copies"]
