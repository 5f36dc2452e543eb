"""How many views of an image a map may be the mean of. Needs no torch; the code is `models.tta`."""

VIEWS: dict[int, str] = {
    1: "the image as it is",
    4: "with both flips",
    8: "with flips and turns",
    24: "six sizes by four flips, after the winner of DFC2025 Track 1",
}
