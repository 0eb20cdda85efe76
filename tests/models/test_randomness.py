import random

import numpy
import torch
from thinc.api import fix_random_seed

from spacy_attn.models.randomness import OwnRandomness, same_randomness_afterwards


def draw():
    return random.random(), numpy.random.random(), torch.rand(()).item()


def test_what_is_drawn_inside_changes_nothing_afterwards():
    fix_random_seed(0)
    expected = [draw(), draw()]
    fix_random_seed(0)
    found = [draw()]
    with same_randomness_afterwards():
        draw()
    assert [*found, draw()] == expected


def test_own_random_numbers_go_on_beside_those_that_are_common():
    fix_random_seed(5)
    expected = [draw(), draw(), draw()]
    fix_random_seed(0)
    common = [draw(), draw()]
    fix_random_seed(0)
    own = OwnRandomness(5)
    found, found_common = [], []
    for _ in range(2):
        with own.drawn():
            found.append(draw())
        found_common.append(draw())
    with own.drawn():
        found.append(draw())
    assert found == expected
    assert found_common == common
