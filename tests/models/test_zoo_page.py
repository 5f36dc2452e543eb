from models.networks import build
from models.zoo import NETWORKS, weights_page
from models.zoo.page import CLASSES, INPUTS, PAGE, page, parameters, sizes
from models.zoo.sizes import SIZES_FILE, in_words


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m models.zoo.page`"
    assert SIZES_FILE.read_text() == sizes(), "run `python -m models.zoo.page`"


def test_parameters_are_those_of_a_real_network() -> None:
    for name in ("unet", "two_branch"):
        network = build(name, INPUTS, CLASSES, NETWORKS[name].smallest)
        assert parameters(name, NETWORKS[name].smallest) == sum(
            p.numel() for p in network.parameters()
        )


def test_numbers_in_words() -> None:
    assert [in_words(n) for n in (487_312, 999_999, 31_045_444)] == ["487 k", "1000 k", "31.0 M"]


def test_the_page_of_weights_is_current() -> None:
    found = weights_page.PAGE.read_text()
    assert found == weights_page.page(), "run `python -m models.zoo.weights_page`"
